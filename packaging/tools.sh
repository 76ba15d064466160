#!/bin/sh
# Installs the tools of requirements.txt once, and prints the directory of their programs.
#
# usage: PATH="$(sh packaging/tools.sh):$PATH"
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
tools=${TRUEUP_PACKAGING_TOOLS:-$(dirname -- "$here")/target/packaging/tools}
wanted=$here/requirements.txt

# A copy of the list says that the installation of that list was finished.
if ! cmp -s "$wanted" "$tools/installed.txt"; then
  rm -rf "$tools"
  mkdir -p "$tools"
  python3 -m venv "$tools" >&2
  "$tools/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted" >&2
  cp "$wanted" "$tools/installed.txt"
fi
echo "$tools/bin"
