"""The Debian package, unpacked and tried by dpkg."""

import os
import subprocess

from bundle import PROGRAMS
from deb import pack_deb
from testing import MACOS, PackagingTest, make_bundle


class DebTest(PackagingTest):
    def setUp(self):
        super().setUp()
        self.need_program("dpkg-deb", "dpkg")

    def pack(self, bundle):
        (file,) = pack_deb(bundle, self.scratch)
        return file

    def test_the_real_programs_run_the_demo(self):
        file = self.need_package("trueup_*_amd64.deb")
        root = self.directory("root")
        self.run_program("dpkg", "-x", file, root)
        self.run_demo(root / "usr/bin/trueup")
        # Not below /usr here, so it takes itself for an archive.
        self.install_for_user(root / "usr/bin/trueup")

    def test_its_contents_are_where_debian_wants_them(self):
        listing = self.run_program("dpkg-deb", "--contents", self.pack(make_bundle(self.scratch)))
        for program in PROGRAMS:
            self.assertRegex(listing, rf"-rwxr-xr-x root/root .* \./usr/bin/{program}\n")
        for place in (
            "man/man1/trueup.1.gz",
            "bash-completion/completions/trueup",
            "zsh/vendor-completions/_trueup",
            "fish/vendor_completions.d/trueup.fish",
            "doc/trueup/copyright",
            "doc/trueup/changelog.gz",
        ):
            self.assertRegex(listing, rf"-rw-r--r-- root/root .* \./usr/share/{place}\n")

    def test_dpkg_would_install_it(self):
        """As root only: dpkg asks for it even when it changes nothing."""
        if os.geteuid() != 0:
            self.skip_suite("dpkg --dry-run wants root")
        file = self.pack(make_bundle(self.scratch))
        self.run_program(
            "dpkg", "--dry-run", "--install", file,
            env=self.environment(PATH="/usr/sbin:/usr/bin:/sbin:/bin"),
        )

    def test_a_prerelease_is_older_than_the_release(self):
        file = self.pack(make_bundle(self.scratch, version="1.2.3-rc.1"))
        version = self.run_program("dpkg-deb", "--field", file, "Version").strip()
        compare = ["dpkg", "--compare-versions", version, "lt", "1.2.3"]
        self.assertEqual(subprocess.run(compare).returncode, 0, version)

    def test_macos_has_none(self):
        self.assertEqual(pack_deb(make_bundle(self.scratch, MACOS), self.scratch), [])
