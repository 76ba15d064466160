#!/bin/sh
# Installs trueup: compiles the installer, then hands over to it. All arguments go to trueup-install;
# `install/install.sh --help` lists them.
set -eu

self=$(readlink -f -- "$0" 2>/dev/null) || self=$0
here=$(CDPATH='' cd -- "$(dirname -- "$self")" && pwd -P)
root=$(dirname -- "$here")

if ! command -v cargo >/dev/null 2>&1; then
    # rustup puts cargo here and a shell started before that does not know it.
    if [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
        PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
        export PATH
    else
        cat >&2 <<'END'
error: cargo was not found, and trueup is built from source.
 hint: get a Rust toolchain, then run this again:
         Debian, Ubuntu:  sudo apt install rustup && rustup default stable
         elsewhere:       https://rustup.rs
END
        exit 3
    fi
fi

# The toolchain is pinned by a file in the repository, so cargo has to start there; the paths that the
# user gave are relative to where they are.
quiet=-q
if [ -t 2 ]; then
    quiet=
else
    echo "compiling the installer …" >&2
fi

# Cheap settings: the installer runs for a second, compiling it must not take a minute. Cargo is asked
# where the program lies, because settings of the user may move the target directory.
# shellcheck disable=SC2086
program=$(
    cd -- "$root"
    cargo build $quiet --package trueup-install --profile installer \
        --config 'profile.installer.inherits="dev"' \
        --config 'profile.installer.debug=false' \
        --config 'profile.installer.package."*".opt-level=0' \
        --message-format=json-render-diagnostics |
        sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1
)
if [ -z "$program" ]; then
    echo "error: the installer in $root/install does not compile" >&2
    echo " hint: cargo's own message is above; without network run 'cargo fetch' once while online" >&2
    exit 3
fi

exec "$program" --source "$root" "$@"
