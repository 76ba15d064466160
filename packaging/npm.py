"""npm packages: one for each system, and `trueup`, which brings the one that fits.

npm picks the package of a system by `os` and `cpu`; no script runs at installation, so that it
works where scripts are forbidden. `trueup` is a few lines of JavaScript that start the program.
"""

import io
import json
import tarfile
from pathlib import Path

from bundle import COMMANDS, HOMEPAGE, LICENSE, LICENSES, SUMMARY, Bundle
from readme import registry_readme
from reproducible import add_bytes, add_tree, gzip_bytes

NAME = "trueup"
_SHIM = Path(__file__).parent / "npm_shim"


def pack_npm(bundles: list[Bundle], out: Path) -> list[Path]:
    """Packs the packages of all systems and the one that names them."""
    return [*(_pack_platform(bundle, out) for bundle in bundles), _pack_main(bundles, out)]


def _pack_platform(bundle: Bundle, out: Path) -> Path:
    target = bundle.target
    manifest = _manifest(target.npm_package, bundle.version) | {
        "description": f"The programs of trueup for {target.npm_os} on {target.npm_cpu}",
        "os": [target.npm_os],
        "cpu": [target.npm_cpu],
        # A package manager that keeps packages zipped has to unpack this one.
        "preferUnplugged": True,
    }
    file = out / f"trueup-{target.npm_os}-{target.npm_cpu}-{bundle.version}.tgz"
    with _Package(file, manifest) as tar:
        for name in ("bin", "share"):
            add_tree(tar, bundle.path / name, f"package/{name}")
        _add_documents(tar, bundle, LICENSES)
        readme = f"# {target.npm_package}\n\nThe programs of [trueup]({HOMEPAGE}) for one system.\n"
        add_bytes(tar, "package/README.md", readme.encode())
    return file


def _pack_main(bundles: list[Bundle], out: Path) -> Path:
    version = _one_version(bundles)
    manifest = _manifest(NAME, version) | {
        "description": SUMMARY,
        "keywords": ["claude-code", "hooks", "agents", "claims", "handoff", "sqlite"],
        "bin": {command: f"bin/{command}.cjs" for command in COMMANDS},
        "engines": {"node": ">=18"},
        "optionalDependencies": {bundle.target.npm_package: version for bundle in bundles},
    }
    file = out / f"{NAME}-{version}.tgz"
    with _Package(file, manifest) as tar:
        add_bytes(tar, "package/lib/run.cjs", (_SHIM / "run.cjs").read_bytes())
        for command in COMMANDS:
            shim = (_SHIM / "shim.cjs").read_text().replace("PROGRAM", command)
            add_bytes(tar, f"package/bin/{command}.cjs", shim.encode(), 0o755)
        _add_documents(tar, bundles[0], LICENSES)
        add_bytes(tar, "package/README.md", registry_readme(bundles[0]).encode())
    return file


def _manifest(name: str, version: str) -> dict:
    return {
        "name": name,
        "version": version,
        "license": LICENSE,
        "homepage": HOMEPAGE,
        # The registry accepts a provenance only for the repository that is named here.
        "repository": {"type": "git", "url": f"git+{HOMEPAGE}.git"},
        "publishConfig": {"access": "public"},
    }


def _one_version(bundles: list[Bundle]) -> str:
    (version,) = {bundle.version for bundle in bundles}
    return version


def _add_documents(tar: tarfile.TarFile, bundle: Bundle, names: tuple[str, ...]) -> None:
    for name in names:
        add_bytes(tar, f"package/{name}", (bundle.path / name).read_bytes())


class _Package:
    """A tarball as npm makes it, with its manifest first."""

    def __init__(self, file: Path, manifest: dict):
        self._file, self._manifest, self._buffer = file, manifest, io.BytesIO()

    def __enter__(self) -> tarfile.TarFile:
        self._tar = tarfile.open(fileobj=self._buffer, mode="w", format=tarfile.PAX_FORMAT)
        text = json.dumps(self._manifest, indent=2) + "\n"
        add_bytes(self._tar, "package/package.json", text.encode())
        return self._tar

    def __exit__(self, kind, *_):
        self._tar.close()
        if kind is None:
            self._file.write_bytes(gzip_bytes(self._buffer.getvalue()))
