"""What the tests of packages share: bundles, scratch directories, programs that may be missing."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from bundle import COMPLETIONS, DOCUMENTS, PROGRAMS, Bundle, open_bundle

ROOT = Path(__file__).resolve().parent.parent
REQUIRED = os.environ.get("TRUEUP_REQUIRE_PACKAGING") == "1"

X86_64 = "x86_64-unknown-linux-musl"
AARCH64 = "aarch64-unknown-linux-musl"
MACOS = "aarch64-apple-darwin"


class PackagingTest(unittest.TestCase):
    """A test with a scratch directory, in which HOME lies as well."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="trueup-packaging-")
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name)
        self.home = self.directory("home")

    def directory(self, name: str) -> Path:
        path = self.scratch / name
        path.mkdir(parents=True)
        return path

    def environment(self, **more: str) -> dict[str, str]:
        """Returns the whole environment of a program: a user without Cargo."""
        known = {
            "HOME": str(self.home),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TRUEUP_HOME": str(self.scratch / "state"),
            "TMPDIR": str(self.scratch),
            "LC_ALL": "C.UTF-8",
        }
        return known | more

    def run_program(self, *command, code: int = 0, **options) -> str:
        """Runs a program with the environment of a user; returns what it printed."""
        options.setdefault("env", self.environment())
        options.setdefault("cwd", self.scratch)
        options.setdefault("stdin", subprocess.DEVNULL if "input" not in options else None)
        if "input" in options:
            del options["stdin"]
        result = subprocess.run(
            [str(word) for word in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            **options,
        )
        said = f"{' '.join(map(str, command))}: {result.returncode}\n{result.stdout}"
        self.assertEqual(result.returncode, code, said)
        return result.stdout

    def run_demo(self, *trueup, **options) -> None:
        """Runs the demo, which writes a database, a cache and a repository, and checks its end."""
        said = self.run_program(*trueup, "demo", **options)
        self.assertIn("The copies agree.", said)

    def install_for_user(self, trueup: Path, origin: str | None = None) -> None:
        """Installs from where a package put the programs, tries it, and removes it without a trace."""
        environment = self.environment()
        # Everything lies below HOME, as it does for a user.
        del environment["TRUEUP_HOME"]
        self.run_program(trueup, "install", "--no-claude", env=environment)
        installed = self.home / ".local/bin/trueup"
        self.run_demo(installed, env=environment)
        if origin is not None:
            self.assertIn(origin, self.find_origins())
        self.run_program(installed, "uninstall", "--purge", env=environment)
        left = [str(path.relative_to(self.home)) for path in self.home.rglob("*") if path.is_file()]
        self.assertEqual(left, [])

    def find_origins(self) -> list[str]:
        """Returns what the records of installations below HOME say about where they came from."""
        records = []
        for file in self.home.rglob("*.json"):
            text = file.read_text(errors="replace")
            if '"origin"' in text:
                records.append(json.loads(text)["origin"]["kind"])
        return records

    def skip_suite(self, reason: str) -> None:
        """Skips loudly; fails where everything has to run."""
        if REQUIRED:
            self.fail(f"must not be skipped here: {reason}")
        print(f"\nSKIPPED {self.id()}: {reason}", file=sys.stderr)
        self.skipTest(reason)

    def need_program(self, name: str, package: str) -> str:
        path = shutil.which(name)
        if path is None:
            self.skip_suite(f"{name} is not installed (package {package})")
        return path

    def need_bundle(self, triple: str) -> Bundle:
        path = self.need_bundle_path(triple)
        return open_bundle(path)

    def need_bundle_path(self, triple: str) -> Path:
        """Returns the directory of a bundle that check.sh built; it may be incomplete."""
        folder = Path(os.environ.get("TRUEUP_BUNDLES", "/nonexistent"))
        found = sorted(folder.glob(f"trueup-*-{triple}"))
        if not found:
            self.skip_suite(f"no bundle for {triple} (see packaging/check.sh)")
        return found[-1]

    def need_package(self, pattern: str) -> Path:
        """Returns a package of the real programs, which check.sh had pack.py make."""
        folder = Path(os.environ.get("TRUEUP_PACKAGES", "/nonexistent"))
        found = sorted(folder.glob(pattern))
        if not found:
            self.skip_suite(f"no package {pattern} (see packaging/check.sh)")
        return found[-1]


def make_bundle(folder: Path, triple: str = X86_64, version: str = "1.2.3") -> Bundle:
    """Lays out a complete bundle whose programs print their names."""
    path = folder / f"trueup-{version}-{triple}"
    (path / "bin").mkdir(parents=True)
    (path / "share/man/man1").mkdir(parents=True)
    (path / "share/completions").mkdir()
    for program in PROGRAMS:
        _write_program(path / "bin" / program, f'echo "{program} $TRUEUP_ORIGIN $*"\n')
    _write_program(path / "install.sh", "")
    for name in DOCUMENTS:
        (path / name).write_text(f"{name}\n")
    for name in COMPLETIONS:
        (path / "share/completions" / name).write_text(f"# {name}\n")
    (path / "share/man/man1/trueup.1").write_text(".TH TRUEUP 1\n")
    return open_bundle(path)


def _write_program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)
