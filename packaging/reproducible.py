"""Files that come out the same, byte for byte, wherever and whenever they are made."""

import gzip
import io
import os
import tarfile
from pathlib import Path

# 1980-01-01, the oldest time that a zip can hold.
_OLDEST = 315532800


def timestamp() -> int:
    """Returns the time that files in a package get: SOURCE_DATE_EPOCH, that of the commit."""
    return max(int(os.environ.get("SOURCE_DATE_EPOCH", _OLDEST)), _OLDEST)


def compression_level() -> int:
    """Returns how hard to compress, 1 to 9; tests have no use for minutes of it."""
    return int(os.environ.get("TRUEUP_PACKAGING_COMPRESSION", "9"))


def mode_of(path: Path) -> int:
    """Returns the mode that a file gets: whoever packs may have another umask."""
    return 0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644


def add_tree(tar: tarfile.TarFile, root: Path, prefix: str) -> None:
    """Adds a directory and what is in it, sorted, below a prefix."""
    for path in [root, *sorted(root.rglob("*"))]:
        relative = path.relative_to(root)
        name = prefix if path == root else f"{prefix}/{relative.as_posix()}"
        if path.is_dir():
            entry = tarfile.TarInfo(name)
            entry.type = tarfile.DIRTYPE
            entry.mode, entry.mtime = 0o755, timestamp()
            tar.addfile(entry)
        else:
            add_bytes(tar, name, path.read_bytes(), mode_of(path))


def add_bytes(tar: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    """Adds a file that belongs to root; its owner here tells nothing to anyone."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(data), mode, timestamp()
    tar.addfile(entry, io.BytesIO(data))


def gzip_bytes(data: bytes) -> bytes:
    """Compresses without a name and a time."""
    return gzip.compress(data, compression_level(), mtime=0)
