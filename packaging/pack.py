#!/usr/bin/env python3
"""Makes every package of a release from bundles that build.sh laid out.

Each kind has a module of its own; all of them are files that come out the same again from the same
bundles with the same SOURCE_DATE_EPOCH.
"""

import argparse
import sys
from pathlib import Path

from archive import pack_archive
from bundle import Bundle, BundleError, open_bundle
from checksums import write_checksums, write_release_list
from deb import can_pack_deb, pack_deb
from npm import pack_npm
from wheel import pack_wheel

KINDS = ("archive", "npm", "wheel", "deb")


def main() -> int:
    arguments = _parse_arguments()
    try:
        bundles = [open_bundle(path) for path in arguments.bundles]
        if len({bundle.version for bundle in bundles}) != 1:
            raise BundleError("bundles of one release have one version")
    except BundleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    arguments.out.mkdir(parents=True, exist_ok=True)
    files = pack(bundles, arguments.kinds or KINDS, arguments.out)
    packages = list(files)
    files.append(write_release_list(packages, bundles[0].version, arguments.out))
    files.append(write_checksums(files, arguments.out))
    for file in files:
        print(f"{file.stat().st_size:>10} {file}")
    return 0


def pack(bundles: list[Bundle], kinds: tuple[str, ...], out: Path) -> list[Path]:
    """Packs these kinds; returns the files."""
    files = []
    for bundle in bundles:
        if "archive" in kinds:
            files += pack_archive(bundle, out)
        if "wheel" in kinds:
            files += pack_wheel(bundle, out)
        if "deb" in kinds and can_pack_deb():
            files += pack_deb(bundle, out)
    if "npm" in kinds:
        files += pack_npm(bundles, out)
    if "deb" in kinds and not can_pack_deb():
        print("SKIPPED the Debian package: there is no dpkg-deb", file=sys.stderr)
    return files


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Makes packages from bundles.")
    parser.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    parser.add_argument("--kind", action="append", choices=KINDS, dest="kinds")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
