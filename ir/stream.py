"""The second executor of copy plans: any weight into a writer, within a budget of memory.

The destination is made in chunks, one after the other, so that every write is sequential. A chunk
is gathered from the part of each piece that falls into it; a part is gathered block by block: the
runs of the source that a block needs are read as long as they are, then copied across.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from ..errors import KerasirError
from .blocks import Scratch, blocks, offsets
from .copyplan import CopyPlan, Piece, assign, strided
from .layout import Layout
from .source import Array, FileSource, Source
from .tensor import Param, extents

Write = Callable[[int, Array], None]
"""Called with the first element's place in the destination and a flat array, valid for the call."""

BUDGET = 16 << 20
"""Bytes of memory that moving one weight of any size may take."""

SMALLEST_BUDGET = 64
"""Bytes: so little is of use to tests only."""

CHUNK_OF_RUNS = 4 << 20
"""Bytes of a chunk that needs no transposing: more gains nothing and leaves the caches."""

DIRECT = 4 << 10
"""Bytes from which on a run common to both sides is read straight into its place."""


class Workspace:
    """The buffers of a stream, kept from weight to weight: fresh memory costs page faults."""

    __slots__ = ("_chunk", "budget", "scratch")

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget = max(budget, SMALLEST_BUDGET)
        self.scratch = Scratch(self.budget // 4)
        self._chunk = np.empty(0, np.uint8)

    def chunk(self, count: int, dtype: np.dtype[Any]) -> Array:
        """Room for the destination's next numbers; what it held is lost."""
        if self._chunk.size < count * dtype.itemsize:
            self._chunk = np.empty(0, np.uint8)  # let go of the old one first
            self._chunk = np.empty(count * dtype.itemsize, np.uint8)
        return self._chunk[: count * dtype.itemsize].view(dtype)


def stream(
    param: Param,
    wanted: Layout,
    dtype: Any,
    write: Write,
    *,
    span: tuple[int, int] | None = None,
    budget: int = BUDGET,
    workspace: Workspace | None = None,
) -> None:
    """Write a weight in the layout `wanted`: each number once, from the first to the last.

    Args:
        param: The weight as a node uses it.
        wanted: The layout to write; all sizes known.
        dtype: What to write; numbers are converted on the way.
        write: Gets each chunk.
        span: Write only these numbers of the destination: the first, and the one behind the last.
        budget: Bytes of memory to take at most, whatever the size of the weight.
        workspace: Buffers to use again; brings its own budget.

    Raises:
        LayoutError: The stored layouts and `wanted` are not made of the same axes.
        WeightError: The sources do not hold what the layouts say, or a number does not fit.
        FormatError: A file ends before its numbers.
    """
    room, kind = workspace or Workspace(budget), np.dtype(dtype)
    try:
        _run(param.plans(wanted), span or (0, math.prod(extents(wanted))), kind, write, room)
    except KerasirError as error:
        error.at(param.weight.name)
        raise


def plain_range(param: Param, wanted: Layout, dtype: Any) -> FileSource | None:
    """The bytes of a file that are the weight as it is wanted, if there are such bytes."""
    plans = param.plans(wanted)
    source, copy = plans[0]
    if len(plans) == 1 and isinstance(source, FileSource) and _is_plain(source, copy, dtype):
        return source
    return None


def _is_plain(source: Source, copy: CopyPlan, dtype: Any) -> bool:
    return copy.is_plain and source.dtype == np.dtype(dtype)


def _run(
    plans: Sequence[tuple[Source, CopyPlan]],
    span: tuple[int, int],
    dtype: np.dtype[Any],
    write: Write,
    room: Workspace,
) -> None:
    plain = len(plans) == 1 and _is_plain(*plans[0], dtype)
    parts = [
        _Part(source, piece, plain or _is_direct(piece, source.dtype, dtype))
        for source, copy in plans
        for piece in ((_whole(copy),) if plain else copy.pieces)
        if piece.count
    ]
    nbytes = 3 * room.budget // 4
    if all(part.direct for part in parts):
        nbytes = min(nbytes, CHUNK_OF_RUNS)
    first, end = span
    size = max(1, min(end - first, nbytes // dtype.itemsize))
    for start in range(first, end, size):
        chunk = room.chunk(min(size, end - start), dtype)
        for part in parts:
            for box in _clip(part.piece, start, start + chunk.size):
                part.gather(box, start, chunk, room)
        write(start, chunk)


class _Part(msgspec.Struct, frozen=True):
    """A piece and where it comes from; `direct` if its runs need no scratch."""

    source: Source
    piece: Piece
    direct: bool

    def gather(self, box: Piece, start: int, chunk: Array, room: Workspace) -> None:
        """Fill the box, a part of the piece, into the chunk that begins at `start`."""
        if self.direct:
            run, outer = _common_run(box)
            places = offsets(box.offset - start, box.sizes[:outer], box.strides)
            sources = offsets(box.source_offset, box.sizes[:outer], box.source_strides)
            for place, source in zip(places, sources, strict=True):
                self.source.read_into(source, chunk[place : place + run])
            return
        for block, here in blocks(self.source, box, room.scratch):
            assign(strided(chunk, block.offset - start, block.sizes, block.strides), here)


def _whole(copy: CopyPlan) -> Piece:
    return Piece((copy.count,), 0, (1,), 0, (1,))


def _common_run(box: Piece) -> tuple[int, int]:
    """Elements that follow each other on both sides, and the number of dimensions outside."""
    run, outer = 1, len(box.sizes)
    while outer and box.strides[outer - 1] == box.source_strides[outer - 1] == run:
        run, outer = run * box.sizes[outer - 1], outer - 1
    return run, outer


def _is_direct(piece: Piece, stored: np.dtype[Any], dtype: np.dtype[Any]) -> bool:
    return stored == dtype and _common_run(piece)[0] * dtype.itemsize >= DIRECT


def _clip(box: Piece, low: int, high: int) -> Iterator[Piece]:
    """The parts of a box whose destination is in `low` to `high`: a few boxes.

    The dimensions nest, so only the first and the last index of each can be cut in two.
    """
    reach = sum((size - 1) * step for size, step in zip(box.sizes, box.strides, strict=True))
    if low <= box.offset and box.offset + reach < high:
        yield box
    elif low <= box.offset + reach and box.offset < high:
        size, step = box.sizes[0], box.strides[0]
        inner = reach - (size - 1) * step

        def before(place: int) -> int:
            return min(size, max(0, -((box.offset - place) // step)))

        start, stop = before(low), max(before(low), before(high - inner))
        for index in itertools.chain(range(before(low - inner), start), range(stop, before(high))):
            yield from _clip(box.at(index), low, high)
        if start < stop:
            yield box.cut((start,), (stop - start, *box.sizes[1:]))
