#!/bin/sh
# Checks what is linked: its licences, what is banned, where it comes from, and known weaknesses.
# cargo-deny is taken from the tools of packaging, unless it is installed.
#
# usage: tests/dependencies.sh    TRUEUP_REQUIRE_PACKAGING=1: fail instead of skipping
set -eu
cd "$(dirname "$0")/.."

if ! command -v cargo-deny >/dev/null 2>&1; then
  if tools=$(sh packaging/tools.sh); then
    PATH=$tools:$PATH
  else
    echo "SKIPPED cargo deny: the tools of packaging/requirements.txt cannot be installed" >&2
    [ "${TRUEUP_REQUIRE_PACKAGING:-}" != 1 ]
    exit
  fi
fi
cargo deny --locked check --hide-inclusion-graph licenses bans sources

# The database of weaknesses is a repository of its own, which not every machine can fetch.
if said=$(cargo deny --locked fetch db 2>&1); then
  cargo deny --locked check --disable-fetch advisories
else
  echo "SKIPPED advisories: their database cannot be fetched; nothing is known of weaknesses here" >&2
  echo "$said" | tail -n 3 >&2
fi
