"""What an op declares, once: its inputs, results and parameters in terms of named bindings.

A binding is a name for one or several terms of a node: `channels`, `space`, `units`. Ports are
written over bindings (`kernel: kernel_space channels filters`), so the solver, the checker, the
reference and every exporter derive all layouts of a node from one statement, and the order inside
a binding is the same wherever it occurs: that is what makes a forgotten row reorder a type error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from typing import Literal

import msgspec

from ..errors import LayoutError
from .layout import Axis, Labelled, Layout, Term, Terms, fuse, reverse

Order = Literal["kept", "listed", "spatial", "last"]
REST = "..."

_TOKEN = re.compile(r"\s*(\.\.\.|~?[a-z_]+(?:\[[^\]]*\])?|\(|\)|1)")
_BINDING = re.compile(r"(~?)([a-z_]+|\.\.\.)(?:\[([^\]]*)\])?")


class Ref(msgspec.Struct, frozen=True):
    """One item of a pattern: a binding, `~` a reversed one, `[…]` its labels in another order."""

    binding: str
    reversed: bool = False
    labels: tuple[str, ...] = ()

    def build(self, bound: Mapping[str, Terms]) -> Terms:
        """The terms of this item."""
        terms = bound[self.binding]
        if self.labels:
            terms = tuple(_relabel(term, self.labels) for term in terms)
        return tuple(map(reverse, terms)) if self.reversed else terms


class Group(msgspec.Struct, frozen=True):
    """Items in parentheses: fused into one term."""

    refs: tuple[Ref, ...]

    def build(self, bound: Mapping[str, Terms]) -> Terms:
        """The one term of this item."""
        return (fuse(term for ref in self.refs for term in ref.build(bound)),)


class Unit(msgspec.Struct, frozen=True):
    """`1`: a dimension of size one that belongs to no axis."""

    def build(self, bound: Mapping[str, Terms]) -> Terms:
        """A fresh axis of size one."""
        return (Axis("X", 1),)


class Pattern(msgspec.Struct, frozen=True, dict=True):
    """An order of bindings, such as `~kernel_space channels (gates units)`."""

    items: tuple[Ref | Group | Unit, ...]

    @classmethod
    @cache
    def parse(cls, text: str) -> Pattern:
        """Read a pattern; each text once.

        Raises:
            LayoutError: The text is no pattern.
        """
        items: list[Ref | Group | Unit] = []
        group: list[Ref] | None = None
        for token in _tokens(text):
            if token == "(":
                group = []
            elif token == ")":
                items.append(Group(tuple(group or ())))
                group = None
            elif token == "1":
                items.append(Unit())
            elif group is None:
                items.append(_ref(token))
            else:
                group.append(_ref(token))
        return cls(tuple(items))

    def build(self, bound: Mapping[str, Terms]) -> Terms:
        """The terms that the pattern stands for, given the terms of each binding."""
        return tuple(term for item in self.items for term in item.build(bound))

    @cached_property
    def bindings(self) -> tuple[str, ...]:
        """Names of the bindings, in order."""
        return tuple(ref.binding for ref in self.refs)

    @property
    def refs(self) -> Iterator[Ref]:
        """The items with groups opened."""
        for item in self.items:
            if isinstance(item, Ref):
                yield item
            elif isinstance(item, Group):
                yield from item.refs


class Port(msgspec.Struct, frozen=True):
    """One input, result or parameter of an op.

    Attributes:
        name: Such as `x`, `kernel`, `mask`.
        pattern: The terms it has.
        order: `listed`: as in the pattern; `spatial`: the same but for the channels, which the
            target places; `last`: what the pattern lists comes last, the rest as it lies;
            `kept`: any order on an input, the input's order on a result.
        optional: Whether it may be absent.
        variadic: Whether the port stands for any number of inputs.
    """

    name: str
    pattern: Pattern
    order: Order = "listed"
    optional: bool = False
    variadic: bool = False


def ports(*declarations: str, order: Order = "listed") -> tuple[Port, ...]:
    """Ports from text: `ports("kernel: kernel_space channels filters", "bias?: filters")`.

    `?` marks an optional port, `*` a variadic one.
    """
    found: list[Port] = []
    for text in declarations:
        name, _, pattern = text.partition(":")
        bare = name.strip().rstrip("?*")
        found.append(
            Port(bare, Pattern.parse(pattern), order, "?" in name, "*" in name),
        )
    return tuple(found)


def layout(pattern: str | Pattern, bound: Mapping[str, Terms]) -> Layout:
    """The layout that a pattern stands for, given the terms of each binding."""
    parsed = Pattern.parse(pattern) if isinstance(pattern, str) else pattern
    return Layout(parsed.build(bound))


def bindings_of(declared: Iterable[Port]) -> frozenset[str]:
    """Every binding that the ports name."""
    return frozenset(name for port in declared for name in port.pattern.bindings)


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise LayoutError(f"not a pattern: {text!r}", details=(text, " " * at + "^"))
        at = match.end()
        yield match.group(1)


def _ref(token: str) -> Ref:
    match = _BINDING.fullmatch(token)
    if match is None:
        raise LayoutError(f"not a binding: {token!r}")
    tilde, name, labels = match.groups()
    return Ref(name, bool(tilde), tuple((labels or "").split()))


def _relabel(term: Term, labels: tuple[str, ...]) -> Term:
    if not isinstance(term, Labelled) or sorted(term.labels) != sorted(labels):
        raise LayoutError(f"{term!r} does not have the labels {' '.join(labels)}")
    return Labelled(term.axis, labels)
