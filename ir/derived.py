"""Weights made of others by arithmetic, done when they are read: scaled, or wider by zeros."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ..errors import LayoutError
from .layout import Axis, Labelled, Layout, Reversed, Term, expand, fuse, size_of
from .source import Array, MappedSource, Source
from .tensor import Param, Stored, Weight


class PeriodicSource:
    """Another source's numbers, each times one of a few factors that come round.

    Attributes:
        factors: One after the other, then from the first again.
        run: How many elements in a row have the same factor.
    """

    __slots__ = ("_source", "dtype", "factors", "run", "shape", "where")

    def __init__(self, source: Source, factors: Sequence[float], run: int) -> None:
        self._source, self.factors, self.run = source, np.array(factors, np.float64), run
        self.dtype, self.shape, self.where = source.dtype, source.shape, source.where

    def read_into(self, start: int, out: Array) -> None:
        """Read elements from `start` on; multiplied in double precision, rounded once."""
        held = np.empty_like(out)
        self._source.read_into(start, held)
        turns = (np.arange(start, start + out.size) // self.run) % self.factors.size
        out[...] = held.astype(np.float64) * self.factors[turns]


class WidenedSource:
    """Another source's numbers with zeros around some of its dimensions.

    Attributes:
        widths: Zeros before and after, per dimension of `sizes`.
        sizes: The dimensions of the source, its fused ones opened.
    """

    __slots__ = ("_source", "dtype", "shape", "sizes", "where", "widths")

    def __init__(
        self, source: Source, sizes: Sequence[int], widths: Sequence[tuple[int, int]]
    ) -> None:
        self._source, self.sizes, self.widths = source, tuple(sizes), tuple(widths)
        self.dtype, self.where = source.dtype, source.where
        self.shape = tuple(n + sum(more) for n, more in zip(sizes, widths, strict=True))

    def read_into(self, start: int, out: Array) -> None:
        """Read elements from `start` on; the source is held in memory meanwhile."""
        held = np.empty(math.prod(self.sizes), self.dtype)
        self._source.read_into(0, held)
        wide = np.pad(held.reshape(self.sizes), self.widths)
        out[...] = wide.reshape(-1)[start : start + out.size]


class TapsSource:
    """A depthwise kernel that gives each channel's window as it is: one multiplier for each tap.

    Its layout is `taps channels multiplier`, with as many multipliers as taps: 1 where the
    multiplier is the tap, else 0.
    """

    __slots__ = ("channels", "dtype", "shape", "taps", "where")

    def __init__(self, taps: int, channels: int) -> None:
        self.taps, self.channels = taps, channels
        self.shape, self.dtype = (taps, channels, taps), np.dtype(np.float32)
        self.where = f"each of {taps} taps"

    def read_into(self, start: int, out: Array) -> None:
        """Compute elements from `start` on."""
        places = np.arange(start, start + out.size)
        out[...] = places // (self.channels * self.taps) == places % self.taps


def negative(held: Array) -> Array:
    """-w."""
    return -held


def magnitude(held: Array) -> Array:
    """|w|."""
    return abs(held)


def below(held: Array) -> Array:
    """-|w|."""
    return -abs(held)


def scaled(weight: Weight, factor: float) -> Weight:
    """A weight times one number."""
    sources = tuple(MappedSource(source, lambda held: held * factor) for source in weight.sources)
    return Weight(weight.name, sources, trainable=weight.trainable)


def scaled_along(param: Param, axis: Axis, factors: Mapping[str, float]) -> Weight:
    """A weight with each label's numbers along an axis times a factor.

    Args:
        param: The weight as a node uses it; its stored layouts stay right for the result.
        axis: A labelled axis of it.
        factors: By label; 1 for those that are not in it.

    Raises:
        LayoutError: A stored array has no such axis.
    """
    sources = tuple(
        _scaled(source, stored, axis, factors)
        for source, stored in zip(param.weight.sources, param.stored, strict=True)
    )
    return Weight(param.weight.name, sources, trainable=param.weight.trainable)


def _scaled(source: Source, stored: Stored, axis: Axis, factors: Mapping[str, float]) -> Source:
    if axis in stored.at:
        factor = factors.get(stored.at[axis], 1.0)
        return MappedSource(source, lambda held: held * factor)
    run = 1
    for term in reversed(expand(stored.layout.terms)):
        if isinstance(term, Labelled) and term.axis is axis:
            return PeriodicSource(source, [factors.get(n, 1.0) for n in term.labels], run)
        run *= size_of(term) or 0
    raise LayoutError(f"{source.where} has no axis {axis!r}: {stored.layout}")


def widened(param: Param, widths: Mapping[Axis, tuple[int, int]]) -> tuple[Param, dict[Axis, Axis]]:
    """A weight with zeros around some axes, as positions of these axes are counted.

    Args:
        param: The weight as a node uses it.
        widths: Zeros before and after, by axis.

    Returns:
        The wider weight, and the axis that each of the widened ones has become.
    """
    grown = {axis: Axis(axis.role, (axis.size or 0) + sum(more)) for axis, more in widths.items()}
    sources: list[Source] = []
    layouts: list[Stored] = []
    for source, stored in zip(param.weight.sources, param.stored, strict=True):
        atoms = expand(stored.layout.terms)
        around = [_around(atom, widths) for atom in atoms]
        sources.append(WidenedSource(source, [size_of(atom) or 0 for atom in atoms], around))
        layouts.append(Stored(Layout(_grown(stored.layout.terms, grown)), stored.at))
    weight = Weight(param.weight.name, tuple(sources), trainable=param.weight.trainable)
    return Param(weight, tuple(layouts)), grown


def _around(atom: Term, widths: Mapping[Axis, tuple[int, int]]) -> tuple[int, int]:
    """Zeros before and after one dimension as it is stored: the other way round if reversed."""
    if isinstance(atom, Reversed):
        before, after = widths.get(atom.axis, (0, 0))
        return after, before
    return widths.get(atom, (0, 0)) if isinstance(atom, Axis) else (0, 0)


def _grown(terms: Sequence[Term], grown: Mapping[Axis, Axis]) -> tuple[Term, ...]:
    def one(atom: Term) -> Term:
        if isinstance(atom, Reversed):
            return Reversed(grown.get(atom.axis, atom.axis))
        return grown.get(atom, atom) if isinstance(atom, Axis) else atom

    return tuple(fuse(one(atom) for atom in expand((term,))) for term in terms)
