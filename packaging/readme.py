"""The README outside the repository, where a path into it leads nowhere.

usage: readme.py README VERSION    prints it with links to the files of that version
"""

import re
import sys
from pathlib import Path

from bundle import HOMEPAGE, Bundle

# An image or a link whose target is neither an address nor a part of the page.
_RELATIVE = re.compile(r"(!?)\[((?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*)\]\((?!https?:|#|mailto:)([^)\s]+)\)")
_RAW = HOMEPAGE.replace("github.com", "raw.githubusercontent.com")


def registry_readme(bundle: Bundle) -> str:
    """Returns the README with links to the files of its version."""
    return link_to_version((bundle.path / "README.md").read_text(), bundle.version)


def link_to_version(text: str, version: str) -> str:
    def replace(match: re.Match) -> str:
        mark, label, target = match.groups()
        base = f"{_RAW}/v{version}" if mark else f"{HOMEPAGE}/blob/v{version}"
        return f"{mark}[{label}]({base}/{target})"

    return _RELATIVE.sub(replace, text)


if __name__ == "__main__":
    sys.stdout.write(link_to_version(Path(sys.argv[1]).read_text(), sys.argv[2]))
