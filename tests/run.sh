#!/bin/sh
# Runs everything that is checked, in the order in which it fails fastest.
set -eu
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; "$@"; }

step cargo fmt --all --check
step cargo fmt --manifest-path fuzz/Cargo.toml --check
step cargo clippy --locked --workspace --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" step cargo doc --locked --workspace --no-deps --quiet
if command -v cargo-deny >/dev/null 2>&1; then
  step cargo deny --locked check
else
  echo "SKIPPED cargo deny: it is not installed (cargo install cargo-deny)"
fi
# The suites run the binaries of every package, so all of them must be of this tree.
step cargo build --locked --workspace
step cargo test --locked --workspace
# Instruction counts and sizes of the release binaries; no wall clock.
step cargo run --quiet --locked --release -p trueup-bench -- check
# With the same seed each time, so that a failure here is about the change and not about luck;
# other inputs are tried without it.
step env FUZZ_SEED=1 sh fuzz/run.sh 60 workplan front_matter plan state cache hook
step sh fuzz/run.sh 0
printf '\nall suites passed\n'
