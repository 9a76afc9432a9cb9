"""Numbers of an archive as sources: in the file itself, in memory, or decoded at first use."""

from __future__ import annotations

import math
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from ....errors import FormatError, KerasirError, show
from ....ir.source import Array, ArraySource, FileSource, FileStamp, Source
from ....isolate import Limits, run
from ..gates import MIB
from .dataset import BFLOAT16, Extent
from .decode import decode


class StampedFile:
    """Opens a file at first use, if it is still the file that it was; closed when forgotten."""

    __slots__ = ("__weakref__", "_fd", "_lock", "stamp")

    def __init__(self, stamp: FileStamp) -> None:
        self.stamp = stamp
        self._fd: int | None = None
        self._lock = threading.Lock()

    def __call__(self) -> int:
        """The descriptor.

        Raises:
            FormatError: The file is gone, or is not what it was.
        """
        with self._lock:
            if self._fd is None:
                try:
                    self._fd = self.stamp.open()
                except OSError as error:
                    what = f"cannot be opened again: {error.strerror}"
                    raise FormatError(what, file=self.stamp.path) from None
                weakref.finalize(self, os.close, self._fd)
            return self._fd


class SpareFile:
    """A nameless temporary file; gone when forgotten."""

    __slots__ = ("__weakref__", "_file")

    def __init__(self) -> None:
        import tempfile

        try:
            # Not closed here: it lasts as long as the sources that read from it.
            self._file = tempfile.TemporaryFile(prefix="kerasir-", buffering=0)  # ruff: ignore[open-file-with-context-handler]
        except OSError as error:
            what = f"no temporary file can be made: {error.strerror}"
            raise FormatError(what, hint="set TMPDIR to a folder that can be written") from None
        weakref.finalize(self, self._file.close)

    def __call__(self) -> int:
        """The descriptor."""
        return self._file.fileno()


class Home(msgspec.Struct, frozen=True):
    """Where the HDF5 file of an archive lies.

    Attributes:
        file: The file as messages name it.
        opener: Gives the descriptor.
        start: Byte at which the HDF5 file begins.
        size: Its size in bytes.
        isolated: Whether to decode in a process of its own.
    """

    file: str
    opener: Callable[[], int]
    start: int
    size: int
    isolated: bool

    def source(self, extent: Extent) -> Source:
        """The numbers that an extent describes."""
        dtype = np.dtype("<u2" if extent.dtype == BFLOAT16 else extent.dtype)
        where = f"{self.file}:{show(extent.path)}"
        source: Source
        if extent.data is not None:
            numbers = np.frombuffer(extent.data, dtype).reshape(extent.shape)
            source = ArraySource(numbers, where)
        elif extent.offset is not None:
            at = self.start + extent.offset
            source = FileSource(self.opener, at, extent.shape, dtype, where)
        else:
            source = DecodedSource(self, extent, dtype, where)
        return BFloat16Source(source) if extent.dtype == BFLOAT16 else source


def stored_bytes(source: Source) -> int:
    """Bytes that the numbers take in their file."""
    width = 2 if isinstance(source, BFloat16Source) else source.dtype.itemsize
    return math.prod(source.shape) * width


class DecodedSource:
    """A chunked or compressed dataset; decoded as a whole into a temporary file at first use."""

    __slots__ = ("_extent", "_home", "_lock", "_numbers", "dtype", "shape", "where")

    def __init__(self, home: Home, extent: Extent, dtype: np.dtype[Any], where: str) -> None:
        self._home, self._extent = home, extent
        self.dtype, self.shape, self.where = dtype, extent.shape, where
        self._lock = threading.Lock()
        self._numbers: FileSource | None = None

    def read_into(self, start: int, out: Array) -> None:
        """Read elements from `start` on.

        Raises:
            FormatError: It cannot be decoded.
        """
        with self._lock:
            if self._numbers is None:
                self._numbers = self._decode()
        self._numbers.read_into(start, out)

    def _decode(self) -> FileSource:
        home, extent = self._home, self._extent
        spare = SpareFile()
        fds = (home.opener(), spare())
        args = (fds[0], home.start, home.size, extent.path, extent.dtype, extent.shape, fds[1])
        try:
            if home.isolated:
                seconds = 10 + extent.nbytes // (10 * MIB)
                limits = Limits(cpu=seconds, wall=60 + 10 * seconds)
                run(decode, *args, result=int, limits=limits, keep=fds)
            else:
                decode(*args)
        except KerasirError as error:
            error.at(show(extent.path), file=home.file)
            raise
        return FileSource(spare, 0, self.shape, self.dtype, self.where)


class BFloat16Source:
    """Numbers stored as bfloat16, widened to float32, which holds each of them exactly.

    A bfloat16 is the upper half of the bits of a float32.

    Attributes:
        bits: As they are stored, as whole numbers.
    """

    __slots__ = ("bits", "dtype", "shape", "where")

    def __init__(self, bits: Source) -> None:
        self.bits, self.shape, self.where = bits, bits.shape, bits.where
        self.dtype = np.dtype(np.float32)

    def read_into(self, start: int, out: Array) -> None:
        """Read elements from `start` on."""
        bits = np.empty(out.size, self.bits.dtype)
        self.bits.read_into(start, bits)
        np.left_shift(bits, 16, out=out.view(np.uint32), dtype=np.uint32)
