#!/bin/sh
# Fuzzes what reads the files and messages of others: fuzz/run.sh [SECONDS [TARGET…]]
#
# Each target runs for so many seconds, 60 unless told, as many at once as there are processors.
# With 0 seconds the seeds are replayed and nothing new is made up. What is worth keeping grows
# in the folder of the build, where the next run goes on from it; nothing is written into the
# tree. FUZZ_SEED=N begins with the same inputs each time, as far as maps in random order allow,
# and from the seeds alone. FUZZ_RUNS=N stops after so many inputs instead of seconds, so that a
# fast machine tries what a slow one tries.
set -eu
cd "$(dirname "$0")"
ulimit -c 0

seconds=${1:-60}
[ $# -eq 0 ] || shift
build=${CARGO_TARGET_DIR:-../target}
mkdir -p "$build/fuzz"
build=$(cd "$build/fuzz" && pwd)

# Runs one target and tells in one line how far it came.
fuzz() {
  name=$1
  binary=$binaries/$name
  log=$build/$name.log
  corpus=$build/corpus/$name
  [ -z "${FUZZ_SEED:-}" ] || { corpus=$build/corpus-of-seed/$name && rm -rf "$corpus"; }
  mkdir -p "$corpus" "$build/findings/$name"
  set -- -timeout=60 -rss_limit_mb=1024 -max_len=4096 -print_final_stats=1 \
    -artifact_prefix="$build/findings/$name/"
  [ -z "${FUZZ_SEED:-}" ] || set -- "$@" "-seed=$FUZZ_SEED"
  [ ! -f "dictionaries/$name.dict" ] || set -- "$@" "-dict=dictionaries/$name.dict"
  if [ "$seconds" -eq 0 ]; then
    set -- "$@" -runs=0 "seeds/$name"
  elif [ "${FUZZ_RUNS:-}" ]; then
    set -- "$@" "-runs=$FUZZ_RUNS" "$corpus" "seeds/$name"
  else
    set -- "$@" "-max_total_time=$seconds" "$corpus" "seeds/$name"
  fi
  if RUST_BACKTRACE=1 "$binary" "$@" >"$log" 2>&1; then
    stat() { sed -n "s/^stat::$1: *//p" "$log"; }
    last() { grep -a ' cov: ' "$log" | tail -n 1 | sed "s/.* $1: \([0-9]*\).*/\1/"; }
    printf '%-13s %9s inputs %7s a second %6s edges %6s features\n' "$name" \
      "$(stat number_of_executed_units)" "$(stat average_exec_per_sec)" "$(last cov)" "$(last ft)"
    return
  fi
  input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
  {
    echo "FAILED $name: a law does not hold, or an answer took too much time or memory"
    sed -n '/panicked at/,/^stack backtrace/p' "$log" | sed '/^stack backtrace/d' | cut -c 1-2000
    grep -a '^SUMMARY' "$log" || tail -n 5 "$log"
    echo "  the whole log: $log"
    if [ "$input" ]; then
      echo "  the input:     $input"
      echo "  once more:     $binary $input"
      echo "  smaller:       $binary -minimize_crash=1 -max_total_time=60 -exact_artifact_path=$input.small $input"
    fi
  } >&2
  return 1
}

# This script calls itself for each target.
if [ "${FUZZ_BINARIES:-}" ]; then
  binaries=$FUZZ_BINARIES
  fuzz "$1"
  exit
fi

compiler=${CXX:-c++}
if ! command -v "${compiler%% *}" >/dev/null 2>&1; then
  echo "SKIPPED fuzzing: libFuzzer is C++, and there is no $compiler to build it with (Debian: g++)"
  exit 0
fi

all=$(ls src/bin | sed 's/\.rs$//')
for target in "$@"; do
  if ! echo "$all" | grep -qxF -- "$target"; then
    echo "there is no target $target; there are" $all >&2
    exit 2
  fi
done
[ $# -gt 0 ] || set -- $all

CARGO_TARGET_DIR=$build cargo clippy --quiet --locked --release -- -D warnings
CARGO_TARGET_DIR=$build cargo build --quiet --locked --release
host=$(rustc -vV | sed -n 's/^host: //p')
export FUZZ_BINARIES="$build/$host/release"
printf '%s\n' "$@" | xargs -n 1 -P "$(getconf _NPROCESSORS_ONLN)" sh run.sh "$seconds"
