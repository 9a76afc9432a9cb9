"""From one layout to another: compiled into strided pieces, run in memory.

Nothing else in kerasir moves numbers. A layout is affine: once it is said which part of each join
and which label of each labelled axis is meant, the linear offset of an element is a constant plus
a stride times each axis index. So a piece of a copy is one strided box on either side; reversal
is a negative stride, a gate order a different constant.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from operator import mul

import msgspec
import numpy as np

from ..errors import LayoutError, WeightError
from .layout import (
    Axis,
    Fused,
    Joined,
    Labelled,
    Layout,
    Reversed,
    Sizes,
    Term,
    size_of,
    sizes_from,
    substance,
)
from .source import Array

Choice = tuple[object, ...]

MOST_PLANS = 4096
"""Plans that are kept: each weight is asked for several times on its way to a file."""


class Region(msgspec.Struct, frozen=True):
    """One choice of parts and labels in a layout: where it begins and how its axes run.

    Attributes:
        choices: Which part of each join, which label of each labelled axis.
        offset: Linear index of the region's first element, in elements.
        strides: Elements per step along each axis; axes of size one are left out.
    """

    choices: frozenset[Choice]
    offset: int
    strides: Mapping[Axis, int]


class Piece(msgspec.Struct, frozen=True):
    """A strided box copied from source to destination.

    Attributes:
        sizes: Extent of each dimension, outermost in the destination first.
        source_offset: First element in the source, in elements.
        source_strides: Elements per step in the source; negative where reversed.
        offset: First element in the destination.
        strides: Elements per step in the destination.
    """

    sizes: tuple[int, ...]
    source_offset: int
    source_strides: tuple[int, ...]
    offset: int
    strides: tuple[int, ...]

    @property
    def count(self) -> int:
        """Elements moved."""
        return math.prod(self.sizes)

    def cut(self, start: Sequence[int], sizes: tuple[int, ...]) -> Piece:
        """The part from an index on; `start` may leave out inner dimensions that begin at 0."""
        source_offset = self.source_offset + sum(map(mul, start, self.source_strides))
        offset = self.offset + sum(map(mul, start, self.strides))
        return Piece(sizes, source_offset, self.source_strides, offset, self.strides)

    def at(self, index: int) -> Piece:
        """The part at one index of the outermost dimension, which it no longer has."""
        cut = self.cut((index,), self.sizes)
        return Piece(
            cut.sizes[1:], cut.source_offset, cut.source_strides[1:], cut.offset, cut.strides[1:]
        )


class CopyPlan(msgspec.Struct, frozen=True):
    """All pieces that bring one stored array into its place in the destination."""

    source_count: int
    count: int
    pieces: tuple[Piece, ...]

    @property
    def is_plain(self) -> bool:
        """Whether the bytes can be copied as they lie, from the start to the end."""
        return self.source_count == self.count and all(
            piece.strides == piece.source_strides and piece.offset == piece.source_offset
            for piece in self.pieces
        )


def plan(
    stored: Layout,
    wanted: Layout,
    *,
    at: Mapping[Axis, str] | None = None,
    only: Mapping[Axis, str] | None = None,
    sizes: Sizes | None = None,
) -> CopyPlan:
    """Compile the copy of an array stored as `stored` into one laid out as `wanted`.

    Axes of size one come and go freely; they belong to no identity.

    Args:
        stored: Layout of the source; all sizes known.
        wanted: Layout of the destination, over the same axes.
        at: Labelled axes of `wanted` that the source has no axis for, and the label where it
            goes: one array per gate is stored so by Keras 1.
        only: Labelled axes that `wanted` has no axis for, and the one label that is taken of
            each; a source of other labels gives nothing.
        sizes: Sizes of axes that are open in the layouts.

    Raises:
        LayoutError: The layouts do not describe the same numbers, or a size is not known.
    """
    fixed, taken = _labels(at or {}), _labels(only or {})
    if sizes is None:
        return _compiled(stored, wanted, fixed, taken)
    return _compile(stored, wanted, fixed, taken, sizes)


def _compile(
    stored: Layout,
    wanted: Layout,
    fixed: frozenset[Choice],
    taken: frozenset[Choice],
    sizes: Sizes | None,
) -> CopyPlan:
    goals = {r.choices | taken: r for r in _regions(wanted, sizes)}
    source_count, count = _total(stored, sizes), _total(wanted, sizes)
    pieces: list[Piece] = []
    for region in _regions(stored, sizes):
        choices = region.choices | fixed
        if not taken <= choices:
            continue
        goal = goals.pop(choices, None)
        if goal is None or goal.strides.keys() != region.strides.keys():
            raise LayoutError(
                f"cannot go from {stored} to {wanted}: they are not made of the same axes"
            )
        pieces.append(_piece(region, goal, sizes))
    moved = sum(piece.count for piece in pieces)
    if (not taken and moved != source_count) or (not fixed and moved != count):
        raise LayoutError(f"cannot go from {stored} to {wanted}: some of it has no source")
    return CopyPlan(source_count, count, tuple(pieces))


@functools.lru_cache(maxsize=MOST_PLANS)
def _compiled(
    stored: Layout, wanted: Layout, fixed: frozenset[Choice], taken: frozenset[Choice]
) -> CopyPlan:
    """As `_compile`; sizes that are known never change."""
    return _compile(stored, wanted, fixed, taken, None)


def _labels(chosen: Mapping[Axis, str]) -> frozenset[Choice]:
    return frozenset(("label", axis, label) for axis, label in chosen.items())


def _total(layout: Layout, sizes: Sizes | None) -> int:
    return math.prod(_known(term, sizes) for term in layout.terms)


def _known(term: Term, sizes: Sizes | None) -> int:
    size = size_of(term, sizes)
    if size is None:
        raise LayoutError(f"the size of {term!r} is not known here")
    return size


def _piece(source: Region, goal: Region, sizes: Sizes | None) -> Piece:
    order = sorted(goal.strides, key=lambda axis: -abs(goal.strides[axis]))
    offset, source_offset = goal.offset, source.offset
    dims: list[list[int]] = []
    for axis in order:
        size, there, here = _known(axis, sizes), goal.strides[axis], source.strides[axis]
        if there < 0:  # walk the destination forwards, the source the other way round
            offset += there * (size - 1)
            source_offset += here * (size - 1)
            there, here = -there, -here
        if dims and dims[-1][1] == there * size and dims[-1][2] == here * size:
            dims[-1] = [dims[-1][0] * size, there, here]
        else:
            dims.append([size, there, here])
    extents, strides, source_strides = zip(*dims, strict=True) if dims else ((), (), ())
    return Piece(extents, source_offset, source_strides, offset, strides)


def _regions(layout: Layout, sizes: Sizes | None) -> Iterator[Region]:
    """Every choice of parts and labels, with its offset and strides."""
    stride = 1
    dims: list[list[Region]] = []
    for term in reversed(layout.terms):
        dims.append([_scaled(r, stride) for r in _variants(term, sizes)])
        stride *= _known(term, sizes)
    for combination in itertools.product(*dims):
        yield _merged(combination)


def _variants(term: Term, sizes: Sizes | None) -> Iterator[Region]:
    """The choices inside one term, in steps of that term's own positions."""
    if isinstance(term, Axis):
        yield Region(frozenset(), 0, {} if _known(term, sizes) == 1 else {term: 1})
    elif isinstance(term, Reversed):
        size = _known(term, sizes)
        yield Region(frozenset(), size - 1, {} if size == 1 else {term.axis: -1})
    elif isinstance(term, Labelled):
        for position, label in enumerate(term.labels):
            yield Region(frozenset[Choice]({("label", term.axis, label)}), position, {})
    elif isinstance(term, Fused):
        yield from _regions(Layout(term.terms), sizes)
    else:
        yield from _parts(term, sizes)


def _parts(term: Joined, sizes: Sizes | None) -> Iterator[Region]:
    start, identity = 0, substance(term, sizes)
    for index, part in enumerate(term.parts):
        for region in _variants(part, sizes):
            choices = region.choices | {(identity, index)}
            yield Region(choices, start + region.offset, region.strides)
        start += _known(part, sizes)


def _scaled(region: Region, stride: int) -> Region:
    strides = {axis: step * stride for axis, step in region.strides.items()}
    return Region(region.choices, region.offset * stride, strides)


def _merged(regions: Sequence[Region]) -> Region:
    strides: dict[Axis, int] = {}
    for region in regions:
        strides.update(region.strides)
    choices = frozenset[Choice]().union(*(r.choices for r in regions))
    return Region(choices, sum(r.offset for r in regions), strides)


def strided(flat: Array, offset: int, sizes: Sequence[int], strides: Sequence[int]) -> Array:
    """A view of a box in a flat, contiguous array; offset and strides in elements.

    Strides may be negative. A box that leaves the array is refused by NumPy.
    """
    steps = [step * flat.itemsize for step in strides]
    return np.ndarray(sizes, flat.dtype, flat, offset * flat.itemsize, steps)


def assign(there: Array, here: Array) -> None:
    """Copy numbers, converted to the dtype of `there`.

    Raises:
        WeightError: A number that is finite does not fit the dtype.
    """
    if np.can_cast(here.dtype, there.dtype, "safe"):
        there[...] = here
        return
    if not np.can_cast(here.dtype, there.dtype, "same_kind"):
        raise WeightError(f"{here.dtype} numbers cannot be stored as {there.dtype}")
    try:
        with np.errstate(over="raise"):
            there[...] = here
        fits = there.dtype.kind == "f" or bool((there == here).all())
    except FloatingPointError:
        fits = False
    if not fits:
        raise WeightError(f"a number is too large for {there.dtype}; {here.dtype} is stored")


def apply(copy: CopyPlan, source: Array, destination: Array) -> None:
    """Run a plan in memory: both arrays flat and contiguous, dtypes converted on the way.

    Raises:
        WeightError: A number that is finite does not fit the dtype.
    """
    for piece in copy.pieces:
        if piece.count:
            there = strided(destination, piece.offset, piece.sizes, piece.strides)
            here = strided(source, piece.source_offset, piece.sizes, piece.source_strides)
            assign(there, here)


def rearrange(array: Array, have: Layout, want: Layout) -> Array:
    """The array, laid out as `have`, in the layout `want`. Open sizes are read off the array.

    Raises:
        LayoutError: The array does not fit `have`, or the layouts are not of the same axes.
    """
    sizes = sizes_from(have.terms, array.shape)
    shape = tuple(_known(term, sizes) for term in want.terms)
    result = np.empty(math.prod(shape), array.dtype)
    apply(plan(have, want, sizes=sizes), np.ascontiguousarray(array).reshape(-1), result)
    return result.reshape(shape)


def same_order(a: CopyPlan, b: CopyPlan) -> bool:
    """Whether two plans put the same stored number into the same place, however they are cut.

    Joined parts come piece by piece, a plain axis of the same extent in one: so where the pieces
    differ, the places of all numbers are compared.
    """
    if (a.source_count, a.count) != (b.source_count, b.count):
        return False
    if frozenset(a.pieces) == frozenset(b.pieces):
        return True
    places = np.arange(a.source_count)
    first, second = np.full(a.count, -1), np.full(b.count, -1)
    apply(a, places, first)
    apply(b, places, second)
    return bool(np.array_equal(first, second))
