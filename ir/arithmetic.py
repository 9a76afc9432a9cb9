"""Arithmetic on weights: lazy expressions over stored numbers, in double precision.

Nothing is read here. An expression is a weight like any other: its numbers are computed when they
are asked for, block by block where there are many, and rounded once, when they are written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence

import numpy as np

from .layout import Axis, Layout, Term, Terms, expand, key, keys, size_of
from .source import Array, ConstantSource, Source
from .stream import stream
from .tensor import Param, Stored, Weight, extents

DOUBLE = np.dtype(np.float64)


class ComputedSource:
    """Numbers computed as a whole when first read, and kept: as few as a bias has.

    Attributes:
        identity: Equal for expressions of the same numbers.
    """

    __slots__ = ("_compute", "_held", "dtype", "identity", "shape", "where")

    def __init__(
        self, shape: tuple[int, ...], compute: Callable[[], Array], identity: Hashable, where: str
    ) -> None:
        self.shape, self._compute, self.identity, self.where = shape, compute, identity, where
        self.dtype = DOUBLE
        self._held: Array | None = None

    def read_into(self, start: int, out: Array) -> None:
        """Copy elements from `start` on."""
        if self._held is None:
            self._held = np.ascontiguousarray(self._compute(), DOUBLE).reshape(-1)
        out[...] = self._held[start : start + out.size]


class ScaledSource:
    """Another source's numbers, each times that of a factor which runs along some dimensions.

    Attributes:
        identity: Equal for expressions of the same numbers.
    """

    __slots__ = ("_factor", "_held", "_source", "_within", "dtype", "identity", "shape", "where")

    def __init__(
        self, source: Source, factor: Callable[[], Array], within: int, identity: Hashable
    ) -> None:
        """Scale a source.

        Args:
            source: What is scaled.
            factor: Gives the factors, in order; they begin again behind the last.
            within: For how many neighbouring elements each factor counts.
            identity: See the class.
        """
        self._source, self._factor, self._within = source, factor, within
        self._held: Array | None = None
        self.identity = identity
        self.dtype, self.shape, self.where = DOUBLE, source.shape, source.where

    def read_into(self, start: int, out: Array) -> None:
        """Read elements from `start` on and scale them."""
        stored = np.empty(out.size, self._source.dtype)
        self._source.read_into(start, stored)
        np.multiply(stored, self._factors(start, out.size), out=out)

    def _factors(self, start: int, count: int) -> Array:
        """The factors of `count` elements from `start` on."""
        if self._held is None:
            self._held = np.ascontiguousarray(self._factor(), DOUBLE).reshape(-1)
        if self._held.size == 1 or not count:
            return self._held[:count]
        first, last = start // self._within, (start + count - 1) // self._within
        begin, end = first % self._held.size, first % self._held.size + last - first + 1
        chosen = np.tile(self._held, -(-end // self._held.size))[begin:end]
        if self._within == 1:
            return chosen
        offset = start - first * self._within
        return np.repeat(chosen, self._within)[offset : offset + count]


class DiagonalSource:
    """Numbers of groups, each in the columns of its own group, zeros in those of the others.

    Attributes:
        identity: Equal for expressions of the same numbers.
    """

    __slots__ = ("_group", "_held", "_own", "dtype", "identity", "shape", "where")

    def __init__(
        self,
        shape: tuple[int, ...],
        group: tuple[int, int],
        own: Callable[[], Array],
        made_of: Hashable,
    ) -> None:
        """Spread what groups have.

        Args:
            shape: Of the result, whose last dimensions are the rows and columns of all groups.
            group: Rows and columns of one.
            own: Gives their numbers, row by row.
            made_of: Equal for the same numbers.
        """
        self.shape, self._group, self._own, self.where = shape, group, own, "computed"
        self.dtype, self.identity = DOUBLE, ("diagonal", shape, group, made_of)
        self._held: Array | None = None

    def read_into(self, start: int, out: Array) -> None:
        """Compute elements from `start` on."""
        if self._held is None:
            self._held = np.ascontiguousarray(self._own(), DOUBLE).reshape(-1, self._group[1])
        out[...] = 0
        (height, columns), (tall, wide) = self.shape[-2:], self._group
        rows = np.arange(start // columns, -(-(start + out.size) // columns))
        first = rows * columns + rows % height // tall * wide - start
        places = first[:, None] + np.arange(wide)
        inside = (places >= 0) & (places < out.size)
        out[places[inside]] = self._held[rows][inside]


MOST_SPREAD = 1 << 30
"""Numbers of the largest matrix that is worth writing where most are zeros: 4 GiB."""


def identity_matrix(count: int) -> DiagonalSource:
    """Ones along the diagonal of a square."""
    return DiagonalSource((count, count), (1, 1), lambda: np.ones(count), "ones")


def source_identity(source: Source) -> Hashable:
    """Equal for sources of the same numbers: itself, or what it is made of."""
    if isinstance(source, ConstantSource):
        return ("constant", source.value, source.dtype, source.shape)
    if isinstance(source, (ComputedSource, DiagonalSource, ScaledSource)):
        return source.identity
    return id(source)


def identity(param: Param, layout: Layout) -> Hashable:
    """Equal for weights that are the same numbers in a layout."""
    plans = param.plans(layout)
    return (tuple((source_identity(source), copy) for source, copy in plans), extents(layout))


def combined(
    name: str, layout: Layout, what: str, function: Callable[..., Array], *params: Param
) -> Param:
    """A small weight made of others, number by number.

    Args:
        name: Of the weight.
        layout: Of the result. Each parameter spans some of its axes, and is repeated along the
            others.
        what: Stands for the function: equal texts for equal functions.
        function: Takes an array for each parameter; NumPy broadcasts them.
        params: The others.
    """
    atoms = expand(layout.terms)
    shape = extents(Layout(atoms))

    def compute() -> Array:
        return np.broadcast_to(function(*(_spread(param, atoms) for param in params)), shape)

    made_of = (what, shape, *(_spread_identity(param, atoms) for param in params))
    source = ComputedSource(extents(layout), compute, made_of, name)
    return Param(Weight(name, (source,)), (Stored(layout),))


def scaled(param: Param, factor: Param) -> Param:
    """A weight, each number times the factor of its place along the factor's axes."""
    sources = [
        _scaled(source, stored, factor)
        for source, stored in zip(param.weight.sources, param.stored, strict=True)
    ]
    old = param.weight
    new = Weight(
        old.name,
        tuple(sources),
        trainable=old.trainable,
        stored_names=old.stored_names,
        dtype=old.dtype,
    )
    return Param(new, param.stored)


def diagonal(
    param: Param, taps: Terms, groups: Terms, rows: Terms, columns: Terms
) -> tuple[Param, Axis, Axis]:
    """A kernel that works on each group by itself, as one that works on all at once.

    Args:
        param: The kernel.
        taps: Its terms along space.
        groups: Those of the groups.
        rows: Those of what a group is given.
        columns: Those of what comes of it.

    Returns:
        The kernel `taps channels filters`, and the axes of all channels and filters.
    """
    own = Layout((*taps, *groups, *rows, *columns))
    count, tall, wide = (math.prod(extents(Layout(terms))) for terms in (groups, rows, columns))
    channels, filters = Axis("I", count * tall), Axis("O", count * wide)
    layout = Layout((*taps, channels, filters))
    source = DiagonalSource(
        extents(layout), (tall, wide), lambda: param.numpy(own, DOUBLE), identity(param, own)
    )
    return Param(Weight(param.weight.name, (source,)), (Stored(layout),)), channels, filters


def summed(name: str, kernel: Param, layout: Layout) -> Param:
    """A small weight: the sums of a large one over all axes that the layout leaves out."""
    atoms = expand(layout.terms)
    whole = expand(kernel.stored[0].layout.terms)
    kept = keys(atoms)
    wanted = Layout((*(term for term in whole if not key(term) <= kept), *atoms))
    count = math.prod(extents(layout))

    def compute() -> Array:
        total = np.zeros(count)
        stream(kernel, wanted, DOUBLE, lambda start, data: _accumulate(total, start, data))
        return total

    source = ComputedSource(
        extents(layout), compute, ("sum", count, identity(kernel, wanted)), name
    )
    return Param(Weight(name, (source,)), (Stored(layout),))


def number(value: float) -> Param:
    """One number as a weight that spans no axis."""
    source = ConstantSource(value, (), DOUBLE)
    return Param(Weight(f"number {value}", (source,)), (Stored(Layout(())),))


def _scaled(source: Source, stored: Stored, factor: Param) -> ScaledSource:
    """The factor spread over the stored dimensions from the first of its axes to the last."""
    atoms = expand(stored.layout.terms)
    known = _span(factor)
    places = [index for index, term in enumerate(atoms) if key(term) <= known]
    first, last = (places[0], places[-1] + 1) if places else (0, 0)
    inner = atoms[first:last]
    shape, within = extents(Layout(inner)), math.prod(extents(Layout(atoms[last:])))

    def read() -> Array:
        return np.broadcast_to(_spread(factor, inner), shape)

    made_of = ("scaled", source_identity(source), shape, within, _spread_identity(factor, inner))
    return ScaledSource(source, read, within, made_of)


def _span(param: Param) -> frozenset[object]:
    """The axes that a weight runs along."""
    return keys(term for stored in param.stored for term in stored.layout.terms)


def _own(param: Param, atoms: Sequence[Term]) -> Layout:
    """The atoms that a weight runs along."""
    known = _span(param)
    return Layout(tuple(term for term in atoms if key(term) <= known))


def _spread(param: Param, atoms: Sequence[Term]) -> Array:
    """A weight with one dimension for each atom: of size one where it does not run along it."""
    own = _own(param, atoms)
    held = param.numpy(own, DOUBLE)
    return held.reshape([size_of(term) or 0 if term in own.terms else 1 for term in atoms])


def _spread_identity(param: Param, atoms: Sequence[Term]) -> Hashable:
    own = _own(param, atoms)
    return (tuple(term in own.terms for term in atoms), identity(param, own))


def _accumulate(total: Array, start: int, data: Array) -> None:
    """Add flat numbers to the totals, which they belong to in turn, beginning at `start`."""
    count = total.size
    begin = start % count
    head = min(count - begin, data.size) if begin else 0
    total[begin : begin + head] += data[:head]
    rows = (data.size - head) // count
    end = head + rows * count
    if rows:
        total += data[head:end].reshape(rows, count).sum(axis=0)
    total[: data.size - end] += data[end:]
