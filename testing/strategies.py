"""Hypothesis strategies for layouts and weights, for this package's tests and for plugins'.

A structure is what a tensor is made of, with no order: axes, labelled axes, joins of structures.
Layouts are orders of it. Two layouts drawn from one structure describe the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..ir.layout import Axis, Fused, Joined, Labelled, Layout, Reversed, Term, Terms, fuse
from ..ir.source import ArraySource
from ..ir.tensor import Param, Stored, Weight

LABELS = "ifcozr"
SIZES = (2, 3, 4, 5, 1)
"""Sizes of axes: most of them differ, or a wrong order would go unseen."""

Structure = tuple[Term, ...]


@st.composite
def structures(
    draw: st.DrawFn, *, labels: bool = True, joins: bool = True, sizes: Sequence[int] = SIZES
) -> Structure:
    """What a tensor is made of: up to four axes, some of them labelled or joins of further ones.

    Args:
        draw: Given by hypothesis.
        labels: Whether there may be labelled axes.
        joins: Whether there may be joins, one in another too.
        sizes: Sizes that an axis may have.
    """
    return _structure(draw, 2 if joins else 0, labels, sizes, at_least=0, at_most=4)


def _structure(
    draw: st.DrawFn,
    depth: int,
    labels: bool,
    sizes: Sequence[int],
    at_least: int,
    at_most: int,
) -> Structure:
    kinds = ["axis"] * 4 + ["labelled"] * labels + ["joined"] * (depth > 0)
    found: list[Term] = []
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=at_least, max_size=at_most)):
        if kind == "labelled":
            names = LABELS[: draw(st.integers(1, 3))]
            found.append(Labelled(Axis("G", len(names)), tuple(names)))
        elif kind == "joined":
            count = draw(st.integers(1, 3))
            found.append(
                Joined(
                    tuple(
                        fuse(_structure(draw, depth - 1, labels, sizes, at_least=1, at_most=2))
                        for _ in range(count)
                    )
                )
            )
        else:
            found.append(Axis(draw(st.sampled_from("CDHWTF")), draw(st.sampled_from(sizes))))
    return tuple(found)


@st.composite
def layouts(
    draw: st.DrawFn, structure: Structure, *, reversals: bool = True, fusions: bool = True
) -> Layout:
    """An order of a structure.

    Args:
        draw: Given by hypothesis.
        structure: What there is to be ordered.
        reversals: Whether axes may be reversed.
        fusions: Whether several terms may share a dimension.
    """
    terms = _ordered(draw, structure, reversals)
    if not fusions:
        return Layout(tuple(terms))
    fused = draw(st.lists(st.booleans(), min_size=len(terms), max_size=len(terms)))
    groups: list[list[Term]] = []
    for term, joins_last in zip(terms, fused, strict=True):
        if groups and joins_last:
            groups[-1].append(term)
        else:
            groups.append([term])
    return Layout(tuple(map(fuse, groups)))


def _ordered(draw: st.DrawFn, structure: Sequence[Term], reversals: bool) -> list[Term]:
    return [_turned(draw, term, reversals) for term in draw(st.permutations(list(structure)))]


def _turned(draw: st.DrawFn, term: Term, reversals: bool) -> Term:
    if isinstance(term, Labelled):
        return Labelled(term.axis, tuple(draw(st.permutations(list(term.labels)))))
    if isinstance(term, Fused):
        return fuse(_ordered(draw, term.terms, reversals))
    if isinstance(term, Joined):
        return Joined(tuple(_turned(draw, part, reversals) for part in term.parts))
    return Reversed(term) if reversals and isinstance(term, Axis) and draw(st.booleans()) else term


@st.composite
def params(draw: st.DrawFn, structure: Structure, dtype: Any = np.float32) -> Param:
    """A weight of a structure in stored arrays: one, or one for each label of an axis of it.

    The numbers are 0, 1, 2, … in stored order, array after array.
    """
    labelled = [term for term in structure if isinstance(term, Labelled)]
    by_label = draw(st.sampled_from([None, *labelled]))
    if by_label is None:
        stored = [Stored(draw(layouts(structure)))]
    else:
        rest: Terms = tuple(term for term in structure if term is not by_label)
        stored = [
            Stored(draw(layouts(rest)), {by_label.axis: label})
            for label in draw(st.permutations(list(by_label.labels)))
        ]
    sources, start = [], 0
    for one in stored:
        shape = tuple(size or 0 for size in one.layout.shape)
        stop = start + math.prod(shape)
        sources.append(ArraySource(np.arange(start, stop).astype(dtype).reshape(shape)))
        start = stop
    return Param(Weight("layer/weight", tuple(sources)), tuple(stored))
