"""Programs of systems that this machine is not: run under an emulator, or read."""

import json
import os
import platform
import subprocess
import sys

from bundle import HOOKS, PROGRAMS
from executables import parse_elf, parse_mach_o
from testing import AARCH64, MACOS, ROOT, X86_64, PackagingTest

SESSION = "5f0c1b52-6a0d-4c0e-9d0e-2f6f3e0f7a11"


class LinuxHeadersTest(PackagingTest):
    def test_programs_are_static_and_stay_where_they_were_linked(self):
        """What replaces the flags of .cargo/config.toml replaces this too (ADR 0015)."""
        for triple in (X86_64, AARCH64):
            with self.subTest(triple):
                bundle = self.need_bundle(triple)
                for program in PROGRAMS:
                    elf = parse_elf(bundle.program(program).read_bytes())
                    machine = triple.split("-")[0]
                    found = (elf.machine, elf.is_static, elf.has_fixed_address)
                    self.assertEqual(found, (machine, True, True), program)


class EmulatedTest(PackagingTest):
    """The programs for aarch64, under qemu where the machine is another one.

    `orchestrator start` is left out: qemu knows no child subreaper (`prctl` 36) up to version 7.2.
    """

    def setUp(self):
        super().setUp()
        self.bundle = self.need_bundle(AARCH64)
        self.emulator = []
        if platform.machine() != "aarch64":
            self.emulator = [self.need_program("qemu-aarch64-static", "qemu-user-static")]
        self.repository = self.directory("repository")
        self.run_program("git", "init", "--quiet", self.repository)

    def run_emulated(self, program: str, *arguments: str, **options) -> str:
        path = self.bundle.program(program)
        return self.run_program(*self.emulator, path, *arguments, cwd=self.repository, **options)

    def test_every_program_starts(self):
        for program in PROGRAMS:
            if program not in HOOKS:
                self.assertIn(self.bundle.version, self.run_emulated(program, "--version"))

    def test_the_demo_runs(self):
        self.run_demo(*self.emulator, self.bundle.program("trueup"))

    def test_a_session_starts_and_claims_an_item(self):
        self.run_emulated("trueup", "db", "migrate")
        self.run_emulated("trueup", "item", "add", "SD-001", "--title", "First")
        payload = {
            "session_id": SESSION,
            "transcript_path": str(self.scratch / "transcript.jsonl"),
            "cwd": str(self.repository),
            "hook_event_name": "SessionStart",
            "source": "startup",
        }
        said = self.run_emulated("session-start-sync", input=json.dumps(payload))
        answer = json.loads(said)["hookSpecificOutput"]
        self.assertIn(f"this is session {SESSION}", answer["additionalContext"])
        self.run_emulated("trueup", "claim", "SD-001", "--session", SESSION)
        status = json.loads(self.run_emulated("trueup", "status", "--json"))
        self.assertEqual(status["data"]["session"]["item"], "SD-001")

    def test_it_installs_and_uninstalls(self):
        """The installer starts the programs that it installed, which needs a registered emulator."""
        prefix = self.register_emulator() if self.emulator else []
        environment = self.environment()
        del environment["TRUEUP_HOME"]
        install = self.bundle.path / "install.sh"
        self.run_program(*prefix, "sh", install, "--no-claude", env=environment)
        installed = self.home / ".local/bin/trueup"
        self.run_demo(*prefix, installed, env=environment)
        self.run_program(*prefix, installed, "uninstall", "--purge", env=environment)
        self.assertFalse(installed.is_symlink())

    def register_emulator(self) -> list[str]:
        """Returns what runs a command where programs of aarch64 start by themselves."""
        prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh"]
        prefix.append(str(ROOT / "packaging/binfmt.sh"))
        probe = subprocess.run([*prefix, "true"], capture_output=True, text=True)
        if probe.returncode != 0:
            # Containers and older kernels forbid it; nothing that could be installed helps.
            reason = f"no binfmt_misc in a user namespace: {probe.stderr.strip()}"
            print(f"\nSKIPPED {self.id()}: {reason}", file=sys.stderr)
            self.skipTest(reason)
        return prefix


class MacosTest(PackagingTest):
    """Links and headers. Nothing here can run it: release.yml does, on a machine of its kind."""

    def test_headers_and_signatures(self):
        path = self.need_bundle_path(MACOS)
        programs = sorted(path.glob("bin/*"))
        self.assertLessEqual({"trueup", *HOOKS}, {program.name for program in programs})
        for program in programs:
            mach_o = parse_mach_o(program.read_bytes())
            self.assertEqual(mach_o.machine, "arm64", program.name)
            self.assertEqual(mach_o.minimum, (11, 0), program.name)
            self.assertTrue(mach_o.is_signed_ad_hoc, program.name)
            for library in mach_o.libraries:
                self.assertRegex(library, r"^/(usr/lib|System/Library)/", program.name)
        if os.uname().sysname != "Darwin":
            print(f"\nNOT RUN: {len(programs)} programs for macOS were linked and read, not started")
