"""A Python wheel that brings all programs, for pip, pipx and uv: it holds no Python."""

import base64
import hashlib
import time
import zipfile
from pathlib import Path

from bundle import HOMEPAGE, LICENSE, LICENSES, PROGRAMS, SUMMARY, Bundle
from readme import registry_readme
from reproducible import compression_level, timestamp
from versions import python_version


def pack_wheel(bundle: Bundle, out: Path) -> list[Path]:
    """Packs the wheel of a system."""
    version = python_version(bundle.version)
    tags = bundle.target.wheel_tags
    file = out / f"trueup-{version}-py3-none-{'.'.join(tags)}.whl"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        wheel = _Wheel(archive)
        _add_contents(wheel, bundle, f"trueup-{version}.data")
        _add_metadata(wheel, bundle, f"trueup-{version}.dist-info")
    return [file]


def _add_contents(wheel: "_Wheel", bundle: Bundle, folder: str) -> None:
    for program in PROGRAMS:
        wheel.add(f"{folder}/scripts/{program}", bundle.program(program).read_bytes(), 0o755)
    # Below the prefix of the environment, where a shell finds them with `pip install --user`.
    for page in bundle.man_pages():
        wheel.add(f"{folder}/data/share/man/man1/{page.name}", page.read_bytes())
    for script, place in bundle.completions("site-functions"):
        wheel.add(f"{folder}/data/share/{place}", script.read_bytes())


def _add_metadata(wheel: "_Wheel", bundle: Bundle, folder: str) -> None:
    for name in LICENSES:
        wheel.add(f"{folder}/licenses/{name}", (bundle.path / name).read_bytes())
    wheel.add(f"{folder}/METADATA", _metadata(bundle).encode())
    wheel.add(f"{folder}/WHEEL", _description(bundle.target.wheel_tags).encode())
    wheel.add_record(f"{folder}/RECORD")


def _metadata(bundle: Bundle) -> str:
    fields = [
        "Metadata-Version: 2.4",
        "Name: trueup",
        f"Version: {python_version(bundle.version)}",
        f"Summary: {SUMMARY}",
        f"License-Expression: {LICENSE}",
        *(f"License-File: {name}" for name in LICENSES),
        f"Project-URL: Homepage, {HOMEPAGE}",
        f"Project-URL: Changelog, {HOMEPAGE}/blob/main/CHANGELOG.md",
        "Requires-Python: >=3.8",
        "Description-Content-Type: text/markdown",
    ]
    return "\n".join(fields) + "\n\n" + registry_readme(bundle)


def _description(tags: tuple[str, ...]) -> str:
    lines = ["Wheel-Version: 1.0", "Generator: trueup packaging", "Root-Is-Purelib: false"]
    return "\n".join(lines + [f"Tag: py3-none-{tag}" for tag in tags]) + "\n"


class _Wheel:
    """A zip that notes what is in it."""

    def __init__(self, archive: zipfile.ZipFile):
        self._archive = archive
        self._record: list[str] = []

    def add(self, name: str, data: bytes, mode: int = 0o644) -> None:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        self._record.append(f"{name},sha256={digest},{len(data)}")
        self._write(name, data, mode)

    def add_record(self, name: str) -> None:
        """Writes the list last: it holds no digest of itself."""
        self._write(name, "\n".join([*self._record, f"{name},,", ""]).encode(), 0o644)

    def _write(self, name: str, data: bytes, mode: int) -> None:
        entry = zipfile.ZipInfo(name, time.gmtime(timestamp())[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.create_system = 3  # Unix, whose modes follow
        entry.external_attr = (0o100000 | mode) << 16
        self._archive.writestr(entry, data, compresslevel=compression_level())
