"""The archive, unpacked and installed by a user who has neither Cargo nor a checkout."""

import contextlib
import functools
import http.server
import shutil
import subprocess
import threading
import time
from pathlib import Path

from bundle import PROGRAMS
from testing import X86_64, PackagingTest


@contextlib.contextmanager
def serve_directory(directory: Path):
    """Serves the files of a directory on loopback; gives the address."""
    handler = functools.partial(_QuietHandler, directory=str(directory))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *arguments):
        """Says nothing: what failed, the test says."""


class ArchiveTest(PackagingTest):
    def setUp(self):
        super().setUp()
        file = self.need_package(f"trueup-*-{X86_64}.tar.xz")
        subprocess.run(["tar", "-xf", str(file), "-C", str(self.scratch)], check=True)
        self.unpacked = self.scratch / file.name.removesuffix(".tar.xz")

    def test_it_holds_the_bundle(self):
        for program in PROGRAMS[:3]:
            self.assertTrue((self.unpacked / "bin" / program).stat().st_mode & 0o111, program)
        self.run_demo(self.unpacked / "bin/trueup")

    def test_what_is_released_is_what_an_upgrade_installs(self):
        packages = self.need_package("latest.json").parent
        environment = self.environment()
        del environment["TRUEUP_HOME"]
        self.run_program("sh", self.unpacked / "install.sh", "--no-claude", env=environment)
        installed = self.home / ".local/bin/trueup"
        with serve_directory(packages) as address:
            environment["TRUEUP_RELEASES_URL"] = address
            said = self.run_program(installed, "upgrade", "--check", env=environment)
            self.assertIn("is the newest version", said)
            self.run_program(installed, "upgrade", "--force", env=environment)
        self.run_demo(installed, env=environment)

    def test_it_installs_and_uninstalls_without_cargo(self):
        self.assertIsNone(shutil.which("cargo", path=self.environment()["PATH"]))
        environment = self.environment()
        del environment["TRUEUP_HOME"]
        began = time.monotonic()
        self.run_program("sh", self.unpacked / "install.sh", "--no-claude", env=environment)
        print(f"\ninstalled from the archive in {time.monotonic() - began:.1f} s")
        installed = self.home / ".local/bin/trueup"
        # What was unpacked is not needed any more.
        shutil.rmtree(self.unpacked)
        self.run_demo(installed, env=environment)
        self.run_program(installed, "uninstall", "--purge", env=environment)
        self.assertFalse(installed.exists() or installed.is_symlink())
        left = [str(path.relative_to(self.home)) for path in self.home.rglob("*") if path.is_file()]
        self.assertEqual(left, [])
