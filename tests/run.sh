#!/bin/sh
# Runs everything that is checked, in the order in which it fails fastest. A step that fails
# keeps none of the others from running; at the end stands which ones failed.
set -u
cd "$(dirname "$0")/.." || exit 3

failed=""

# Runs a step, says how long it took, and remembers whether it failed.
step() {
  printf '\n== %s\n' "$*"
  began=$(date +%s)
  "$@" || failed="$failed
  $*"
  echo "== took $(($(date +%s) - began)) s"
}

# Begins what only computes, beside the suites: they wait for processes, servers and clocks most of
# the time, and none of them depends on how fast the machine is.
begin_computing() {
  beside=$(mktemp -d)
  (
    failed=""
    # Instruction counts and sizes of the release binaries; no wall clock, so what measures them need
    # not be optimised.
    step nice cargo run --quiet --locked -p trueup-bench -- check
    # More seeds than among the other suites; 320, a million steps, are played before a release.
    step nice env TRUEUP_SIMULATION_RUNS=80 \
      cargo test --quiet --locked -p trueup-tests --test simulation
    # With the same seed and number of inputs each time, so that a failure here is about the change
    # and neither about luck nor about how fast the machine is; other inputs are tried without them.
    step nice env FUZZ_SEED=1 FUZZ_RUNS=20000 sh fuzz/run.sh 60 \
      workplan front_matter plan state cache hook
    # Packages of three systems, each installed and tried; compiling them takes most of it.
    step nice sh packaging/check.sh
    printf '%s' "$failed" >"$beside/failed"
  ) >"$beside/output" 2>&1 &
}

# Waits for it, and shows what it printed.
end_computing() {
  step wait
  cat "$beside/output"
  failed="$failed$(cat "$beside/failed" || echo ' what runs beside the suites')"
  rm -r "$beside"
}

step cargo fmt --all --check
step cargo fmt --manifest-path fuzz/Cargo.toml --check
step cargo clippy --locked --workspace --all-targets -- -D warnings
step env RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --quiet
step sh tests/dependencies.sh
step sh tests/site.sh
# The suites run the binaries of every package, so all of them must be of this tree.
step cargo build --locked --workspace
# Pictures of terminal sessions show what these programs print.
if command -v python3 >/dev/null 2>&1; then
  step python3 -m unittest discover -s packaging/recordings
else
  echo "SKIPPED packaging/recordings: there is no python3"
fi
step cargo test --locked --workspace --no-run --quiet
begin_computing
step cargo test --locked --workspace --no-fail-fast -- --skip shared::hooks::
# These wait for pulls that give up, most of the time, so more of them run at once.
step env RUST_TEST_THREADS=4 cargo test --locked -p trueup-tests --test faults -- shared::hooks::
# What commands do with a shared database; the rest takes as long again and is run by hand.
step env TRUEUP_TEST_DATABASE=postgres cargo test --locked -p trueup-tests --test cli -- \
  acting_session claims:: handoffs:: moves:: next:: operations queue::
# The newest client is what the suite above ran on; this is the oldest that is supported.
step env TRUEUP_CLIENT=oldest cargo test --locked -p trueup-tests --test client
# The death of a PostgreSQL leader under load; says so where it is skipped.
step sh tests/cluster.sh
end_computing
# Some of these are timed.
step sh fuzz/run.sh 0

if [ -n "$failed" ]; then
  printf '\nFAILED:%s\n' "$failed"
  exit 1
fi
printf '\nall suites passed\n'
