"""An oracle for layouts that knows positions only, one number at a time: slow and plain.

It shares no code with the copy plans, which think in strides.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from ..ir.layout import Axis, Fused, Joined, Labelled, Layout, Reversed, Term, axes_of
from ..ir.source import Array

Place = frozenset[tuple[object, ...]]
"""Which number is meant: the index on each axis, the label, the part of each join."""


def places(layout: Layout) -> list[Place]:
    """What lies at each position of a tensor in this layout, in row-major order."""
    return _product(layout.terms)


def expected(array: Array, have: Layout, want: Layout) -> Array:
    """The array in another layout, by looking each number up."""
    stored = {place: position for position, place in enumerate(places(have))}
    order = [stored[place] for place in places(want)]
    shape = [len(_places(term)) for term in want.terms]
    return np.ravel(array)[np.array(order, np.intp)].reshape(shape)


def _product(terms: Sequence[Term]) -> list[Place]:
    return [frozenset().union(*each) for each in itertools.product(*map(_places, terms))]


def _places(term: Term) -> list[Place]:
    if isinstance(term, Axis):
        # An axis of one position says nothing: layouts may have it or not.
        indices = range(term.size or 0)
        return [frozenset({(term, i)}) if term.size != 1 else frozenset() for i in indices]
    if isinstance(term, Reversed):
        return _places(term.axis)[::-1]
    if isinstance(term, Labelled):
        return [frozenset({(term.axis, label)}) for label in term.labels]
    if isinstance(term, Fused):
        return _product(term.terms)
    return _joined(term)


def _joined(term: Joined) -> list[Place]:
    identity = tuple(frozenset(axes_of((part,))) for part in term.parts)
    return [
        place | {(identity, number)}
        for number, part in enumerate(term.parts)
        for place in _places(part)
    ]
