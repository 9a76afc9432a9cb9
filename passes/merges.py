"""Merges and joins: which positions of the inputs correspond, and the layout they agree on.

Equality of axes is never global, since `x + transpose(x)` would give one value an axis twice: each
merge keeps a map of its own from its result's axes to those of each input.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..ir.graph import Node, joined_position
from ..ir.layout import Axis, AxisMap, Joined, Layout, Term, correspond, find, key, rebuild, size_of


class Match:
    """How one input of a merge corresponds to the result, position by position."""

    def __init__(self, node: Node, index: int, axes: Sequence[Term]) -> None:
        self.node, self.index, self.axes = node, index, tuple(axes)
        self.result = node.result.axes
        self.position = joined_position(node)
        self.maps: list[AxisMap | None] = []
        self.fits = len(self.axes) == len(self.result) and all(
            self._match(at) for at in range(len(self.result))
        )

    def _match(self, at: int) -> bool:
        whole, ours = self.result[at], self.axes[at]
        found: AxisMap = {}
        if at == self.position:
            self.maps.append(found)
            return not isinstance(whole, Joined) or correspond(whole.parts[self.index], ours, found)
        if size_of(ours) == 1 and size_of(whole) != 1:
            self.maps.append(None)  # repeated along this axis
            return True
        self.maps.append(found)
        return correspond(whole, ours, found)

    def pull(self, layout: Layout) -> Layout:
        """The layout that this input must have for the result to have `layout`."""
        terms: list[Term] = []
        for term in layout.terms:
            at = find(self.result, term)
            mapping = self.maps[at]
            if mapping is None or (at == self.position and not isinstance(term, Joined)):
                terms.append(self.axes[at])
            elif at == self.position and isinstance(term, Joined):
                terms.append(rebuild(term.parts[self.index], mapping))
            else:
                terms.append(rebuild(term, mapping))
        return Layout(tuple(terms))

    def push(self, layout: Layout) -> Layout:
        """The layout that the result would have if it lay as this input does."""
        terms: list[Term] = []
        for term in layout.terms:
            at = find(self.axes, term)
            mapping = self.maps[at]
            if mapping is None or at == self.position:
                terms.append(self.result[at])
            else:
                terms.append(rebuild(term, _inverse(mapping)))
        return Layout(tuple(terms))

    def part(self, layout: Layout) -> Term | None:
        """This input's part of the joined axis, in the inner order that it has."""
        at = self.position
        whole = self.result[at] if at is not None else None
        if at is None or not isinstance(whole, Joined):
            return None
        inner = layout.terms[find(layout.terms, self.axes[at])]
        mapping = self.maps[at]
        return rebuild(inner, _inverse(mapping or {}))


def settle(
    node: Node, arriving: Sequence[Layout], wish: Layout | None
) -> tuple[list[Layout | None], Layout]:
    """What a merge wants of its inputs, and its result's layout.

    The result takes the wish, else the commonest of the inputs' layouts (of equals, one that is
    not the source's). Where positions do not correspond, everything keeps the source order.
    """
    present = [value for value in node.inputs if value is not None]
    matches = [Match(node, i, value.axes) for i, value in enumerate(present)]
    if not all(match.fits for match in matches):
        return [value.layout for value in present], node.result.layout
    if wish is None:
        pushed = [m.push(layout) for m, layout in zip(matches, arriving, strict=True)]
        offers = [_with_parts(layout, matches, arriving) for layout in pushed]
        count = Counter(offers)
        result = max(offers, key=lambda offer: (count[offer], offer != node.result.layout))
    else:
        result = _with_parts(wish, matches, arriving)
    return [match.pull(result) for match in matches], result


def wishes(node: Node, wish: Layout | None) -> list[Layout | None]:
    """What a merge would like of its inputs, given what is wished of its result."""
    present = [value for value in node.inputs if value is not None]
    if wish is None:
        return [None for _ in present]
    matches = [Match(node, i, value.axes) for i, value in enumerate(present)]
    return [match.pull(wish) if match.fits else None for match in matches]


def _with_parts(layout: Layout, matches: Sequence[Match], arriving: Sequence[Layout]) -> Layout:
    """The layout with each part of the joined axis in the inner order of its own input."""
    position = matches[0].position
    joined = matches[0].result[position] if position is not None else None
    if not isinstance(joined, Joined):
        return layout
    parts = tuple(m.part(held) for m, held in zip(matches, arriving, strict=True))
    found = Joined(tuple(part for part in parts if part is not None))
    return Layout(tuple(found if key(t) == key(joined) else t for t in layout.terms))


def _inverse(mapping: AxisMap) -> AxisMap:
    return {ours: whole for whole, ours in mapping.items() if isinstance(ours, Axis)}
