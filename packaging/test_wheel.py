"""The wheel, installed by pip and run by uvx."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from bundle import PROGRAMS
from testing import MACOS, PackagingTest, make_bundle
from wheel import pack_wheel

WHEEL = "trueup-*x86_64.whl"


class ContentsTest(PackagingTest):
    def test_the_tags_are_those_of_the_name(self):
        (file,) = pack_wheel(make_bundle(self.scratch, MACOS, "1.2.3-rc.1"), self.scratch)
        self.assertEqual(file.name, "trueup-1.2.3rc1-py3-none-macosx_11_0_arm64.whl")
        with zipfile.ZipFile(file) as archive:
            text = archive.read("trueup-1.2.3rc1.dist-info/WHEEL").decode()
        self.assertIn("Tag: py3-none-macosx_11_0_arm64\n", text)


class InstallTest(PackagingTest):
    def make_environment(self) -> Path:
        """Makes a virtual environment; returns the directory of its programs."""
        folder = self.scratch / "venv"
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=300)
        return folder / "bin"

    def pip_install(self, file: Path) -> Path:
        programs = self.make_environment()
        self.run_program(
            programs / "pip", "install", "--no-index", "--disable-pip-version-check",
            "--find-links", file.parent, "trueup",
        )
        return programs

    def test_the_real_programs_run_the_demo(self):
        file = self.need_package(WHEEL)
        programs = self.pip_install(file)
        self.assertIn(file.name.split("-")[1], self.run_program(programs / "trueup", "--version"))
        self.run_demo(programs / "trueup")
        self.install_for_user(programs / "trueup", "pypi")

    def test_all_is_installed_and_removed(self):
        programs = self.pip_install(*pack_wheel(make_bundle(self.scratch), self.scratch))
        for program in PROGRAMS:
            self.assertEqual(self.run_program(programs / program).strip(), program)
        share = programs.parent / "share"
        self.assertTrue((share / "man/man1/trueup.1").is_file())
        self.assertTrue((share / "bash-completion/completions/trueup").is_file())
        self.run_program(programs / "pip", "uninstall", "--yes", "trueup")
        self.assertFalse((programs / "trueup").exists())
        self.assertFalse((share / "man/man1/trueup.1").exists())

    def test_uvx_runs_it(self):
        file = self.need_package(WHEEL)
        uvx = shutil.which("uvx") or self.skip_suite("uvx is not installed (pip install uv)")
        environment = self.environment(
            PATH=f"{os.path.dirname(sys.executable)}:/usr/bin:/bin",
            UV_CACHE_DIR=str(self.scratch / "cache"),
            UV_TOOL_DIR=str(self.scratch / "tools"),
            UV_PYTHON_DOWNLOADS="never",
        )
        command = (uvx, "--offline", "--no-config", "--from", file, "trueup")
        said = self.run_program(*command, "--version", env=environment)
        self.assertIn(file.name.split("-")[1], said)
        self.run_demo(*command, env=environment)
