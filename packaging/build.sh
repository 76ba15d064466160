#!/bin/sh
# Builds the programs of one system and lays them out as a bundle: what an archive unpacks to, and
# what every other package is made from. Prints the directory of the bundle.
#
# usage: packaging/build.sh TARGET [--profile PROFILE] [--out DIR] [--only PROGRAM[,PROGRAM]]
#   TARGET     x86_64-unknown-linux-musl, aarch64-unknown-linux-musl or aarch64-apple-darwin
#   --profile  release (as it is shipped, minutes of linking), or quick (for tests)
#   --out      where the bundle goes; target/packaging/bundles unless said
#   --only     fewer programs: an incomplete bundle, which pack.py refuses
#
# TRUEUP_NATIVE names a directory with a trueup and a trueup-hub that run here: they write man pages
# and completions. Without it they are built, unless TARGET runs here.
set -eu

target='' profile=release out='' only=''
while [ $# -gt 0 ]; do
  case $1 in
    --profile) profile=$2 && shift 2 ;;
    --out) out=$2 && shift 2 ;;
    --only) only=$2 && shift 2 ;;
    -*) echo "error: unknown option $1" >&2 && exit 2 ;;
    *) target=$1 && shift ;;
  esac
done

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
here=$root/packaging
cd "$root"
out=${out:-$root/target/packaging/bundles}
# A directory of its own: other runs of Cargo wait for one that works in theirs.
CARGO_TARGET_DIR=${TRUEUP_PACKAGING_TARGET:-$root/target/packaging/build}
export CARGO_TARGET_DIR
# These would replace the flags of .cargo/config.toml (ADR 0015).
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS

case $target in
  x86_64-unknown-linux-musl | aarch64-unknown-linux-musl | aarch64-apple-darwin) ;;
  *) echo "error: no such target: '$target' (see the first lines of $0)" >&2 && exit 2 ;;
esac

say() { echo "packaging: $*" >&2; }

hooks='session-start-sync checkpoint-push pre-handoff-validate'
commands='trueup validate-session-state trueup-hub trueup-install'
programs=${only:-$hooks $commands}
programs=$(echo "$programs" | tr ',' ' ')

# The packages of the selected programs, for Cargo.
select_packages() {
  for program in "$@"; do
    case $program in
      trueup | validate-session-state) echo '-p trueup' ;;
      trueup-hub | trueup-install) echo "-p $program" ;;
      *) echo '-p trueup-hooks' ;;
    esac
  done | sort -u
}

# Compiles for a target: natively where the C compiler of the machine can, else with zig.
compile() {
  compiled=$1 && shift
  rustup target add "$compiled" >/dev/null 2>&1 || true
  case $compiled in
    "$(uname -m)-unknown-linux-musl")
      variable=CC_$(echo "$compiled" | tr '-' '_')
      env "$variable=musl-gcc" cargo build --locked --quiet --target "$compiled" "$@"
      ;;
    *-apple-darwin)
      # The oldest system that Rust supports on this processor; zig would take its own, 15.0.
      export MACOSX_DEPLOYMENT_TARGET=11.0
      if [ "$(uname -s)" = Darwin ]; then
        cargo build --locked --quiet --target "$compiled" "$@"
      else
        PATH="$(sh "$here/tools.sh"):$PATH" SDKROOT=$here/sdk \
          cargo zigbuild --locked --quiet --target "$compiled" "$@"
      fi
      ;;
    *)
      PATH="$(sh "$here/tools.sh"):$PATH" \
        cargo zigbuild --locked --quiet --target "$compiled" "$@"
      ;;
  esac
}

runs_here() {
  case $(uname -sm) in
    'Linux x86_64') [ "$target" = x86_64-unknown-linux-musl ] ;;
    'Linux aarch64') [ "$target" = aarch64-unknown-linux-musl ] ;;
    'Darwin arm64') [ "$target" = aarch64-apple-darwin ] ;;
    *) false ;;
  esac
}

say "compiling for $target with the profile $profile"
# shellcheck disable=SC2046,SC2086
compile "$target" --profile "$profile" $(select_packages $programs)
built=$CARGO_TARGET_DIR/$target/$profile

if [ -z "${TRUEUP_NATIVE:-}" ]; then
  if runs_here; then
    TRUEUP_NATIVE=$built
  else
    say "compiling what runs here, for man pages and completions"
    cargo build --locked --quiet -p trueup -p trueup-hub
    TRUEUP_NATIVE=$CARGO_TARGET_DIR/debug
  fi
fi

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
bundle=$out/trueup-$version-$target
rm -rf "$bundle"
mkdir -p "$bundle/bin" "$bundle/share/man/man1" "$bundle/share/completions"
for program in $programs; do
  install -m 755 "$built/$program" "$bundle/bin/$program"
done
install -m 755 install/install.sh "$bundle/install.sh"
install -m 644 CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$bundle"
python3 packaging/readme.py README.md "$version" >"$bundle/README.md"
for program in trueup trueup-hub; do
  "$TRUEUP_NATIVE/$program" man --out "$bundle/share/man/man1" >/dev/null
done
"$TRUEUP_NATIVE/trueup" completions bash >"$bundle/share/completions/trueup.bash"
"$TRUEUP_NATIVE/trueup" completions zsh >"$bundle/share/completions/_trueup"
"$TRUEUP_NATIVE/trueup" completions fish >"$bundle/share/completions/trueup.fish"
say "the bundle is complete: $(du -sh "$bundle" | cut -f 1)"
echo "$bundle"
