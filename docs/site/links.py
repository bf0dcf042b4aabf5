"""Follows every link of a built site that stays in it, anchors too, and sees that no page loads anything from a network.

Usage: links.py HTML; prints what is wrong, exit code 1 if anything is.
"""

import html.parser
import pathlib
import sys
import urllib.parse

root = pathlib.Path(sys.argv[1]).resolve()


class Page(html.parser.HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = {"", "top"}
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        values = dict(attributes)
        self.anchors.update(values[key] for key in ("id", "name") if values.get(key))
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        loaded = values.get("src") or (values.get("href") if tag == "link" and values.get("rel") != "canonical" else None)
        if loaded:
            self.loads.append(loaded)


pages = {path: Page(path.read_text(encoding="utf-8")) for path in root.rglob("*.html")}
wrong = []
for path, page in pages.items():
    for link in {*page.links, *page.loads}:
        parts = urllib.parse.urlsplit(link)
        if parts.scheme or parts.netloc:
            if link in page.loads and parts.scheme != "data":
                wrong.append(f"{path.relative_to(root)} loads {link}")
            continue
        target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
        if target.is_dir():
            target /= "index.html"
        if not target.exists():
            wrong.append(f"{path.relative_to(root)}: {link} is not there")
        elif target in pages and urllib.parse.unquote(parts.fragment) not in pages[target].anchors:
            wrong.append(f"{path.relative_to(root)}: {link} has no such heading")
print("\n".join(f"links: {line}" for line in sorted(wrong)), end="\n" if wrong else "")
print(f"links: {len(pages)} pages, {sum(len(page.links) for page in pages.values())} links")
sys.exit(bool(wrong))
