#!/bin/sh
# Fuzzes what reads the files and messages of others: fuzz/run.sh [SECONDS [TARGET…]]
#
# Each target runs for so many seconds, 60 unless told, as many at once as there are processors.
# With 0 seconds the seeds are replayed and nothing new is made up. What the fuzzer finds worth
# keeping grows in the folder of the build and makes the next run better; nothing is written
# into the tree.
set -eu
cd "$(dirname "$0")"
ulimit -c 0

build=${CARGO_TARGET_DIR:-$PWD/../target}
case $build in /*) ;; *) build=$PWD/$build ;; esac
seconds=${1:-60}
[ $# -eq 0 ] || shift

# Runs one target and tells in a line how far it came.
fuzz() {
  binary=$binaries/$1
  corpus=$build/fuzz/corpus/$1
  findings=$build/fuzz/findings/$1
  log=$build/fuzz/$1.log
  mkdir -p "$corpus" "$findings"
  set -- "$1" -timeout=10 -rss_limit_mb=1024 -max_len=4096 -print_final_stats=1 \
    -artifact_prefix="$findings/"
  [ ! -f "dictionaries/$1.dict" ] || set -- "$@" -dict="dictionaries/$1.dict"
  if [ "$seconds" -eq 0 ]; then
    set -- "$@" -runs=0 "seeds/$1"
  else
    set -- "$@" -max_total_time="$seconds" "$corpus" "seeds/$1"
  fi
  name=$1
  shift
  if RUST_BACKTRACE=1 "$binary" "$@" >"$log" 2>&1; then
    stat() { sed -n "s/^stat::$1: *//p" "$log"; }
    last() { sed -n "s/.* $1: \([0-9]*\).*/\1/p" "$log" | tail -n 1; }
    printf '%-13s %10s inputs %8s/s  %6s edges  %6s features\n' "$name" \
      "$(stat number_of_executed_units)" "$(stat average_exec_per_sec)" "$(last cov)" "$(last ft)"
    return
  fi
  input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
  {
    echo "FAILED $name: a law does not hold, or an answer took too long"
    sed -n '/panicked at/,/^stack backtrace/p' "$log" | sed '/^stack backtrace/d' | head -n 40
    grep -a '^SUMMARY' "$log" || tail -n 5 "$log"
    echo "  the input:  ${input:-none was written; see $log}"
    echo "  again:      $binary $input"
    echo "  smaller:    $binary -minimize_crash=1 -runs=100000 -exact_artifact_path=smaller $input"
  } >&2
  return 1
}

if [ "${FUZZ_ONE:-}" ]; then
  binaries=$FUZZ_ONE
  fuzz "$1"
  exit
fi

compiler=${CXX:-c++}
if ! command -v "$compiler" >/dev/null 2>&1; then
  echo "SKIPPED fuzzing: libFuzzer is built with a C++ compiler, and there is no $compiler (Debian: g++)"
  exit 0
fi

all=$(ls src/bin | sed 's/\.rs$//')
for target in "$@"; do
  echo "$all" | grep -qx -- "$target" || { echo "no target $target; there are:" $all >&2; exit 2; }
done
[ $# -gt 0 ] || set -- $all

CARGO_TARGET_DIR=$build/fuzz cargo build --quiet --locked --release --bins
host=$(rustc -vV | sed -n 's/^host: //p')
printf '%s\n' "$@" |
  FUZZ_ONE=$build/fuzz/$host/release xargs -n 1 -P "$(getconf _NPROCESSORS_ONLN)" sh run.sh "$seconds"
