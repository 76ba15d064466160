"""SHA256SUMS, for `sha256sum --check` and `trueup upgrade`."""

import hashlib
from pathlib import Path

NAME = "SHA256SUMS"


def write_checksums(files: list[Path], out: Path) -> Path:
    """Writes the digest of each file, sorted by name."""
    lines = []
    for file in sorted(files, key=lambda file: file.name):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        lines.append(f"{digest}  {file.name}\n")
    sums = out / NAME
    sums.write_text("".join(lines))
    return sums
