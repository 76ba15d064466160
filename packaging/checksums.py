"""Digests of what is released: SHA256SUMS for `sha256sum --check`, latest.json for `trueup upgrade`."""

import hashlib
import json
from pathlib import Path

NAME = "SHA256SUMS"
RELEASE_LIST = "latest.json"


def write_checksums(files: list[Path], out: Path) -> Path:
    """Writes the digest of each file, sorted by name."""
    sums = out / NAME
    sums.write_text("".join(f"{digest}  {name}\n" for name, digest in _digests(files)))
    return sums


def write_release_list(files: list[Path], version: str, out: Path) -> Path:
    """Writes what an installed trueup asks for: the version, and the digest of each file."""
    release = out / RELEASE_LIST
    release.write_text(json.dumps({"version": version, "files": dict(_digests(files))}, indent=2) + "\n")
    return release


def _digests(files: list[Path]) -> list[tuple[str, str]]:
    by_name = sorted(files, key=lambda file: file.name)
    return [(file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in by_name]
