"""Reading pages back: an HTML parser that knows nothing of how they were made."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

VOID = frozenset({"meta", "br", "input", "link", "img", "hr"})


class Page(HTMLParser):
    """A page, taken apart.

    Attributes:
        tags: The names of all elements.
        ids: Every id.
        links: Every href.
        texts: Pieces of text outside of style and script.
        unbalanced: Elements that were not closed, or closed and not open.
    """

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = source
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.unbalanced: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        self.unbalanced += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._see(tag, attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._see(tag, attrs)

    def _see(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()
        else:
            self.unbalanced.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in {"style", "script"}:
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All of its text."""
        return " ".join(" ".join(self.texts).split())


def checked(source: str) -> Page:
    """A page that is whole, loads nothing and allows nothing but its own style and script."""
    page = Page(source)
    assert page.unbalanced == []
    assert len(page.ids) == len(set(page.ids))
    inner = [link for link in page.links if link.startswith("#")]
    assert all(link[1:] in page.ids for link in inner), page.links
    assert not any(":" in link or link.startswith("/") for link in page.links)
    loading = {name for _, name, _ in page.attributes} & {"src", "srcset", "data", "action"}
    handlers = {name for _, name, _ in page.attributes if name.startswith("on")}
    assert (loading, handlers) == (set(), set())
    assert not {"iframe", "object", "embed", "img", "link", "base"} & set(page.tags)
    assert all(name != "style" for _, name, _ in page.attributes)
    assert not re.search(r"url\(|@import", source)
    [policy] = [v for _, n, v in page.attributes if n == "content" and "default-src" in v]
    assert policy.startswith("default-src 'none'")
    for element in ("style", "script"):
        for inner in re.findall(rf"<{element}>(.*?)</{element}>", source, re.DOTALL):
            digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy
    assert all(c in "\n" or c.isprintable() for c in source)
    return page
