"""The written form of layouts: `N:? (C:8 H:3 W:3)`, `O I ~H ~W`, `I (G[i f c o] U)`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from ..errors import LayoutError
from .layout import Axis, Fused, Joined, Labelled, Layout, Reversed, Term, axes_of, fuse

_NAME = r"[A-Za-z_][A-Za-z0-9_.]*(?:'\d+)?"
_TOKEN = re.compile(rf"\s*(~?{_NAME}(?::(?:\d+|\?))?(?:\[[^\]]*\])?|\(|\)|\{{|\}}|\||1(?!\w))")
_AXIS = re.compile(rf"(~?)({_NAME})(?::(\d+|\?))?(?:\[([^\]]*)\])?")

MAX_TEXT = 10_000
MAX_DEPTH = 50

MakeAxis = Callable[[str, "int | None"], Axis]


def names_of(
    terms: Iterable[Term], letters: Mapping[Axis, str] = MappingProxyType({})
) -> dict[Axis, str]:
    """A printed name per axis: its role, and a mark where a role comes again (`T`, `T'2`).

    Args:
        terms: What is printed.
        letters: Axes that print otherwise here than their role: a kernel's channels are `I`.
    """
    names: dict[Axis, str] = {}
    count: dict[str, int] = {}
    for axis in axes_of(terms):
        if axis not in names:
            role = letters.get(axis, axis.role)
            count[role] = number = count.get(role, 0) + 1
            names[axis] = role if number == 1 else f"{role}'{number}"
    return names


def show(terms: Sequence[Term], sizes: bool = True, names: dict[Axis, str] | None = None) -> str:
    """The printed form; `sizes=False` leaves the sizes out."""
    table = names_of(terms) if names is None else names

    def one(term: Term) -> str:
        if isinstance(term, Axis):
            size = f":{'?' if term.size is None else term.size}" if sizes else ""
            return table[term] + size
        if isinstance(term, Reversed):
            return "~" + one(term.axis)
        if isinstance(term, Labelled):
            return f"{table[term.axis]}[{' '.join(term.labels)}]"
        if isinstance(term, Fused):
            return f"({' '.join(map(one, term.terms))})"
        return "{" + " | ".join(map(one, term.parts)) + "}"

    return " ".join(map(one, terms))


def fresh_axis(name: str, size: int | None) -> Axis:
    """A new axis for a printed name; the mark of a repeated role is not part of the role."""
    return Axis(name.partition("'")[0], size)


def parse(text: str, axis: MakeAxis = fresh_axis) -> Layout:
    """Read a printed layout.

    Args:
        text: Such as `N:? H:4 W:4 C:3`; a size that is not given is unknown; `1` is an axis
            of size one.
        axis: Makes (or looks up) the axis for a printed name and a size.

    Raises:
        LayoutError: With a caret under the place.
    """
    reader = _Reader(text, axis)
    terms = reader.terms(end="")
    return Layout(tuple(terms))


def parse_over(text: str, terms: Sequence[Term], names: dict[Axis, str] | None = None) -> Layout:
    """Read a layout whose names are those that `terms` print with, as the same axes.

    Raises:
        LayoutError: A name that `terms` does not have, or an axis left out.
    """
    table = {name: axis for axis, name in (names or names_of(terms)).items()}

    def look_up(name: str, size: int | None) -> Axis:
        if name not in table:
            raise LayoutError(
                f"no axis {name} here", hint=f"the axes are {' '.join(sorted(table))}"
            )
        return table[name]

    found = parse(text, look_up)
    missing = [name for name, axis in table.items() if axis not in found.axes and axis.size != 1]
    if missing:
        raise LayoutError(f"layout {text!r} leaves out {' '.join(missing)}")
    return found


class _Reader:
    """A recursive-descent reader of texts that a file may hold: length and depth are bounded."""

    def __init__(self, text: str, axis: MakeAxis) -> None:
        self.text, self.make, self.seen = text, axis, set[str]()
        self.start = self.at = self.depth = 0
        if len(text) > MAX_TEXT:
            raise LayoutError(f"a layout text of over {MAX_TEXT} characters")

    def fail(self, what: str) -> LayoutError:
        return LayoutError(what, details=(self.text, " " * self.start + "^"))

    def token(self) -> str:
        rest = self.text[self.at :].lstrip()
        self.start = len(self.text) - len(rest)
        if not rest:
            return ""
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            raise self.fail("not a layout term")
        self.at = match.end()
        return match.group(1)

    def terms(self, end: str) -> list[Term]:
        found: list[Term] = []
        while (token := self.token()) != end:
            if token == "":
                raise self.fail(f"{end!r} is missing")
            found.append(self.term(token))
        return found

    def term(self, token: str) -> Term:
        if token in {"(", "{"}:
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise self.fail(f"nested deeper than {MAX_DEPTH}")
            inner = self.fused() if token == "(" else self.joined()
            self.depth -= 1
            return inner
        if token == "1":
            return Axis("X", 1)
        return self.axis(token)

    def fused(self) -> Term:
        inner = self.terms(")")
        if not inner:
            raise self.fail("nothing is fused here")
        return fuse(inner)

    def joined(self) -> Term:
        parts: list[Term] = []
        current: list[Term] = []
        while True:
            token = self.token()
            if token in {"|", "}"}:
                if not current:
                    raise self.fail("an empty part of a join")
                parts.append(fuse(current))
                current = []
                if token == "}":
                    return Joined(tuple(parts))
            elif token == "":
                raise self.fail("'}' is missing")
            else:
                current.append(self.term(token))

    def axis(self, token: str) -> Term:
        match = _AXIS.fullmatch(token)
        if match is None:
            raise self.fail(f"not an axis: {token!r}")
        tilde, name, size, labels = match.groups()
        if name in self.seen:
            raise self.fail(f"axis {name} twice (a second axis of a role is {name}'2)")
        self.seen.add(name)
        number = None if size in {None, "?"} else int(size)
        if labels is not None:
            return self.labelled(name, number, labels.split(), bool(tilde))
        axis = self.make(name, number)
        return Reversed(axis) if tilde else axis

    def labelled(self, name: str, size: int | None, labels: list[str], reverse: bool) -> Labelled:
        if reverse:
            raise self.fail("a labelled axis is not reversed: its labels give the order")
        if not labels or len(set(labels)) < len(labels):
            raise self.fail("labels must be there, each once")
        if size not in {None, len(labels)}:
            raise self.fail(f"{len(labels)} labels for {size} positions")
        return Labelled(self.make(name, len(labels)), tuple(labels))
