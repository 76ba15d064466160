"""A directory with everything that is shipped for one system, as build.sh lays it out."""

from dataclasses import dataclass
from pathlib import Path

from targets import TARGETS, Target

HOOKS = ("session-start-sync", "checkpoint-push", "pre-handoff-validate")
COMMANDS = ("trueup", "validate-session-state", "trueup-hub")
INSTALLER = "trueup-install"
PROGRAMS = (*HOOKS, *COMMANDS, INSTALLER)

# The name of each shell's file in a bundle, and where a system looks for it below `share`.
COMPLETIONS = {
    "trueup.bash": "bash-completion/completions/trueup",
    "_trueup": "zsh/{zsh}/_trueup",
    "trueup.fish": "fish/vendor_completions.d/trueup.fish",
}
LICENSES = ("LICENSE-APACHE", "LICENSE-MIT")
DOCUMENTS = ("README.md", "CHANGELOG.md", *LICENSES)

SUMMARY = "Keeps every Claude Code session true to one database"
HOMEPAGE = "https://github.com/trueup/trueup"
LICENSE = "MIT OR Apache-2.0"


class BundleError(Exception):
    """What is wrong with a bundle, or with a package of it."""


@dataclass(frozen=True)
class Bundle:
    """A bundle that is complete."""

    path: Path
    version: str
    target: Target

    @property
    def name(self) -> str:
        return f"trueup-{self.version}-{self.target.triple}"

    def program(self, name: str) -> Path:
        return self.path / "bin" / name

    def man_pages(self) -> list[Path]:
        return sorted((self.path / "share/man/man1").glob("*.1"))

    def completions(self, zsh: str) -> list[tuple[Path, str]]:
        """Returns each completion script and its place below `share`; `zsh` names a directory of zsh."""
        folder = self.path / "share/completions"
        return [(folder / name, place.format(zsh=zsh)) for name, place in COMPLETIONS.items()]


def open_bundle(path: Path) -> Bundle:
    """Opens a bundle; its directory says which version and which system it is of."""
    path = path.resolve()
    for triple, target in TARGETS.items():
        version = path.name.removeprefix("trueup-").removesuffix(f"-{triple}")
        if path.name == f"trueup-{version}-{triple}":
            bundle = Bundle(path, version, target)
            _check_complete(bundle)
            return bundle
    raise BundleError(f"{path}: the name of a bundle is trueup-VERSION-TARGET")


def _check_complete(bundle: Bundle) -> None:
    wanted = [bundle.program(name) for name in PROGRAMS]
    wanted += [script for script, _ in bundle.completions("site-functions")]
    wanted += [bundle.path / name for name in ("install.sh", *DOCUMENTS)]
    missing = [str(file.relative_to(bundle.path)) for file in wanted if not file.is_file()]
    if not bundle.man_pages():
        missing.append("share/man/man1/*.1")
    if missing:
        raise BundleError(f"{bundle.path}: incomplete: {', '.join(missing)}")
