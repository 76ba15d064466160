"""The archive of a release: the bundle itself, as a tar.xz."""

import lzma
import tarfile
from pathlib import Path

from bundle import Bundle
from reproducible import add_tree, compression_level


def archive_name(bundle: Bundle) -> str:
    return f"{bundle.name}.tar.xz"


def pack_archive(bundle: Bundle, out: Path) -> list[Path]:
    """Packs the archive; the programs share most of their code, which a large window finds."""
    file = out / archive_name(bundle)
    with lzma.open(file, "wb", preset=compression_level()) as stream:
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
            add_tree(tar, bundle.path, bundle.name)
    return [file]
