"""Where numbers go: a file whose layout is fixed first and whose tensors are filled afterwards.

A sink is used in this order:

    sink.declare(name, dtype, shape)     # every tensor; gives its index
    with writing(sink, destination):     # plan, open, and at the end close; all files or none
        sink.write(index, start, data)   # in any order of tensors and of places

What is held in memory grows with the number of tensors, never with their size.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import msgspec
import numpy as np

from ..errors import ExportError, FormatError, show
from ..ir.source import Array
from .target import FULL, Path, disk_error, targets

BUFFER = 1 << 20
"""Bytes copied at a time: they stay in the processor's cache between reading and writing.

At places that are not aligned alike, `copy_file_range` was measured to take a third longer.
"""


class Tensor(msgspec.Struct, frozen=True):
    """A tensor to be written.

    Attributes:
        name: As the file is to name it; unique in the file.
        dtype: As stored, byte order included.
        shape: Extents as stored; row-major.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Stored size in bytes."""
        return self.size * self.dtype.itemsize


class Place(msgspec.Struct, frozen=True):
    """Where a tensor's bytes begin: which of the sink's files, and the offset in it in bytes."""

    file: int
    offset: int


class Sink(Protocol):
    """What takes the numbers of declared tensors.

    Each element is to be written exactly once, by either way of writing; any order will do, and
    several threads at a time, since every write says its place.
    """

    @property
    def tensors(self) -> Sequence[Tensor]:
        """What was declared; the position is the index."""
        ...

    def declare(self, name: str, dtype: Any, shape: Sequence[int]) -> int:
        """Announce a tensor, before anything is written; returns its index.

        Raises:
            ExportError: The file cannot hold it under that name or in that dtype.
        """
        ...

    def write(self, index: int, start: int, data: Array) -> None:
        """Put flat, contiguous `data` at element `start` of a tensor; dtype as declared.

        Raises:
            ExportError: It is not what was declared.
            DiskError: The disk is full.
        """
        ...

    def copy_from(self, index: int, start: int, fd: int, offset: int, nbytes: int) -> None:
        """Put `nbytes` bytes of an open file, from `offset` on, at element `start` of a tensor.

        For bytes that are stored just as declared: no array is made of them.

        Raises:
            FormatError: The open file ends before them.
            ExportError, DiskError: As `write`.
        """
        ...


class FileSink:
    """A sink of files whose tensors lie in one piece each. A subclass says where: `_lay_out`."""

    def __init__(self) -> None:
        self._tensors: list[Tensor] = []
        self._names: set[str] = set()
        self._missing: list[int] = []
        self._unclaimed: list[int] = []
        self._places: Sequence[Place] = ()
        self._paths: tuple[str, ...] = ()
        self._fds: list[int] = []
        self._counting = threading.Lock()

    @property
    def tensors(self) -> Sequence[Tensor]:
        """What was declared; the position is the index."""
        return self._tensors

    def declare(self, name: str, dtype: Any, shape: Sequence[int]) -> int:
        """As of `Sink`."""
        tensor = Tensor(name, np.dtype(dtype), tuple(map(int, shape)))
        if not encodable(name):
            raise ExportError("the name cannot be written in UTF-8", where=show(name))
        if name in self._names:
            raise ExportError("two tensors of this name", where=show(name))
        if tensor.dtype.hasobject or any(size < 0 for size in tensor.shape):
            raise ExportError(f"cannot write {dtype} of shape {tensor.shape}", where=show(name))
        self._names.add(name)
        self._tensors.append(tensor)
        self._missing.append(tensor.nbytes)
        self._unclaimed.append(tensor.nbytes)
        return len(self._tensors) - 1

    def plan(self, destination: Path) -> tuple[str, ...]:
        """The files that writing to `destination` makes, itself first; nothing is declared later.

        Raises:
            ExportError: The format cannot hold what was declared.
        """
        return (os.fspath(destination),)

    def open(self, *paths: str) -> None:
        """Write everything but the numbers to the (existing) files at `paths`, ordered as planned.

        Raises:
            DiskError: The disk is full.
        """
        self._paths = paths
        for path in paths:
            self._fds.append(os.open(path, os.O_RDWR | os.O_CLOEXEC))
        self._places = self._lay_out(paths)

    def _lay_out(self, paths: tuple[str, ...]) -> Sequence[Place]:
        """Write all but the numbers, fix the files' sizes, return the place of each tensor."""
        raise NotImplementedError

    def write(self, index: int, start: int, data: Array) -> None:
        """As of `Sink`."""
        tensor = self._tensors[index]
        if data.dtype != tensor.dtype or data.ndim != 1:
            raise ExportError(
                f"got {data.dtype} of shape {data.shape} for {tensor.dtype}",
                where=show(tensor.name),
            )
        place = self._claim(index, start, data.nbytes)
        if data.nbytes:
            self._put(place, data.view(np.uint8).data)
            self._note_written(index, data.nbytes)

    def copy_from(self, index: int, start: int, fd: int, offset: int, nbytes: int) -> None:
        """As of `Sink`."""
        place, done = self._claim(index, start, nbytes), 0
        room = memoryview(bytearray(min(BUFFER, nbytes)))
        while done < nbytes:
            count = os.preadv(fd, [room[: nbytes - done]], offset + done)
            if count == 0:
                name = show(self._tensors[index].name)
                raise FormatError("the file ends before this weight", where=name)
            self._put(Place(place.file, place.offset + done), room[:count])
            self._note_written(index, count)
            done += count

    def close(self) -> None:
        """Close the files.

        Raises:
            ExportError: Something that was declared was not written.
            DiskError: The disk turns out to be full.
        """
        for tensor, missing in zip(self._tensors, self._missing, strict=True):
            if missing:
                raise ExportError(
                    f"{missing:,} of {tensor.nbytes:,} bytes were not written",
                    where=show(tensor.name),
                )
        try:
            self._finish()
            while self._fds:
                os.close(self._fds.pop())
        except OSError as error:
            raise self._failure(error) from error

    def _finish(self) -> None:
        """Write what can only be written when all numbers are there."""

    def abandon(self) -> None:
        """Close the files, finished or not; after `close` there is nothing to do."""
        while self._fds:
            with suppress(OSError):  # what the files hold no longer matters
                os.close(self._fds.pop())

    def _claim(self, index: int, start: int, nbytes: int) -> Place:
        """Where bytes belong, if nobody has written them, nor is about to."""
        tensor = self._tensors[index]
        first = start * tensor.dtype.itemsize
        with self._counting:
            left = self._unclaimed[index]
            if start < 0 or first + nbytes > tensor.nbytes or nbytes > left:
                raise ExportError(
                    f"{nbytes:,} bytes at element {start:,} do not fit in {tensor.nbytes:,} bytes "
                    f"of which {left:,} are missing",
                    where=show(tensor.name),
                )
            self._unclaimed[index] = left - nbytes
        place = self._places[index]
        return Place(place.file, place.offset + first)

    def _note_written(self, index: int, nbytes: int) -> None:
        with self._counting:
            self._missing[index] -= nbytes

    def _put(self, place: Place, data: memoryview | bytes) -> None:
        """Write bytes at a place."""
        view, done = memoryview(data), 0
        try:
            while done < len(view):
                done += os.pwrite(self._fds[place.file], view[done:], place.offset + done)
        except OSError as error:
            raise self._failure(error) from error

    def _resize(self, file: int, nbytes: int) -> None:
        """Give a file its final size; what is not written yet takes no room."""
        try:
            os.ftruncate(self._fds[file], nbytes)
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> ExportError:
        """The error for a disk that refused bytes."""
        total = sum(tensor.nbytes for tensor in self._tensors)
        folder = os.path.dirname(self._paths[0]) or os.curdir
        if error.errno in FULL:
            return disk_error(error, folder, total - sum(self._missing), total)
        return ExportError(f"cannot be written: {error.strerror}", where="file")


def encodable(text: str) -> bool:
    """Whether a text can be written in UTF-8: one with lone surrogates cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def writing(
    sink: FileSink, destination: Path, *, overwrite: bool = False, durable: bool = False
) -> Generator[FileSink]:
    """Fill a sink whose tensors are declared: its files appear whole at the end, or not at all.

    Args:
        sink: To be filled in the block.
        destination: The file to make; a sink may put others beside it.
        overwrite: Replace what exists.
        durable: Have the disk confirm it.

    Raises:
        UsageError: The destination exists and may not be overwritten, or is no regular file.
        ExportError: The format cannot hold what was declared, or something was not written.
        DiskError: The disk is full.
    """
    with targets(sink.plan(destination), overwrite=overwrite, durable=durable) as paths:
        try:
            sink.open(*paths)
            yield sink
            sink.close()
        finally:
            sink.abandon()
