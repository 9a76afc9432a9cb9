"""Numbers of an archive as sources: in the file itself, in memory, or decoded at first use."""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from typing import Any

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

    __slots__ = ("_file",)

    def __init__(self) -> None:
        try:
            # Not closed here: it lasts as long as the sources that read from it.
            self._file = tempfile.TemporaryFile(prefix="kerasir-", buffering=0)  # ruff: ignore[open-file-with-context-handler]
        except OSError as error:
            what = f"no temporary file can be made: {error.strerror}"
            raise FormatError(what, hint="set TMPDIR to a folder that can be written") from None

    def __call__(self) -> int:
        """The descriptor."""
        return self._file.fileno()


class DecodedSource:
    """A chunked or compressed dataset; decoded as a whole into a temporary file at first use."""

    __slots__ = ("_extent", "_isolated", "_lock", "_numbers", "_opener", "_span", "dtype",
                 "shape", "where")  # fmt: skip

    def __init__(self, opener: Any, span: tuple[int, int], extent: Extent, where: str,
                 *, isolated: bool) -> None:  # fmt: skip
        self._opener, self._span, self._extent, self._isolated = opener, span, extent, isolated
        self.dtype, self.shape, self.where = _dtype(extent), extent.shape, where
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
        spare = SpareFile()
        fds = (self._opener(), spare())
        args = (fds[0], *self._span, self._extent, fds[1])
        try:
            if self._isolated:
                seconds = 10 + self._extent.nbytes // (10 * MIB)
                limits = Limits(cpu=seconds, wall=60 + 10 * seconds)
                run(decode, *args, result=int, limits=limits, keep=fds)
            else:
                decode(*args)
        except KerasirError as error:
            error.at(show(self.where))
            raise
        return FileSource(spare, 0, self.shape, self.dtype, self.where)


class BFloat16Source:
    """Numbers stored as bfloat16, widened to float32, which holds each of them exactly.

    A bfloat16 is the upper half of the bits of a float32.
    """

    __slots__ = ("_bits", "dtype", "shape", "where")

    def __init__(self, bits: Source) -> None:
        self._bits, self.shape, self.where = bits, bits.shape, bits.where
        self.dtype = np.dtype(np.float32)

    def read_into(self, start: int, out: Array) -> None:
        """Read elements from `start` on."""
        bits = np.empty(out.size, self._bits.dtype)
        self._bits.read_into(start, bits)
        np.left_shift(bits, 16, out=out.view(np.uint32), dtype=np.uint32)


def _dtype(extent: Extent) -> np.dtype[Any]:
    return np.dtype("<u2" if extent.dtype == BFLOAT16 else extent.dtype)


def make_source(
    opener: Any, span: tuple[int, int], extent: Extent, where: str, *, isolated: bool
) -> Source:
    """The source of what an extent describes.

    Args:
        opener: Gives the descriptor of the file.
        span: First byte of the HDF5 file, and its size.
        extent: Where the numbers lie in it.
        where: How messages name the place.
        isolated: Whether decoding takes place in a process of its own.
    """
    source: Source
    if extent.data is not None:
        values = np.frombuffer(extent.data, _dtype(extent)).reshape(extent.shape)
        source = ArraySource(values, where)
    elif extent.offset is not None:
        source = FileSource(opener, span[0] + extent.offset, extent.shape, _dtype(extent), where)
    else:
        source = DecodedSource(opener, span, extent, where, isolated=isolated)
    return BFloat16Source(source) if extent.dtype == BFLOAT16 else source
