"""Layout tags in a page: what differs between before and after is marked, sizes are dimmed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Literal

from .markup import Markup, el, text

Mark = Literal["", "rev", "perm", "rows"]
"""Reversed, permuted, rows reordered: as the colours of the pages are called."""

_TOKEN = re.compile(r"~?[\w.']+(?:\[[^\]]*\])?(?::[\d?]+)?|[(){}|]|\S")


def tag(layout: str, marks: Mapping[str, Mark] | None = None, element: str = "span") -> Markup:
    """A layout as text with its terms marked.

    Args:
        layout: In the notation: `(C:128 H:8 W:8) O:256`.
        marks: By the name of an axis; without them only what is reversed is marked.
        element: `span` in HTML, `tspan` in SVG.
    """
    known = marks if marks is not None else dict.fromkeys(_reversed(layout), "rev")
    parts, before = [], ""
    for token in _TOKEN.findall(layout):
        blank = "" if not before or before in "({" or token in ")}" else " "
        name, colon, size = token.partition(":")
        sized = el(element, colon + size, class_="sz") if colon else None
        mark = known.get(_axis(token), "")
        body = el(element, name, sized, class_=f"t {mark}") if mark else text(name) + (sized or "")
        parts.append(blank + body)
        before = token
    return Markup("".join(parts))


def marks(before: str, after: str) -> dict[str, Mark]:
    """What happened to each axis between two layouts of the same axes."""
    old, new = _terms(before), _terms(after)
    found: dict[str, Mark] = {}
    keys = [[frozenset(map(_axis, term)) for term in side] for side in (old, new)]
    kept = {
        keys[0][block.a + i]
        for block in SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_matching_blocks()
        for i in range(block.size)
    }
    inner = {frozenset(map(_axis, term)): list(map(_axis, term)) for term in old}
    for term, key in zip(new, keys[1], strict=True):
        if key not in kept:
            found |= dict.fromkeys(key, "perm")
        if len(term) > 1 and inner.get(key, list(map(_axis, term))) != list(map(_axis, term)):
            found |= dict.fromkeys(key, "rows")
    turned = _reversed(before) ^ _reversed(after)
    return found | dict.fromkeys(turned, "rev")


def _terms(layout: str) -> list[list[str]]:
    """The axes of each dimension."""
    terms: list[list[str]] = []
    depth = 0
    for token in _TOKEN.findall(layout):
        if token in {"(", "{"}:
            if depth == 0:
                terms.append([])
            depth += 1
        elif token in {")", "}"}:
            depth -= 1
        elif token != "|":
            if depth == 0:
                terms.append([])
            terms[-1].append(token)
    return terms


def _reversed(layout: str) -> set[str]:
    return {_axis(token) for token in _TOKEN.findall(layout) if token.startswith("~")}


def _axis(token: str) -> str:
    return token.lstrip("~").partition(":")[0].partition("[")[0]
