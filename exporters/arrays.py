"""Just the weights: `.npz` and `.safetensors`, in a layout that can be named.

Sources: PKZIP APPNOTE 6.3.9, 4.3 (records) and 4.5.3 (zip64); NumPy's `numpy.lib.format`;
safetensors' README, "Format".
"""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import ExportError, FormatError, show
from ..ir.fill import Job, fill
from ..ir.layout import Axis, Layout
from ..ir.model import Model
from ..ir.notation import show as show_layout
from ..ir.orders import ordered
from ..ir.plan import Plan, Settled
from ..ir.source import Array
from ..ir.tensor import Param, Stored, Weight
from ..ir.tensors import axis_names
from .sink import BUFFER, FileSink, Place, writing
from .target import Path

LARGEST, MOST_MEMBERS = 0xFFFFFFFF, 0xFFFF
"""Sizes and offsets, and a number of members, from which on a zip archive's usual fields only say
that zip64's have them."""

ELSEWHERE, ELSEWHERE_SHORT = 0xFFFFFFFF, 0xFFFF
"""How they say it."""

FIRST_DAY = 0x21
"""1980-01-01, so that the same weights make the same bytes."""

UTF8 = 0x800

DTYPES: Mapping[str, str] = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "uint16": "U16", "int16": "I16",
    "uint32": "U32", "int32": "I32", "uint64": "U64", "int64": "I64",
    "float16": "F16", "float32": "F32", "float64": "F64", "complex64": "C64",
}  # fmt: skip
"""What safetensors calls NumPy's dtypes."""


class Item(NamedTuple):
    """An array to be written: its name, where it comes from, in which layout, and that as text."""

    name: str
    param: Param
    layout: Layout
    text: str

    @property
    def dtype(self) -> np.dtype[Any]:
        """As stored, little-endian."""
        return self.param.weight.dtype.newbyteorder("<")


def export_arrays(
    model: Model,
    plan: Plan,
    path: Path,
    *,
    kind: str,
    order: str = "canonical",
    overwrite: bool = False,
    durable: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write every weight once, as `layer/weight`.

    Args:
        model: What is written.
        plan: The layouts chosen for its graph.
        path: The file to make.
        kind: `npz` or `safetensors`.
        order: One of `ir.orders.ORDERS`.
        overwrite: Replace a file that is there.
        durable: Have the disk confirm it.
        progress: Called with bytes done and bytes in all.

    Raises:
        UsageError: The file exists.
        ExportError: The format has no such dtype, or two weights have one name.
    """
    items = list(_items(plan, order))
    sink = NpzSink() if kind == "npz" else SafetensorsSink(_metadata(items, order))
    total = 0
    jobs: list[Job] = []
    for item in items:
        shape = [size or 0 for size in item.layout.shape]
        index = sink.declare(item.name, item.dtype, shape)
        total += sink.tensors[index].nbytes
        jobs.append(Job(index, item.param, item.layout, item.dtype))

    def moved(done: int) -> None:
        if progress is not None:
            progress(done, total)

    with writing(sink, path, overwrite=overwrite, durable=durable):
        fill(sink, jobs, in_order=kind == "npz", progress=moved)


def _items(plan: Plan, order: str) -> Iterator[Item]:
    """Every weight at its first use."""
    seen: set[Weight] = set()
    for settled in plan.settled:
        for port, param in settled.node.params.items():
            if param.weight not in seen:
                seen.add(param.weight)
                yield from (
                    _as_stored(settled, port)
                    if order == "stored"
                    else (_as_ordered(settled, port, order),)
                )


def _as_ordered(settled: Settled, port: str, order: str) -> Item:
    param, layout = settled.node.params[port], ordered(settled, port, order)
    names = axis_names(settled.node, port, (layout,))
    return Item(param.weight.name, param, layout, show_layout(layout.terms, True, names))


def _as_stored(settled: Settled, port: str) -> Iterator[Item]:
    """The arrays of the source one by one, under their shapes; labels tell several apart."""
    param = settled.node.params[port]
    weight = param.weight
    names = axis_names(settled.node, port, tuple(stored.layout for stored in param.stored))
    for number, (source, stored) in enumerate(zip(weight.sources, param.stored, strict=True)):
        label = "/".join(stored.at.values()) or str(number)
        name = weight.name if len(param.stored) == 1 else f"{weight.name}/{label}"
        plain = Layout(tuple(Axis("X", extent) for extent in source.shape))
        alone = Param(Weight(name, (source,)), (Stored(plain),))
        yield Item(name, alone, plain, show_layout(stored.layout.terms, True, names))


def _metadata(items: Sequence[Item], order: str) -> dict[str, str]:
    """What the header says besides places: the order asked for, and each array's layout."""
    from ..version import __version__

    said = {"written_by": f"kerasir {__version__}", "weights_layout": order}
    return said | {f"layout:{item.name}": item.text for item in items}


# ---- .npz --------------------------------------------------------------------------------------


class NpzSink(FileSink):
    """A zip archive of `.npy` files, not compressed. A tensor's numbers come in their order."""

    def __init__(self) -> None:
        super().__init__()
        self._heads: list[bytes] = []
        self._checksums: list[int] = []
        self._starts: list[int] = []
        self._written: list[int] = []
        self._end = 0

    def _lay_out(self, paths: tuple[str, ...]) -> Sequence[Place]:
        places, at = [], 0
        for index, tensor in enumerate(self.tensors):
            head = _npy_head(tensor.dtype, tensor.shape)
            self._heads.append(head)
            self._starts.append(at)
            self._checksums.append(zlib.crc32(head))
            local = self._local(index)
            self._put(Place(0, at), local + head)
            at += len(local) + len(head)
            places.append(Place(0, at))
            at += tensor.nbytes
        self._written = [0] * len(places)
        self._end = at
        self._resize(0, at + len(self._directory()))
        return places

    def write(self, index: int, start: int, data: Array) -> None:
        """As of `Sink`; the archive holds a checksum, so the numbers must come in their order.

        Raises:
            ExportError: They do not.
        """
        if start != self._written[index]:
            raise ExportError(
                f"element {start:,} comes behind {self._written[index]:,}",
                where=show(self.tensors[index].name),
            )
        super().write(index, start, data)
        self._written[index] += data.size
        self._checksums[index] = zlib.crc32(data.view(np.uint8).data, self._checksums[index])

    def copy_from(self, index: int, start: int, fd: int, offset: int, nbytes: int) -> None:
        """As of `Sink`."""
        done, dtype = 0, self.tensors[index].dtype
        room = np.empty(BUFFER // dtype.itemsize, dtype)
        while done < nbytes:
            block = room[: (nbytes - done) // dtype.itemsize]
            _read(fd, offset + done, block)
            self.write(index, start + done // dtype.itemsize, block)
            done += block.nbytes

    def close(self) -> None:
        """As of `FileSink`; first the checksums and the directory."""
        if not any(self._missing):
            for start, checksum in zip(self._starts, self._checksums, strict=True):
                self._put(Place(0, start + 14), struct.pack("<I", checksum))
            self._put(Place(0, self._end), self._directory())
        super().close()

    def _local(self, index: int) -> bytes:
        """A member's header, in front of its bytes."""
        size, name = self._size(index), self._name(index)
        extra = struct.pack("<HHQQ", 1, 16, size, size) if size >= LARGEST else b""
        usual = _usual(size)
        version = 45 if extra else 20
        checksum = self._checksums[index]
        head = (b"PK\3\4", version, UTF8, 0, 0, FIRST_DAY, checksum, usual, usual)
        return struct.pack("<4sHHHHHIIIHH", *head, len(name), len(extra)) + name + extra

    def _central(self, index: int) -> bytes:
        """A member's entry in the directory."""
        size, start, name = self._size(index), self._starts[index], self._name(index)
        large = [*(size, size) * (size >= LARGEST), *(start,) * (start >= LARGEST)]
        extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
        usual, place = _usual(size), _usual(start)
        version = 45 if extra else 20
        head = (b"PK\1\2", version, version, UTF8, 0, 0, FIRST_DAY, self._checksums[index])
        rest = (usual, usual, len(name), len(extra), 0, 0, 0, 0, place)
        return struct.pack("<4sHHHHHHIIIHHHHHII", *head, *rest) + name + extra

    def _directory(self) -> bytes:
        """The list of members, and where it is."""
        entries = b"".join(map(self._central, range(len(self._starts))))
        count, size, start = len(self._starts), len(entries), self._end
        large = b""
        if count >= MOST_MEMBERS or start >= LARGEST or size >= LARGEST:
            behind = start + size
            large = struct.pack(
                "<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start
            )
            large += struct.pack("<4sIQI", b"PK\6\7", 0, behind, 1)
        few = ELSEWHERE_SHORT if count >= MOST_MEMBERS else count
        tail = (b"PK\5\6", 0, 0, few, few, _usual(size), _usual(start), 0)
        return entries + large + struct.pack("<4sHHHHIIH", *tail)

    def _size(self, index: int) -> int:
        return len(self._heads[index]) + self.tensors[index].nbytes

    def _name(self, index: int) -> bytes:
        return f"{self.tensors[index].name}.npy".encode()


def _usual(value: int) -> int:
    """What a usual field of 32 bits says of a size or an offset."""
    return ELSEWHERE if value >= LARGEST else value


def _npy_head(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """The beginning of a `.npy` file, version 1.0."""
    head = io.BytesIO()
    described = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    np.lib.format.write_array_header_1_0(head, described)
    return head.getvalue()


def _read(fd: int, offset: int, block: Array) -> None:
    """Fill an array with the bytes of a file from an offset on."""
    view, done = memoryview(block.view(np.uint8).data), 0
    while done < len(view):
        count = os.preadv(fd, [view[done:]], offset + done)
        if count == 0:
            raise FormatError("the file ends before this weight")
        done += count


# ---- .safetensors ------------------------------------------------------------------------------


class SafetensorsSink(FileSink):
    """A `.safetensors` file; large numbers come first, so that each array is aligned to its own.

    Args:
        metadata: Texts by name, kept in the header.
    """

    def __init__(self, metadata: Mapping[str, str]) -> None:
        super().__init__()
        self.metadata = dict(metadata)

    def declare(self, name: str, dtype: Any, shape: Sequence[int]) -> int:
        """As of `Sink`."""
        if np.dtype(dtype).name not in DTYPES:
            raise ExportError(
                f"safetensors has no {np.dtype(dtype)}", where=show(name), hint="use .npz"
            )
        return super().declare(name, dtype, shape)

    def _lay_out(self, paths: tuple[str, ...]) -> Sequence[Place]:
        header: dict[str, Any] = {"__metadata__": self.metadata}
        offsets, at = [0] * len(self.tensors), 0
        order = sorted(range(len(offsets)), key=lambda i: -self.tensors[i].dtype.itemsize)
        for index in order:
            tensor = self.tensors[index]
            offsets[index] = at
            at += tensor.nbytes
            header[tensor.name] = {
                "dtype": DTYPES[tensor.dtype.name],
                "shape": list(tensor.shape),
                "data_offsets": [offsets[index], at],
            }
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % 8)
        start = 8 + len(text)
        self._resize(0, start + at)
        self._put(Place(0, 0), struct.pack("<Q", len(text)) + text)
        return [Place(0, start + offset) for offset in offsets]
