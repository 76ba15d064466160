"""What a registry shows leads to the files of the released version."""

import re
import unittest

from readme import link_to_version
from testing import ROOT


class ReadmeTest(unittest.TestCase):
    def test_paths_become_addresses(self):
        text = "[a](docs/a.md#b) ![p](docs/p.svg) [c](https://x.org) [d](#e)"
        self.assertEqual(
            link_to_version(text, "1.2.3"),
            "[a](https://github.com/trueup/trueup/blob/v1.2.3/docs/a.md#b) "
            "![p](https://raw.githubusercontent.com/trueup/trueup/v1.2.3/docs/p.svg) "
            "[c](https://x.org) [d](#e)",
        )

    def test_no_path_is_left_in_the_readme(self):
        text = link_to_version((ROOT / "README.md").read_text(), "1.2.3")
        self.assertEqual(re.findall(r"\]\((?!https?:|#)[^)]*\)", text), [])
