#!/bin/sh
# Installs trueup. In an unpacked release the programs lie beside this script and are only put in
# place, in seconds; in a checkout they are compiled first. All arguments go to trueup-install;
# `install.sh --help` lists them.
set -eu

self=$(readlink -f -- "$0" 2>/dev/null) || self=$0
here=$(CDPATH='' cd -- "$(dirname -- "$self")" && pwd -P)

if [ -x "$here/bin/trueup-install" ]; then
    exec "$here/bin/trueup-install" "$@"
fi

root=$(dirname -- "$here")
if [ ! -f "$root/Cargo.toml" ]; then
    echo "error: neither bin/trueup-install nor a checkout of trueup lies at $here" >&2
    echo " hint: unpack the archive again and run the install.sh in it" >&2
    exit 3
fi

# Names the command that installs a package on this distribution: $1 for apt, $2 elsewhere.
package_command() {
    for manager in "apt-get:sudo apt install $1" "dnf:sudo dnf install $2" "pacman:sudo pacman -S $2" \
        "apk:apk add $2" "zypper:sudo zypper install $2"; do
        if PATH="$PATH:/usr/bin:/bin" command -v "${manager%%:*}" >/dev/null 2>&1; then
            echo "${manager#*:}"
            return
        fi
    done
    echo "install $2"
}

if ! command -v cargo >/dev/null 2>&1; then
    # rustup puts cargo here and a shell started before that does not know it.
    if [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
        PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
        export PATH
    else
        cat >&2 <<END
error: cargo was not found, and a checkout is compiled.
 hint: unpack a release, whose install.sh needs no compiler; or get a Rust toolchain and run this again:
         $(package_command rustup rustup) && rustup default stable
         elsewhere: https://rustup.rs
END
        exit 3
    fi
fi
if ! command -v cc >/dev/null 2>&1; then
    echo "error: no C compiler was found (cc), and Rust links with it" >&2
    echo " hint: $(package_command 'gcc libc6-dev' gcc)" >&2
    exit 3
fi

# The toolchain is pinned by a file in the repository, so cargo has to start there; the paths that the
# user gave are relative to where they are.
quiet=-q
if [ -t 2 ]; then
    quiet=
else
    echo "compiling the installer …" >&2
fi

# The profile, the packages and with them the features of the programs, and the target that the installer
# is likely to choose for them, so that what both need is compiled once; a wrong guess costs only that.
target="$(uname -m)-unknown-linux-musl"
if command -v musl-gcc >/dev/null 2>&1 && (cd -- "$root" && rustup target list --installed) 2>/dev/null | grep -qx "$target"; then
    # The linker that comes with Rust takes a quarter of the time of that of the system.
    lld=$(cd -- "$root" && rustc --print sysroot)/lib/rustlib/$(uname -m)-unknown-linux-gnu/bin/gcc-ld
    linker=CARGO_TARGET_$(echo "$target" | tr 'a-z-' 'A-Z_')_LINKER
    if [ -z "$(printenv "$linker")" ] && [ -x "$lld/ld.lld" ] &&
        echo 'int main(void) { return 0; }' | PATH="$PATH:$lld" cc -fuse-ld=lld -x c -o /dev/null - 2>/dev/null; then
        PATH="$PATH:$lld"
        export PATH "$linker=$here/cc_with_lld.sh"
    fi
    target="--target $target"
else
    target=
fi

# Cargo is asked where the program lies, because settings of the user may move the target directory.
# shellcheck disable=SC2086
program=$(
    cd -- "$root"
    cargo build $quiet --locked --package trueup-install --package trueup-hooks --package trueup \
        --package trueup-hub --bin trueup-install --profile source $target \
        --message-format=json-render-diagnostics |
        sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1
)
if [ -z "$program" ]; then
    echo "error: the installer in $root/install does not compile" >&2
    echo " hint: cargo's own message is above; without network run 'cargo fetch' once while online" >&2
    exit 3
fi

exec "$program" --source "$root" "$@"
