"""Follows every link between the pages of a built site: to the file, and to the heading in it.

usage: site_links.py DIR
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links of a page, and what a link may name in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes the ids and the links of a tag."""
        values = dict(attrs)
        if values.get("id"):
            self.anchors.add(values["id"] or "")
        link = values.get("href" if tag in ("a", "link") else "src")
        if link and tag in ("a", "img", "link", "script"):
            self.links.append(link)


def find_broken(site: Path) -> tuple[int, list[str]]:
    """Returns how many links were followed, and those that lead nowhere."""
    pages = {path.resolve(): Page(path) for path in sorted(site.rglob("*.html"))}
    followed, broken = 0, []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            # The page for wrong addresses knows its place on the server alone.
            if parts.scheme or parts.netloc or link.startswith("/") or path.name == "404.html":
                continue
            followed += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target = target / "index.html"
            fragment = unquote(parts.fragment)
            known = pages[target].anchors if target in pages else set()
            if not target.is_file() or (fragment and target in pages and fragment not in known):
                broken.append(f"{path.relative_to(site.resolve())}: {link}")
    return followed, broken


def main() -> int:
    """Prints what leads nowhere."""
    followed, broken = find_broken(Path(sys.argv[1]))
    for line in broken:
        print(f"leads nowhere: {line}")
    print(f"{followed} links followed, {len(broken)} lead nowhere")
    # A site without links was not built.
    return 1 if broken or followed < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
