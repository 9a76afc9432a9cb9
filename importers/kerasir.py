"""Reads `.kerasir` files: the header within limits, the arrays when they are asked for."""

from __future__ import annotations

import os
import zlib
from typing import Any

import msgpack
import msgspec
import numpy as np

from ..errors import FormatError, KerasirError
from ..ir.model import Model
from ..ir.schema import ALIGNMENT, MAGIC, SCHEMA, ArrayData, Header
from ..ir.source import Array, FileSource, FileStamp
from ..ir.unpacking import unpack

LARGEST_HEADER = 64 << 20
"""Bytes that a header may take."""

MOST_ITEMS = 2_000_000
"""Entries that one list or map of a header may have."""

DTYPES = frozenset({
    "<f2",
    "<f4",
    "<f8",
    "|i1",
    "<i2",
    "<i4",
    "<i8",
    "|u1",
    "<u2",
    "<u4",
    "<u8",
    "|b1",
})
"""What an array may hold."""


def read_kerasir(path: str, *, check: bool = False) -> Model:
    """Read a model; the numbers stay in the file until they are asked for.

    Args:
        path: The file.
        check: Whether to read every array now and compare its checksum.

    Raises:
        FormatError: It is no `.kerasir` file, is cut short, or breaks a limit; with `check`, an
            array is not what was written.
    """
    try:
        return _read(path, check)
    except KerasirError as error:
        error.at(file=path)
        raise
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror}", file=path) from error


def _read(path: str, check: bool) -> Model:
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | os.O_CLOEXEC)
    try:
        stamp = FileStamp.of(path, fd)
        header, start = _header(fd, stamp.size)
    except BaseException:
        os.close(fd)
        raise
    opened = _Descriptor(fd)
    end = _check_places(header.arrays, start, stamp.size)
    sources = [
        FileSource(
            opened,
            start + array.offset,
            tuple(array.shape),
            np.dtype(array.dtype),
            f"{path}: array {number}",
        )
        for number, array in enumerate(header.arrays)
    ]
    if check:
        _compare(sources, opened, end)
    return unpack(header, sources)


class _Descriptor:
    """An open file that the sources share; closed when the last of them goes."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __call__(self) -> int:
        return self.fd

    def __del__(self) -> None:
        os.close(self.fd)


def _header(fd: int, size: int) -> tuple[Header, int]:
    head = os.pread(fd, len(MAGIC) + 8, 0)
    if head[: len(MAGIC)] != MAGIC or len(head) < len(MAGIC) + 8:
        raise FormatError("not a .kerasir file: it does not begin as one")
    length = int.from_bytes(head[len(MAGIC) :], "little")
    if length > min(LARGEST_HEADER, size):
        raise FormatError(f"its header claims {length:,} bytes, the file has {size:,}")
    packed = os.pread(fd, length, len(head))
    if len(packed) < length:
        raise FormatError("the file ends inside its header")
    start = -(-(len(head) + length) // ALIGNMENT) * ALIGNMENT
    return _decoded(packed), start


def _decoded(packed: bytes) -> Header:
    """The header: decoded within limits first, its types then checked one by one."""
    try:
        plain = msgpack.unpackb(
            packed,
            raw=False,
            strict_map_key=True,
            object_pairs_hook=_no_duplicates,
            max_array_len=MOST_ITEMS,
            max_map_len=MOST_ITEMS,
            max_ext_len=0,
            max_bin_len=0,
        )
    except (ValueError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise FormatError(f"its header is damaged: {type(error).__name__}") from error
    schema = plain.get("schema") if isinstance(plain, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise FormatError(f"written by a newer kerasir (schema {schema})", hint="upgrade kerasir")
    try:
        return msgspec.convert(plain, Header)
    except msgspec.ValidationError as error:
        raise FormatError(f"its header does not fit: {error}") from error


def _no_duplicates(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key comes twice")
    return found


def _check_places(arrays: list[ArrayData], start: int, size: int) -> int:
    """Arrays lie one behind the other without gap or overlap, and fill the file."""
    at = 0
    for number, array in enumerate(arrays):
        if array.dtype not in DTYPES or any(n < 0 for n in array.shape):
            raise FormatError(f"array {number} of dtype {array.dtype!r:.40}, shape {array.shape}")
        count = 1
        for extent in array.shape:
            count *= extent
        if array.offset != at or array.nbytes != count * np.dtype(array.dtype).itemsize:
            raise FormatError(f"array {number} is not where or as large as it says")
        at += -(-array.nbytes // ALIGNMENT) * ALIGNMENT
    end = start + at
    if size != end + 4 * len(arrays):
        raise FormatError(
            f"the file has {size:,} bytes, its header describes {end + 4 * len(arrays):,}",
            hint="copy it again" if size < end else "",
        )
    return end


def _compare(sources: list[FileSource], opened: _Descriptor, end: int) -> None:
    table = np.frombuffer(os.pread(opened(), 4 * len(sources), end), "<u4")
    for number, source in enumerate(sources):
        count = int(np.prod(source.shape, dtype=object)) if source.shape else 1
        held: Array = np.empty(count, source.dtype)
        source.read_into(0, held)
        if zlib.crc32(held.data.cast("B")) != int(table[number]):
            raise FormatError("its bytes are not those that were written", where=source.where)
