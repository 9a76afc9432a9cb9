"""HTML and SVG elements that escape by construction: what is no `Markup` becomes text."""

from __future__ import annotations

import html
from collections.abc import Iterable

from ..errors import show

TIMES = "\N{MULTIPLICATION SIGN}"
LONGEST = 400
"""Characters of one text."""
EMPTY = frozenset({"path", "rect", "circle", "meta", "input", "br"})
"""Elements that are written without an end."""


class Markup(str):
    """HTML that is fit to be written as it is."""

    __slots__ = ()


def text(value: object) -> Markup:
    """Anything as text: what a browser or a terminal would obey is escaped, what is long is cut."""
    if isinstance(value, Markup):
        return value
    return Markup(html.escape(show(str(value), LONGEST)))


def join(parts: Iterable[object], separator: str = "") -> Markup:
    """Parts one after the other; None is left out."""
    return Markup(separator.join(text(part) for part in parts if part is not None))


def el(tag: str, *children: object, **attributes: object) -> Markup:
    """An element.

    Args:
        tag: Its name.
        children: Markup, or anything that becomes text; None is left out.
        attributes: By name, `_` at the end dropped and `-` for other `_`; None is left out, True
            has no value.
    """
    given = []
    for name, value in attributes.items():
        key = name.rstrip("_").replace("_", "-") if name != "viewBox" else name
        if value is True:
            given.append(f" {key}")
        elif value is not None and value is not False:
            given.append(f' {key}="{text(value)}"')
    if tag in EMPTY:
        return Markup(f"<{tag}{''.join(given)}/>")
    inner = "".join(text(child) for child in children if child is not None)
    return Markup(f"<{tag}{''.join(given)}>{inner}</{tag}>")
