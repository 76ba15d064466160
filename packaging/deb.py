"""A Debian package. dpkg-deb makes it, so it can be made on Debian and its relatives alone."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from bundle import HOMEPAGE, PROGRAMS, SUMMARY, Bundle
from reproducible import compression_level, gzip_bytes, timestamp
from versions import debian_version

MAINTAINER = "The trueup contributors <trueup@users.noreply.github.com>"


def can_pack_deb() -> bool:
    return shutil.which("dpkg-deb") is not None


def pack_deb(bundle: Bundle, out: Path) -> list[Path]:
    """Packs the package of a Linux; other systems have none."""
    architecture = bundle.target.deb_architecture
    if architecture is None:
        return []
    file = out / f"trueup_{debian_version(bundle.version)}_{architecture}.deb"
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "root"
        _lay_out(bundle, root)
        _write(root / "DEBIAN/control", _control(bundle, root).encode())
        _set_times(root)
        # Its own compression is that of every Debian since 2013; zstd is newer.
        how = ["--root-owner-group", "-Zxz", f"-z{compression_level()}"]
        command = ["dpkg-deb", *how, "--build", str(root), str(file)]
        environment = os.environ | {"SOURCE_DATE_EPOCH": str(timestamp())}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return [file]


def _lay_out(bundle: Bundle, root: Path) -> None:
    for program in PROGRAMS:
        _write(root / "usr/bin" / program, bundle.program(program).read_bytes(), 0o755)
    for page in bundle.man_pages():
        compressed = gzip_bytes(page.read_bytes())
        _write(root / f"usr/share/man/man1/{page.name}.gz", compressed)
    for script, place in bundle.completions("vendor-completions"):
        _write(root / "usr/share" / place, script.read_bytes())
    documents = root / "usr/share/doc/trueup"
    _write(documents / "README.md", (bundle.path / "README.md").read_bytes())
    _write(documents / "changelog.gz", gzip_bytes((bundle.path / "CHANGELOG.md").read_bytes()))
    _write(documents / "copyright", _copyright(bundle).encode())


def _control(bundle: Bundle, root: Path) -> str:
    size = sum(file.stat().st_size for file in root.rglob("*") if file.is_file())
    return f"""Package: trueup
Version: {debian_version(bundle.version)}
Architecture: {bundle.target.deb_architecture}
Maintainer: {MAINTAINER}
Installed-Size: {(size + 1023) // 1024}
Recommends: git
Section: devel
Priority: optional
Homepage: {HOMEPAGE}
Description: {SUMMARY}
 Hooks of Claude Code and commands that keep the item, phase and task of
 every session the same in the database, in git and in local files, and
 that refuse a hand-off while they differ.
 .
 Each user registers the plugin with "trueup install".
"""


def _copyright(bundle: Bundle) -> str:
    """Writes the licences in the form that tools of Debian read."""
    mit = (bundle.path / "LICENSE-MIT").read_text()
    paragraphs = [
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        f"Upstream-Name: trueup\nSource: {HOMEPAGE}",
        "Files: *\nCopyright: 2026 The trueup authors\nLicense: Apache-2.0 or Expat",
        "License: Apache-2.0\n On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.",
        "License: Expat\n" + "\n".join(f" {line.strip() or '.'}" for line in mit.strip().split("\n")),
    ]
    return "\n\n".join(paragraphs) + "\n"


def _write(file: Path, data: bytes, mode: int = 0o644) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    file.chmod(mode)


def _set_times(root: Path) -> None:
    for path in [root, *root.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
        os.utime(path, (timestamp(), timestamp()))
