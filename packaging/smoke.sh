#!/bin/sh
# Tries a bundle on the system it was built for: every program starts, the demo runs, and the bundle
# is installed by a user without a toolchain, used and removed.
#
# usage: packaging/smoke.sh BUNDLE
set -eu

bundle=$(CDPATH='' cd -- "$1" && pwd -P)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A user who has nothing but the system.
as_user() { env -i HOME="$scratch/home" PATH=/usr/bin:/bin:/usr/sbin:/sbin "$@"; }

mkdir "$scratch/home"
for program in trueup validate-session-state trueup-hub trueup-install; do
  as_user "$bundle/bin/$program" --version
done
as_user "$bundle/bin/trueup" demo
as_user sh "$bundle/install.sh" --no-claude
installed=$scratch/home/.local/bin/trueup
as_user "$installed" demo
as_user "$installed" uninstall --purge
if [ -e "$installed" ]; then
  echo "error: $installed is still there" >&2
  exit 1
fi
