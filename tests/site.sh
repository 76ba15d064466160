#!/bin/sh
# Builds the site of the manual, and follows every link in it. mdBook is taken from the tools of
# packaging, unless it is installed.
#
# usage: tests/site.sh    TRUEUP_REQUIRE_PACKAGING=1: fail instead of skipping
set -eu
cd "$(dirname "$0")/.."

if ! command -v mdbook >/dev/null 2>&1; then
  if tools=$(sh packaging/tools.sh); then
    PATH=$tools:$PATH
  else
    echo "SKIPPED the site of the manual: the tools of packaging/requirements.txt cannot be installed" >&2
    [ "${TRUEUP_REQUIRE_PACKAGING:-}" != 1 ]
    exit
  fi
fi
site=$PWD/target/site
rm -rf "$site"
mdbook build --dest-dir "$site" 2>&1
exec python3 tests/site_links.py "$site"
