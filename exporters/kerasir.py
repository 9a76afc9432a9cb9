"""Writes `.kerasir` files: header, arrays as they are stored, checksums."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from ..errors import ExportError
from ..ir.model import Model
from ..ir.packing import pack, stored_dtype
from ..ir.schema import ALIGNMENT, MAGIC, Header
from ..version import __version__
from .sink import FileSink, Place, writing
from .target import Path

CHUNK = 1 << 20
"""Elements copied at a time."""


class KerasirSink(FileSink):
    """A `.kerasir` file. Tensors are declared in the order of the header's arrays."""

    def __init__(self, header: Header) -> None:
        super().__init__()
        self.header = header

    def _lay_out(self, paths: tuple[str, ...]) -> Sequence[Place]:
        try:
            packed = msgspec.msgpack.encode(self.header)
        except OverflowError as error:
            raise ExportError(
                "the model holds a whole number beyond 64 bits, such as a stride, which has no "
                "place in a .kerasir file"
            ) from error
        head = MAGIC + len(packed).to_bytes(8, "little") + packed
        start = -(-len(head) // ALIGNMENT) * ALIGNMENT
        arrays = self.header.arrays
        end = max((array.offset + array.nbytes for array in arrays), default=0)
        self.trailer = start + -(-end // ALIGNMENT) * ALIGNMENT
        self._resize(0, self.trailer + 4 * len(arrays))
        self._put(Place(0, 0), head)
        return [Place(0, start + array.offset) for array in arrays]

    def seal(self, checksums: Sequence[int]) -> None:
        """Write the CRC-32 of every array, behind the last."""
        table = np.asarray(checksums, "<u4").tobytes()
        self._put(Place(0, self.trailer), table)


def write_kerasir(
    model: Model,
    path: Path,
    *,
    overwrite: bool = False,
    durable: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a model. Weights are copied as they are stored; their layouts are in the header.

    Args:
        model: What to write.
        path: The file; it appears whole at the end, or not at all.
        overwrite: Replace what exists.
        durable: Have the disk confirm it.
        progress: Called with bytes done and bytes in all.

    Raises:
        UsageError: The file exists and may not be overwritten.
        FormatError: A source ends before its numbers.
    """
    header, sources = pack(model, f"kerasir {__version__}")
    sink = KerasirSink(header)
    for number, source in enumerate(sources):
        sink.declare(str(number), stored_dtype(source), source.shape)
    total = sum(array.nbytes for array in header.arrays)
    done = 0
    with writing(sink, path, overwrite=overwrite, durable=durable):
        checksums = []
        for index, source in enumerate(sources):
            checksum = 0
            for start, block in _blocks(source):
                sink.write(index, start, block)
                checksum = zlib.crc32(block.data.cast("B"), checksum)
                done += block.nbytes
                if progress is not None:
                    progress(done, total)
            checksums.append(checksum)
        sink.seal(checksums)


def _blocks(source: Any) -> Any:
    """An array in pieces of bounded size, little-endian."""
    count = int(np.prod(source.shape, dtype=object)) if source.shape else 1
    held = np.empty(min(count, CHUNK), source.dtype)
    for start in range(0, count, CHUNK):
        block = held[: min(CHUNK, count - start)]
        source.read_into(start, block)
        yield start, np.ascontiguousarray(block, stored_dtype(source))
