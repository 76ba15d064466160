"""A tag is released only if the workspace and the changelog have its version."""

import unittest

from release_notes import ReleaseError, find_notes

CHANGELOG = """# Changelog

## [Unreleased]

## [1.3.0] - 2026-12-01

### Added

- Packages.

## [1.2.0] - 2026-11-01

- Older.

[1.3.0]: https://example.org
"""


class NotesTest(unittest.TestCase):
    def test_only_the_section_of_the_version_is_printed(self):
        self.assertEqual(find_notes("v1.3.0", "1.3.0", CHANGELOG), "### Added\n\n- Packages.\n")
        self.assertEqual(find_notes("v1.2.0", "1.2.0", CHANGELOG), "- Older.\n")

    def test_what_does_not_fit_is_refused(self):
        for tag, version in (("v1.3.0", "1.2.0"), ("v1.4.0", "1.4.0"), ("1.3.0", "1.3.0")):
            with self.subTest(tag), self.assertRaises(ReleaseError):
                find_notes(tag, version, CHANGELOG)
