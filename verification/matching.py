"""Which axis of one model stands for which axis of another, read from two files.

Axes are identities within one graph only. Between two files of the same model they are matched by
what layers of the same name bind (a convolution's channels are its channels, wherever they stand),
and by role and size where no layer says.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Iterable, Iterator, Sequence

from ..ir.copyplan import rearrange
from ..ir.graph import Node
from ..ir.layout import (
    Axis,
    Fused,
    Joined,
    Labelled,
    Layout,
    Reversed,
    Term,
    axes_of,
    fuse,
    rebuild,
    size_of,
    substance,
)
from ..ir.signature import REST
from ..ir.source import Array
from ..ir.tensor import Param, Stored
from .calls import LayerCall

CHANNELS = frozenset({"C", "G", "M", "F", "O", "X"})
"""Roles of axes that a layer may have in groups."""

NO_ROLE = "X"
"""The role of an axis of which no layer says what it is."""


class Matching:
    """Axes of a graph B in terms of the axes of a graph A."""

    def __init__(self) -> None:
        self._of: dict[Axis, Axis] = {}
        self._parts: dict[Axis, Fused] = {}

    def learn_calls(self, a: LayerCall, b: LayerCall) -> None:
        """Take it that two calls are of the same layer."""
        for x, y in a.alike(b):
            self.learn_node(x, y)

    def learn(self, a: Sequence[Term], b: Sequence[Term]) -> None:
        """Take it that these terms correspond, each with each; what is known already stays."""
        for mine, other in zip(a, b, strict=False):
            self._learn(mine, other)

    def learn_node(self, a: Node, b: Node) -> None:
        """Take it that two nodes are the same layer's: what they bind corresponds."""
        for name in a.axes.keys() & b.axes.keys() - {REST}:
            mine, other = a.axes[name], b.axes[name]
            if len(mine) == len(other) and (len(mine) == 1 or name in a.op.ordered):
                self.learn(mine, other)

    def _learn(self, a: Term, b: Term) -> None:
        if isinstance(a, Axis) and isinstance(b, Axis):
            if _fits(a, b) and 1 not in {a.size, b.size}:
                self._of.setdefault(b, a)
        elif isinstance(a, (Reversed, Labelled)) and type(a) is type(b):
            self._learn(a.axis, b.axis)
        elif isinstance(a, Joined) and isinstance(b, Joined) and len(a.parts) == len(b.parts):
            self.learn(a.parts, b.parts)
        elif isinstance(a, Fused) and isinstance(b, Fused) and len(a.terms) == len(b.terms):
            pairs = list(zip(a.terms, b.terms, strict=True))
            if all(size_of(x) == size_of(y) and _role(x) == _role(y) for x, y in pairs):
                self.learn(a.terms, b.terms)
        else:
            for whole, parts in ((a, b), (b, a)):
                if isinstance(whole, Axis) and isinstance(parts, Fused) and _is_split(parts):
                    self._parts.setdefault(whole, parts)

    def mapping(self, b: Layout, a: Layout) -> dict[Axis, Term] | None:
        """For each axis of a layout of B the one of a layout of A; None if some have none.

        What was learned goes first; then roles if all of them fit, places if all sizes do, and else
        roles and sizes as far as they tell.
        """
        ours = [axis for axis in axes_of(a.terms) if axis.size != 1]
        theirs = [axis for axis in axes_of(b.terms) if axis.size != 1]
        mapping: dict[Axis, Term] = {}
        free = list(ours)
        for axis in theirs:
            known = axis if axis in free else self._of.get(axis)
            if known in free and known is not None:
                mapping[axis] = known
                free.remove(known)
        rest = [axis for axis in theirs if axis not in mapping]
        found = (
            _by(rest, free, _same_role)
            or _in_order(rest, free)
            or _by(rest, free, _same_role, _fits)
        )
        return None if found is None else {**mapping, **found}

    def translated(self, b: Layout, a: Layout) -> Layout | None:
        """A layout of B over the axes of a layout of A; None if they do not correspond."""
        mapping = self.mapping(b, a)
        if mapping is None:
            return self._by_runs(b, a)
        found = Layout(tuple(rebuild(term, mapping) for term in b.terms))
        return found if _made_of(found) == _made_of(a) else None

    def _by_runs(self, b: Layout, a: Layout) -> Layout | None:
        """As `translated`, where what one has fused is one axis of the other.

        Such are the channels of a grouped convolution that is written as one of all channels, and
        an axis that is split by what only one file says; also inside of what is flattened: `H W C
        M` of one, `H W C` of the other.
        """
        whole, terms = dict[Axis, Term](), b.terms
        for run in _runs(a.terms):
            axis = self._axis_of(run, terms, whole)
            if axis is not None:
                whole[axis] = run
        for run in _runs(terms):
            known = self._axis_of(run, a.terms, set(axes_of(whole.values())))
            if known is not None:
                one = Axis(known.role, known.size)
                whole[one] = known
                terms = tuple(_with_one(term, run, one) for term in terms)
        ours = set(axes_of(a.terms)) - set(axes_of(whole.values()))
        mapping = self.mapping(
            Layout(tuple(axis for axis in axes_of(terms) if axis not in whole)),
            Layout(tuple(axis for axis in axes_of(a.terms) if axis in ours)),
        )
        if not whole or mapping is None:
            return None
        found = Layout(tuple(rebuild(term, {**mapping, **whole}) for term in terms))
        return found if _made_of(found) == _made_of(a) else None

    def _axis_of(self, run: Fused, terms: Iterable[Term], taken: Container[Axis]) -> Axis | None:
        """An axis of the other layout that is not taken yet and is what a run is the parts of."""
        size = size_of(run)
        fits = [x for x in axes_of(terms) if x.size == size and size and x not in taken]
        known = (x for x in fits if self._parts.get(x) == run)
        return next(known, None) or next((x for x in fits if _suits(x, run)), None)

    def retagged(self, param: Param, b: Layout, a: Layout) -> Param | None:
        """A parameter of B over the axes of A; None if they do not correspond.

        Args:
            param: As a node of B uses it.
            b: Its canonical layout there.
            a: The canonical layout of what it is compared with.
        """
        mapping = self.mapping(b, a)
        if mapping is None or self.translated(b, a) is None:
            return None
        stored = tuple(
            Stored(
                Layout(tuple(rebuild(term, mapping) for term in one.layout.terms)),
                {axis: label for was, label in one.at.items() if (axis := _one(mapping, was))},
            )
            for one in param.stored
        )
        return Param(param.weight, stored)

    def brought(self, array: Array, b: Layout, a: Layout) -> Array | None:
        """An array of B as A has it; None if the layouts do not correspond."""
        layout = self.translated(b, a)
        return None if layout is None else _rearranged(array, layout, a)

    def sent(self, array: Array, a: Layout, b: Layout) -> Array | None:
        """An array of A as B has it; None if the layouts do not correspond."""
        layout = self.translated(b, a)
        return None if layout is None else _rearranged(array, a, layout)


def _rearranged(array: Array, have: Layout, want: Layout) -> Array:
    """The array in another layout; as it is where that is the same, whatever its open sizes are."""
    return array if have == want else rearrange(array, have, want)


def guessed(known: Layout, shape: Sequence[int | None]) -> Layout | None:
    """The layout of dimensions that are not described: as known, or with the channels elsewhere.

    Args:
        known: The layout of the same value in another file.
        shape: Extents; None where open.
    """
    terms = known.terms
    last = (*terms[:1], *terms[2:], *terms[1:2])
    first = (*terms[:1], *terms[-1:], *terms[1:-1])
    for order in (terms, last, first):
        sizes = [size_of(term) for term in order]
        pairs = list(zip(sizes, shape, strict=False))
        if len(sizes) == len(shape) and all(x == y or None in {x, y} for x, y in pairs):
            return Layout(order)
    return None


def _fits(a: Axis, b: Axis) -> bool:
    return a.size == b.size or None in {a.size, b.size}


def _one(mapping: dict[Axis, Term], axis: Axis) -> Axis | None:
    found = mapping.get(axis, axis)
    return found if isinstance(found, Axis) else None


def _runs(terms: Iterable[Term]) -> Iterator[Fused]:
    """Neighbours inside of what is fused that may be one axis elsewhere: channels, or a split."""
    for term in terms:
        if isinstance(term, Fused):
            alike = itertools.groupby(term.terms, lambda part: _role(part) in CHANNELS)
            runs = [tuple(run) for channels, run in alike if channels]
            runs += _splits(term.terms)
            yield from (Fused(run) for run in runs if len(run) > 1)


def _splits(terms: Sequence[Term]) -> Iterator[tuple[Term, ...]]:
    """What may be the parts of one axis each: some without a role, then some of one role."""
    start = 0
    roles = [_role(term) for term in terms]
    for end in range(1, len(terms) + 1):
        if end == len(terms) or roles[end - 1] not in {NO_ROLE, roles[end]}:
            yield tuple(terms[start:end])
            start = end


def _is_split(run: Fused) -> bool:
    """Whether it may be the parts of one axis: the last alone has a role, or all have the same."""
    return {_role(part) for part in run.terms[:-1]} <= {NO_ROLE, _role(run.terms[-1])}


def _suits(axis: Axis, run: Fused) -> bool:
    """Whether an axis may be what a run is the parts of, by its role."""
    roles = [_role(part) for part in run.terms]
    if axis.role in CHANNELS and set(roles) <= CHANNELS:
        return True
    return _is_split(run) and (axis.role == roles[-1] or NO_ROLE in {axis.role, roles[-1]})


def _with_one(term: Term, run: Fused, one: Axis) -> Term:
    """A fusion with one axis in the place of a run of neighbours; any other term as it is."""
    if not isinstance(term, Fused):
        return term
    count = len(run.terms)
    starts = range(len(term.terms) - count + 1)
    at = next((i for i in starts if term.terms[i : i + count] == run.terms), None)
    return term if at is None else fuse((*term.terms[:at], one, *term.terms[at + count :]))


def _by(
    theirs: Sequence[Axis], ours: Sequence[Axis], *alike: Callable[[Axis, Axis], bool]
) -> dict[Axis, Axis] | None:
    """For each axis one that is alike in the first way, or in the next; None if some has none."""
    found: dict[Axis, Axis] = {}
    free = list(ours)
    for like in alike:
        for axis in theirs:
            match = None if axis in found else next((o for o in free if like(o, axis)), None)
            if match is not None:
                found[axis] = match
                free.remove(match)
    return None if free or len(found) < len(theirs) else found


def _in_order(theirs: Sequence[Axis], ours: Sequence[Axis]) -> dict[Axis, Axis] | None:
    """Each axis as the one at its place, where sizes are alike all along."""
    pairs = list(zip(theirs, ours, strict=False))
    fits = len(theirs) == len(ours) and all(_fits(a, b) for b, a in pairs)
    return dict(pairs) if fits else None


def _same_role(a: Axis, b: Axis) -> bool:
    return a.role == b.role and _fits(a, b)


def _role(term: Term) -> str:
    return term.role if isinstance(term, Axis) else ""


def _made_of(layout: Layout) -> frozenset[object]:
    return frozenset().union(*(substance(term) for term in layout.terms))
