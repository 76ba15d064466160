"""The workflows of public runners: what they run is pinned, and what they may do is little."""

import re
import shutil
import subprocess

from testing import ROOT, PackagingTest

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


class WorkflowTest(PackagingTest):
    def test_every_action_is_pinned_by_its_commit(self):
        for workflow in WORKFLOWS:
            for line in re.findall(r"uses: (.*)", workflow.read_text()):
                self.assertRegex(line, r"^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", workflow.name)

    def test_an_action_has_one_version(self):
        found: dict[str, set[str]] = {}
        for workflow in WORKFLOWS:
            for name, version in re.findall(r"uses: ([^@]+)@(.*)", workflow.read_text()):
                found.setdefault(name, set()).add(version)
        self.assertEqual({name: pins for name, pins in found.items() if len(pins) > 1}, {})

    def test_zizmor_finds_nothing(self):
        zizmor = shutil.which("zizmor") or self.skip_suite("zizmor is not installed")
        command = [zizmor, "--offline", "--no-progress", "--persona", "pedantic", "--no-config", ".github"]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
