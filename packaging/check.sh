#!/bin/sh
# Builds the programs quickly, makes every package of them, installs each as a user would and runs the
# demo. What cannot run here says SKIPPED and why.
#
# usage: packaging/check.sh [--no-build]
#   --no-build   only tests; those of real programs use what was built before
#   TRUEUP_REQUIRE_PACKAGING=1   what is skipped fails (programs for macOS are never run)
set -eu
cd "$(dirname "$0")"
packaging=$PWD
cd ..
TRUEUP_BUNDLES=${TRUEUP_BUNDLES:-$PWD/target/packaging/bundles}
export TRUEUP_BUNDLES PYTHONDONTWRITEBYTECODE=1

build() {
  began=$(date +%s)
  sh "$packaging/build.sh" "$@" --profile quick --out "$TRUEUP_BUNDLES" >/dev/null
  echo "packaging: $1 took $(($(date +%s) - began)) s"
}

if PATH="$(sh "$packaging/tools.sh"):$PATH"; then
  export PATH
else
  echo "SKIPPED packaging: the tools of packaging/requirements.txt cannot be installed" >&2
  [ "${TRUEUP_REQUIRE_PACKAGING:-}" != 1 ]
  exit
fi
if [ "${1:-}" != --no-build ]; then
  if [ "$(uname -sm)" != 'Linux x86_64' ] || ! command -v musl-gcc >/dev/null; then
    echo "SKIPPED packaging: it builds on Linux x86-64 with musl-gcc (package musl-tools)" >&2
    [ "${TRUEUP_REQUIRE_PACKAGING:-}" != 1 ]
    exit
  fi
  rm -rf "$TRUEUP_BUNDLES"
  build x86_64-unknown-linux-musl
  # Man pages and completions are the same everywhere; the first build made them.
  TRUEUP_NATIVE=$(echo "$TRUEUP_BUNDLES"/trueup-*-x86_64-unknown-linux-musl/bin)
  export TRUEUP_NATIVE
  build aarch64-unknown-linux-musl
  # Enough to see that each crate compiles and links there: the hub is only another server, and the
  # installer a smaller program.
  build aarch64-apple-darwin --only session-start-sync,checkpoint-push,pre-handoff-validate,trueup
fi
# One build is enough for what is installed; the other bundles hold the same files for other systems.
TRUEUP_PACKAGES=$PWD/target/packaging/packages
export TRUEUP_PACKAGES
rm -rf "$TRUEUP_PACKAGES"
bundle=$(echo "$TRUEUP_BUNDLES"/trueup-*-x86_64-unknown-linux-musl)
if [ -d "$bundle" ]; then
  TRUEUP_PACKAGING_COMPRESSION=1 python3 "$packaging/pack.py" "$bundle" --out "$TRUEUP_PACKAGES"
fi
exec python3 -m unittest discover --start-directory "$packaging" --pattern 'test_*.py'
