"""A bundle is refused unless it is complete, and packages of it are the same every time."""

import hashlib
import os
import subprocess
import sys
import tarfile
import unittest
from unittest import mock

from archive import pack_archive
from bundle import BundleError, open_bundle
from checksums import write_checksums
from deb import can_pack_deb
from pack import pack
from testing import AARCH64, MACOS, ROOT, PackagingTest, make_bundle
from versions import debian_version, python_version


class BundleTest(PackagingTest):
    def test_a_missing_program_is_named(self):
        bundle = make_bundle(self.scratch)
        bundle.program("trueup-hub").unlink()
        with self.assertRaisesRegex(BundleError, "incomplete: bin/trueup-hub"):
            open_bundle(bundle.path)

    def test_the_directory_says_what_it_is(self):
        bundle = make_bundle(self.scratch, MACOS, "1.2.3-rc.1")
        self.assertEqual((bundle.version, bundle.target.npm_os), ("1.2.3-rc.1", "darwin"))
        with self.assertRaisesRegex(BundleError, "trueup-VERSION-TARGET"):
            open_bundle(self.directory("trueup-1.2.3"))

    def test_bundles_of_two_versions_are_no_release(self):
        one, other = make_bundle(self.scratch), make_bundle(self.scratch, AARCH64, "1.2.4")
        pack_py = ROOT / "packaging/pack.py"
        said = self.run_program(
            sys.executable, pack_py, one.path, other.path, "--out", self.scratch / "out", code=1
        )
        self.assertIn("one version", said)


class ReproducibleTest(PackagingTest):
    def pack_all(self, name: str) -> dict[str, str]:
        bundle = make_bundle(self.directory(f"bundles-{name}"))
        out = self.directory(f"out-{name}")
        with mock.patch.dict(os.environ, SOURCE_DATE_EPOCH="1700000000"):
            files = pack([bundle], ("archive", "npm", "wheel", "deb"), out)
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    def test_every_package_comes_out_the_same_again(self):
        before = os.umask(0o022)
        try:
            first = self.pack_all("first")
            os.umask(0o077)
            second = self.pack_all("second")
        finally:
            os.umask(before)
        self.assertEqual(first, second)
        self.assertEqual(len(first), 5 if can_pack_deb() else 4)

    def test_an_archive_tells_nothing_of_who_packed_it(self):
        (file,) = pack_archive(make_bundle(self.scratch), self.scratch)
        with tarfile.open(file) as tar:
            members = tar.getmembers()
        owners = {(member.uid, member.gid, member.uname, member.mtime) for member in members}
        self.assertEqual(owners, {(0, 0, "", 315532800)})
        self.assertEqual([m.name for m in members], sorted(m.name for m in members))

    def test_the_sums_are_those_that_sha256sum_checks(self):
        files = pack_archive(make_bundle(self.scratch), self.scratch)
        sums = write_checksums(files, self.scratch)
        check = ["sha256sum", "--check", "--strict", sums.name]
        subprocess.run(check, check=True, cwd=self.scratch, stdout=subprocess.DEVNULL)


class VersionTest(unittest.TestCase):
    def test_a_prerelease_is_older_everywhere(self):
        self.assertEqual(python_version("1.2.3-rc.1"), "1.2.3rc1")
        self.assertEqual(debian_version("1.2.3-rc.1"), "1.2.3~rc.1")
        self.assertEqual(python_version("1.2.3"), "1.2.3")
        with self.assertRaises(ValueError):
            debian_version("1.2.3-nightly")


if __name__ == "__main__":
    unittest.main()
