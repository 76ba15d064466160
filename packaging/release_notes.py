#!/usr/bin/env python3
"""Prints what CHANGELOG.md says of a release; fails unless its tag names the version of the workspace."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class ReleaseError(Exception):
    """Why this tag cannot be released."""


def find_notes(tag: str, version: str, changelog: str) -> str:
    """Returns the section of a version, without its heading."""
    if tag != f"v{version}":
        raise ReleaseError(f"the tag is {tag}, and Cargo.toml has version {version}")
    heading = rf"^## \[{re.escape(version)}\][^\n]*\n(.*?)(?=^## |^\[|\Z)"
    match = re.search(heading, changelog, re.MULTILINE | re.DOTALL)
    if not match or not match[1].strip():
        raise ReleaseError(f"CHANGELOG.md has no section [{version}], or an empty one")
    return match[1].strip() + "\n"


def main() -> int:
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]
    changelog = (ROOT / "CHANGELOG.md").read_text()
    try:
        print(find_notes(sys.argv[1], workspace["package"]["version"], changelog), end="")
    except ReleaseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
