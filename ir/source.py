"""Stored numbers that can be read piece by piece: the lazy end of every tensor."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ..errors import FormatError

Array = np.ndarray[Any, np.dtype[Any]]


@runtime_checkable
class Source(Protocol):
    """Numbers of one dtype in row-major order, read by ranges of elements.

    Attributes:
        dtype: NumPy dtype as stored, byte order included.
        shape: Extents as stored.
        where: The place as a message names it, such as `old.h5:/conv1/conv1_W`.
    """

    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def where(self) -> str: ...

    def read_into(self, start: int, out: Array) -> None:
        """Fill the flat, contiguous `out` (same dtype) with elements from `start` on."""
        ...


class ArraySource:
    """An array in memory."""

    __slots__ = ("_flat", "dtype", "shape", "where")

    def __init__(self, array: Array, where: str = "memory") -> None:
        self._flat = np.ascontiguousarray(array).reshape(-1)
        self.dtype, self.shape, self.where = array.dtype, array.shape, where

    def read_into(self, start: int, out: Array) -> None:
        """Copy elements from `start` on."""
        out[...] = self._flat[start : start + out.size]


class ConstantSource:
    """One number, as often as the shape asks; takes no memory."""

    __slots__ = ("dtype", "shape", "value", "where")

    def __init__(self, value: float, shape: tuple[int, ...], dtype: Any = np.float32) -> None:
        self.value, self.shape, self.dtype = value, shape, np.dtype(dtype)
        self.where = f"constant {value}"

    def read_into(self, start: int, out: Array) -> None:
        """Fill with the number; one that is too large for the dtype is infinite there."""
        with np.errstate(over="ignore"):
            out[...] = self.value


class FileStamp:
    """What a file was when it was first looked at: inode, size in bytes, time of change in ns."""

    __slots__ = ("inode", "mtime_ns", "path", "size")

    def __init__(self, path: str, inode: int, size: int, mtime_ns: int) -> None:
        self.path, self.inode, self.size, self.mtime_ns = path, inode, size, mtime_ns

    @classmethod
    def of(cls, path: str, fd: int) -> FileStamp:
        """The stamp of an open file."""
        state = os.fstat(fd)
        return cls(path, state.st_ino, state.st_size, state.st_mtime_ns)

    def open(self) -> int:
        """Open the file again.

        Raises:
            FormatError: It is not the file it was.
        """
        fd = os.open(self.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | os.O_CLOEXEC)
        now = FileStamp.of(self.path, fd)
        if (now.inode, now.size, now.mtime_ns) != (self.inode, self.size, self.mtime_ns):
            os.close(fd)
            raise FormatError(
                "the file changed while it was being used", file=self.path, hint="run again"
            )
        return fd


class FileSource:
    """A contiguous run of bytes in a file, read by position; the file is opened at first use.

    `opener` gives a descriptor that stays open; sources of one file share it.
    """

    __slots__ = ("_opener", "dtype", "offset", "shape", "where")

    def __init__(
        self,
        opener: Callable[[], int],
        offset: int,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        where: str,
    ) -> None:
        self._opener, self.offset = opener, offset
        self.shape, self.dtype, self.where = shape, dtype, where

    @property
    def nbytes(self) -> int:
        """Stored size in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

    def descriptor(self) -> int:
        """The open file, for copies that the kernel can do."""
        return self._opener()

    def read_into(self, start: int, out: Array) -> None:
        """Read elements from `start` on, straight into `out`.

        Raises:
            FormatError: The file ends before them.
        """
        view = out.view(np.uint8).data
        position = self.offset + start * self.dtype.itemsize
        done = 0
        while done < len(view):
            count = os.preadv(self._opener(), [view[done:]], position + done)
            if count == 0:
                raise FormatError("the file ends before this weight", where=self.where)
            done += count


class PartSource:
    """A run of another source's elements, from `start` on, under a shape of its own."""

    __slots__ = ("dtype", "shape", "start", "where", "whole")

    def __init__(self, source: Source, start: int, shape: tuple[int, ...]) -> None:
        self.whole, self.start, self.shape = source, start, shape
        self.dtype, self.where = source.dtype, source.where

    def read_into(self, start: int, out: Array) -> None:
        """Read elements from `start` of this part on."""
        self.whole.read_into(self.start + start, out)

    def of(self, source: Source) -> PartSource:
        """The same run of another array's elements."""
        return PartSource(source, self.start, self.shape)


class GatheredSource:
    """Another source's elements in another order, and zeros where it has none.

    Attributes:
        places: Takes places in the shape, counted flat, and gives those in the whole; -1 for zero.
    """

    __slots__ = ("dtype", "places", "shape", "where", "whole")

    def __init__(
        self, source: Source, shape: tuple[int, ...], places: Callable[[Array], Array]
    ) -> None:
        self.whole, self.shape, self.places = source, shape, places
        self.dtype, self.where = source.dtype, source.where

    def read_into(self, start: int, out: Array) -> None:
        """Read elements from `start` on: all of the source between the first and last of them."""
        places = self.places(np.arange(start, start + out.size))
        inside = places >= 0
        out[...] = 0
        if not inside.any():
            return
        first = int(places[inside].min())
        held = np.empty(int(places.max()) - first + 1, self.dtype)
        self.whole.read_into(first, held)
        out[inside] = held[places[inside] - first]

    def of(self, source: Source) -> GatheredSource:
        """The elements of another array in the same order."""
        return GatheredSource(source, self.shape, self.places)


class ColumnsSource:
    """Some columns of another source's matrix, row by row."""

    __slots__ = ("_source", "_width", "dtype", "first", "shape", "where")

    def __init__(self, source: Source, first: int, count: int) -> None:
        rows, self._width = source.shape
        self._source, self.first, self.shape = source, first, (rows, count)
        self.dtype, self.where = source.dtype, source.where

    def read_into(self, start: int, out: Array) -> None:
        """Read elements from `start` on, a run per row."""
        done, count = 0, self.shape[1]
        while done < out.size:
            row, column = divmod(start + done, count)
            run = min(count - column, out.size - done)
            place = row * self._width + self.first + column
            self._source.read_into(place, out[done : done + run])
            done += run


class SumSource:
    """Numbers of several sources of one shape and dtype, added in double precision when read."""

    __slots__ = ("_sources", "dtype", "shape", "where")

    def __init__(self, *sources: Source) -> None:
        self._sources = sources
        self.dtype, self.shape = sources[0].dtype, sources[0].shape
        self.where = sources[0].where

    def read_into(self, start: int, out: Array) -> None:
        """Read elements from `start` on and add them; rounded once."""
        total, held = np.zeros(out.shape, np.float64), np.empty_like(out)
        for source in self._sources:
            source.read_into(start, held)
            total += held
        out[...] = total


class MappedSource:
    """Another source's numbers, each put through a function in double precision when read."""

    __slots__ = ("_function", "_source", "dtype", "shape", "where")

    def __init__(self, source: Source, function: Callable[[Array], Array]) -> None:
        self._source, self._function = source, function
        self.dtype, self.shape, self.where = source.dtype, source.shape, source.where

    def read_into(self, start: int, out: Array) -> None:
        """Read elements from `start` on and map them; rounded once."""
        held = np.empty_like(out)
        self._source.read_into(start, held)
        out[...] = self._function(held.astype(np.float64))


class AdaptedSource:
    """A kernel and what low-rank adaptation adds to it: `whole + scale * (first @ second)`.

    Rows run over all axes of the kernel but the last. Computed in double precision when read.
    """

    __slots__ = ("_first", "_scale", "_second", "_whole", "dtype", "shape", "where")

    def __init__(self, whole: Source, first: Source, second: Source, scale: float) -> None:
        self._whole, self._first, self._second, self._scale = whole, first, second, scale
        self.dtype, self.shape, self.where = whole.dtype, whole.shape, whole.where

    def read_into(self, start: int, out: Array) -> None:
        """Read the rows that hold elements from `start` on; rounded once."""
        rank, columns = self._second.shape
        begin, end = start // columns, -(-(start + out.size) // columns)
        rows = np.empty((end - begin) * rank, self._first.dtype)
        self._first.read_into(begin * rank, rows)
        second = np.empty(rank * columns, self._second.dtype)
        self._second.read_into(0, second)
        added = rows.astype(np.float64).reshape(-1, rank) @ second.reshape(rank, columns)
        held = np.empty_like(out)
        self._whole.read_into(start, held)
        skip = start - begin * columns
        out[...] = held + self._scale * added.reshape(-1)[skip : skip + out.size]
