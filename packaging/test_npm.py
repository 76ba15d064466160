"""npm packages, installed by npm from a registry on loopback."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tarfile
from pathlib import Path

from bundle import COMMANDS
from npm import pack_npm
from registry import Registry
from testing import AARCH64, MACOS, X86_64, PackagingTest, make_bundle


class ContentsTest(PackagingTest):
    def manifest(self, file: Path) -> dict:
        with tarfile.open(file) as tar:
            return json.load(tar.extractfile("package/package.json"))

    def test_one_package_names_those_of_all_systems(self):
        bundles = [make_bundle(self.scratch, triple) for triple in (X86_64, AARCH64, MACOS)]
        *platforms, main = map(self.manifest, pack_npm(bundles, self.scratch))
        named = {manifest["name"]: manifest["version"] for manifest in platforms}
        self.assertEqual(main["optionalDependencies"], named)
        self.assertEqual(set(named), {"@trueup/linux-x64", "@trueup/linux-arm64", "@trueup/darwin-arm64"})
        for manifest in platforms:
            self.assertEqual(manifest["name"], f"@trueup/{manifest['os'][0]}-{manifest['cpu'][0]}")
            self.assertNotIn("libc", manifest)
        for manifest in [main, *platforms]:
            self.assertNotIn("scripts", manifest)


class NpmTest(PackagingTest):
    def setUp(self):
        super().setUp()
        self.need_program("node", "nodejs")
        self.npm = [self.need_program("npm", "npm")]
        self.prefix = self.scratch / "prefix"

    def install(self, bundle, npm=None) -> None:
        out = self.directory("packages")
        pack_npm([bundle], out)
        self.install_from(out, npm)

    def install_from(self, packages: Path, npm=None) -> None:
        """Installs as a user does; only the registry is another one."""
        with Registry(packages) as registry:
            self.run_program(
                *(npm or self.npm), "install", "--global", "--prefix", self.prefix,
                "--registry", registry.url, "--no-audit", "--no-fund", "trueup",
                env=self.environment(npm_config_cache=str(self.scratch / "cache")),
            )

    def start(self, name: str) -> Path:
        return self.prefix / "bin" / name

    def test_the_real_programs_run_the_demo(self):
        file = self.need_package("trueup-linux-x64-*.tgz")
        self.install_from(file.parent)
        version = file.name.removeprefix("trueup-linux-x64-").removesuffix(".tgz")
        self.assertIn(version, self.run_program(self.start("trueup"), "--version"))
        self.run_demo(self.start("trueup"))
        self.install_for_user(self.start("trueup"), "npm")

    def test_two_files_are_enough_without_a_registry(self):
        files = pack_npm([make_bundle(self.scratch)], self.directory("packages"))
        self.run_program(
            *self.npm, "install", "--global", "--prefix", self.prefix, "--offline", *files,
            env=self.environment(npm_config_cache=str(self.scratch / "cache")),
        )
        self.assertEqual(self.run_program(self.start("trueup"), "item"), "trueup npm item\n")

    def test_the_newest_npm_installs_it_too(self):
        """Newer ones run no scripts of packages; none is needed."""
        npm = self.find_newest_npm()
        self.install(make_bundle(self.scratch), npm=npm)
        self.assertEqual(self.run_program(self.start("trueup"), "item"), "trueup npm item\n")

    def find_newest_npm(self) -> list[str]:
        folder = self.directory("newest")
        cache = os.environ.get("npm_config_cache", str(self.scratch / "newest-cache"))
        environment = os.environ | {"HOME": str(self.home), "npm_config_cache": cache}
        command = [*self.npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "npm@latest"]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        if result.returncode != 0:
            self.skip_suite(f"no newest npm to be had: {result.stderr.strip().splitlines()[-1:]}")
        npm = ["node", str(folder / "node_modules/npm/bin/npm-cli.js")]
        version = subprocess.run([*npm, "--version"], capture_output=True, text=True, timeout=60)
        if version.returncode != 0:
            self.skip_suite(f"the newest npm does not run on this node: {version.stderr.strip()}")
        print(f"\nthe newest npm is {version.stdout.strip()}")
        return npm

    def test_arguments_origin_and_code_are_passed_on(self):
        bundle = make_bundle(self.scratch)
        bundle.program("trueup").write_text('#!/bin/sh\necho "$TRUEUP_ORIGIN|$1|$2"; exit 7\n')
        self.install(bundle)
        said = self.run_program(self.start("trueup"), "a b", "*", code=7)
        self.assertEqual(said, "npm|a b|*\n")
        for command in COMMANDS[1:]:
            self.assertEqual(self.run_program(self.start(command), "x"), f"{command} npm x\n")

    def test_standard_input_reaches_the_program(self):
        bundle = make_bundle(self.scratch)
        bundle.program("trueup").write_text("#!/bin/sh\nexec cat\n")
        self.install(bundle)
        self.assertEqual(self.run_program(self.start("trueup"), input="payload"), "payload")

    def test_a_signal_ends_the_program_and_is_reported(self):
        bundle = make_bundle(self.scratch)
        bundle.program("trueup").write_text("#!/bin/sh\necho ready\nexec sleep 60\n")
        self.install(bundle)
        for sent in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(sent):
                self.assertEqual(self.send_signal(sent), ("", -sent))

    def test_a_program_that_handles_a_signal_decides_the_code(self):
        bundle = make_bundle(self.scratch)
        script = "#!/bin/sh\ntrap 'echo ended; exit 9' TERM\necho ready\nwhile :; do sleep 0.1; done\n"
        bundle.program("trueup").write_text(script)
        self.install(bundle)
        self.assertEqual(self.send_signal(signal.SIGTERM), ("ended\n", 9))

    def send_signal(self, sent: signal.Signals) -> tuple[str, int]:
        """Sends the shim a signal; returns what the program says to it, and how the shim ends."""
        shim = subprocess.Popen(
            [str(self.start("trueup"))], env=self.environment(), stdout=subprocess.PIPE,
            bufsize=0, start_new_session=True,
        )
        try:
            self.assertEqual(shim.stdout.readline(), b"ready\n")
            shim.send_signal(sent)
            # The pipe closes only when the program itself is gone too.
            said, _ = shim.communicate(timeout=60)
            return said.decode(), shim.returncode
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shim.pid, signal.SIGKILL)

    def test_a_missing_package_of_the_system_is_explained(self):
        self.install(make_bundle(self.scratch))
        shutil.rmtree(self.prefix / "lib/node_modules/trueup/node_modules/@trueup")
        said = self.run_program(self.start("trueup"), code=3)
        self.assertIn("the package @trueup/linux-x64 is missing", said)
        self.assertIn("--omit=optional", said)

    def test_another_system_is_told_what_there_is(self):
        self.install(make_bundle(self.scratch, MACOS))
        said = self.run_program(self.start("trueup"), code=3)
        self.assertIn("npm has them for darwin-arm64", said)
