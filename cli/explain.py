"""`kerasir inspect --lint --explain CODE`: what a code of the report means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import UsageError
from .console import Console, wrapped
from .values import near

CODES = Path(__file__).parents[1] / "docs" / "report-codes.md"
"""The document, which is shipped: what it says and what is printed cannot differ."""
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


class Explained(NamedTuple):
    """A code.

    Attributes:
        code: Such as `KP201`.
        kind: What sort of event it is: `Assumed`, `Changed`, …
        says: What it says.
        title: What the advice is about: `what to do`, `why it is safe`.
        advice: The advice; "" if there is none.
    """

    code: str
    kind: str
    says: str
    title: str
    advice: str


def explained(code: str) -> Explained:
    """What a code means.

    Raises:
        UsageError: There is none of that name.
    """
    known = {one.code: one for one in _all(CODES.read_text(encoding="utf-8"))}
    found = known.get(code.upper())
    if found is None:
        hint = near(code.upper(), list(known)) or "docs/report-codes.md lists them"
        raise UsageError(f"no code {code!r}", where="--explain", hint=hint)
    return found


def _all(document: str) -> Iterator[Explained]:
    """The rows of the document's tables, under the headings that they stand under."""
    kind = title = ""
    for line in document.splitlines():
        cells = [_plain(cell) for cell in line.strip("|").split("|")]
        if line.startswith("#"):
            kind = line.lstrip("# ")
        elif line.startswith("| code |"):
            title = cells[2]
        elif re.match(r"\| K[A-Z]\d{3} \|", line):
            yield Explained(cells[0], kind, cells[1], title, cells[2])


def _plain(text: str) -> str:
    """Markdown as people read it: links by their words, code without its marks."""
    return _LINK.sub(r"docs/\1", text).replace("`", "").strip()


def print_explained(console: Console, found: Explained) -> None:
    """A page about it."""
    width = None if console.width is None else console.width - 2
    console.print(f"{console.paint(found.code, 'cyan')}   {found.kind}")
    for title, text in (("", found.says), (found.title, found.advice)):
        if text:
            console.print()
            if title:
                console.print("  " + console.paint(title, "dim"))
            for line in wrapped(text, width):
                console.print(f"  {line}")
