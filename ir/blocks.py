"""Reading a strided box of a source block by block, in runs as long as they come.

A block is chosen to be good on both sides: its reads are long in the source, its runs are long in
the destination, and it fits a core's own cache, where the crossing is done.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from .copyplan import Piece, strided
from .source import Array, Source

LARGEST = 1 << 20
"""Bytes of a block: what a core's own cache holds."""

SEGMENT = 64 << 10
"""Bytes from which on a longer read gains nothing."""

GAP = 16 << 10
"""Bytes that are faster read and not used than skipped by another read."""

PAD = 17
"""Elements between rows: strides of powers of two would all fall on the same cache lines."""

COLLIDING = 4096
"""Bytes after which addresses fall on the same lines of the first cache."""


class Scratch:
    """Two buffers of a block, made when first needed: one to read into, one to pad rows in."""

    __slots__ = ("_buffers", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = min(limit // 2, LARGEST)
        self._buffers = [np.empty(0, np.uint8)] * 2

    def buffer(self, index: int, count: int, dtype: np.dtype[Any]) -> Array:
        """One of the two, with room for so many elements; what it held is lost."""
        nbytes = count * dtype.itemsize
        if self._buffers[index].size < nbytes:
            self._buffers[index] = np.empty(nbytes, np.uint8)
        return self._buffers[index][:nbytes].view(dtype)


def blocks(source: Source, box: Piece, scratch: Scratch) -> Iterator[tuple[Piece, Array]]:
    """Cut a box into blocks and read them.

    Yields:
        The block, and its numbers: a view with the block's extents, valid until the next one.
    """
    box = _forwards(box)
    blocking = Blocking.of(box, source.dtype.itemsize, scratch.limit)
    for block in blocking.cut(box):
        yield block, _padded(blocking.read(source, block, scratch), scratch)


class Blocking(msgspec.Struct, frozen=True):
    """How a box is cut.

    Attributes:
        sizes: Extents of a block.
        inner: Dimensions that lie within one read; the others take a read for each index.
    """

    sizes: tuple[int, ...]
    inner: frozenset[int]

    @classmethod
    def of(cls, box: Piece, itemsize: int, limit: int) -> Blocking:
        """First long reads in the source, then long runs in the destination.

        Args:
            box: What is to be cut.
            itemsize: Bytes of a stored element.
            limit: Bytes that a block may take.
        """
        room = limit // itemsize
        sizes, inner = _segment(box, min(room, SEGMENT // itemsize), GAP // itemsize)
        steps = box.source_strides
        span = 1 + sum((sizes[d] - 1) * steps[d] for d in inner)
        rows = 1
        for d in reversed(range(len(sizes))):
            if d in inner:
                more = (room // rows - PAD - span) // steps[d]
                more = max(0, min(box.sizes[d] - sizes[d], more))
                sizes[d], span = sizes[d] + more, span + more * steps[d]
            else:
                sizes[d] = max(1, min(box.sizes[d], room // (rows * (span + PAD))))
                rows *= sizes[d]
        return cls(tuple(sizes), inner)

    def cut(self, box: Piece) -> Iterator[Piece]:
        """The blocks of a box."""
        starts = (range(0, size, step) for size, step in zip(box.sizes, self.sizes, strict=True))
        for start in itertools.product(*starts):
            left = map(operator.sub, box.sizes, start)
            yield box.cut(start, tuple(map(min, self.sizes, left)))

    def read(self, source: Source, block: Piece, scratch: Scratch) -> Array:
        """The numbers of a block: a view of the scratch, where each read is a row."""
        outer = [d for d in range(len(block.sizes)) if d not in self.inner]
        span = 1 + sum((block.sizes[d] - 1) * block.source_strides[d] for d in self.inner)
        row = total = span + PAD
        steps = list(block.source_strides)
        for d in reversed(outer):
            steps[d], total = total, total * block.sizes[d]
        held = scratch.buffer(0, total, source.dtype)
        starts = offsets(
            block.source_offset,
            [block.sizes[d] for d in outer],
            [block.source_strides[d] for d in outer],
        )
        for number, start in enumerate(starts):
            source.read_into(start, held[number * row : number * row + span])
        return strided(held, 0, block.sizes, steps)


def offsets(first: int, sizes: Sequence[int], strides: Sequence[int]) -> list[int]:
    """Where each index of a box lies, in row-major order of the indices."""
    found = np.array([first])
    for size, step in zip(sizes, strides, strict=False):
        found = np.add.outer(found, step * np.arange(size)).reshape(-1)
    places: list[int] = found.tolist()
    return places


def _segment(box: Piece, room: int, gap: int) -> tuple[list[int], frozenset[int]]:
    """Extents of what one read covers, and the dimensions that lie in it."""
    sizes, inner, span = [1] * len(box.sizes), set[int](), 1
    for step, d in sorted((step, d) for d, step in enumerate(box.source_strides)):
        if step - span > gap:
            break
        inner.add(d)
        sizes[d] = max(1, min(box.sizes[d], (room - span) // step + 1))
        span += (sizes[d] - 1) * step
        if sizes[d] < box.sizes[d]:
            break
    return sizes, frozenset(inner)


def _forwards(box: Piece) -> Piece:
    """The same box walked so that the source is read forwards; the destination may run back."""
    back = [step < 0 for step in box.source_strides]
    last = [size - 1 if b else 0 for size, b in zip(box.sizes, back, strict=True)]
    there = box.cut(last, box.sizes)
    signs = [-1 if b else 1 for b in back]
    return Piece(
        box.sizes,
        there.source_offset,
        tuple(map(operator.mul, signs, box.source_strides)),
        there.offset,
        tuple(map(operator.mul, signs, box.strides)),
    )


def _padded(held: Array, scratch: Scratch) -> Array:
    """The numbers where walking along the last dimension does not come back to one cache line."""
    if not held.ndim or held.shape[-1] < 8 or held.strides[-1] % COLLIDING:
        return held
    last, total = held.ndim - 1, 1
    steps = [0] * held.ndim
    for d in sorted(range(held.ndim), key=held.strides.__getitem__):
        total += PAD if d == last else 0
        steps[d], total = total, total * held.shape[d]
    padded = strided(scratch.buffer(1, total, held.dtype), 0, held.shape, steps)
    padded[...] = held
    return padded
