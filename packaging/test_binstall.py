"""What `cargo binstall` is told fits what is packed."""

import re
import tarfile
import tomllib

from archive import archive_name, pack_archive
from testing import AARCH64, MACOS, ROOT, X86_64, PackagingTest, make_bundle


class BinstallTest(PackagingTest):
    def setUp(self):
        super().setUp()
        self.package = tomllib.loads((ROOT / "cli/Cargo.toml").read_text())["package"]
        self.metadata = self.package["metadata"]["binstall"]

    def expand(self, template: str, **values: str) -> str:
        return re.sub(r"\{ ([a-z-]+) \}", lambda match: values[match[1]], template)

    def test_the_address_is_that_of_the_archive(self):
        for triple in (X86_64, AARCH64, MACOS):
            bundle = make_bundle(self.scratch, triple)
            url = self.expand(
                self.metadata["pkg-url"], repo="https://example.org/x", version="1.2.3", target=triple
            )
            self.assertEqual(
                url, f"https://example.org/x/releases/download/v1.2.3/{archive_name(bundle)}"
            )
        self.assertEqual(self.metadata["pkg-fmt"], "txz")

    def test_the_programs_lie_where_it_looks(self):
        (file,) = pack_archive(make_bundle(self.scratch), self.scratch)
        with tarfile.open(file) as tar:
            names = tar.getnames()
        for program in ("trueup", "validate-session-state"):
            values = {"bin": program, "binary-ext": "", "version": "1.2.3", "target": X86_64}
            self.assertIn(self.expand(self.metadata["bin-dir"], **values), names)
