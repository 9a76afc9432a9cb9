"""ONNX models as a sink: every length is planned, headers are written, numbers are streamed.

A protobuf message states the length of each part before the part, and the order of fields is free.
So the file is: the model without its graph, the graph without what is declared here (small
constants may be in it already), then, still inside the graph, each declared initializer: a
TensorProto whose `raw_data` comes last and is left to be filled.

Source: onnx.proto and docs/ExternalData.md of ONNX 1.16.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from ...errors import ExportError, show
from ..sink import FileSink, Place, Tensor, encodable
from ..target import Path
from . import wire
from .wire import message, prefix

DATA_TYPES = {
    "float32": 1,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "bool": 9,
    "float16": 10,
    "float64": 11,
    "uint32": 12,
    "uint64": 13,
}
"""TensorProto.DataType of each NumPy dtype, by name."""

BFLOAT16 = 16
"""TensorProto.DataType of the upper halves of float32, which NumPy knows as uint16 only."""

PROTOBUF_LIMIT = 2**31 - 1
"""Bytes that a protobuf message may take."""

EXTERNAL_FROM = 1 << 10
"""Bytes from which on a tensor goes to the file of data, if there is one."""

ALIGNMENT = ((1 << 20, 64 << 10), (0, 64))
"""Where a tensor may begin in the file of data: from so many bytes on, at a multiple of so many.

Mapping needs a multiple of the system's granularity, 64 KiB at most; small tensors are not worth
the gaps. Both figures are those of ONNX Runtime and of onnx_ir.
"""


class Frame(msgspec.Struct, frozen=True):
    """A model that lacks some initializers.

    Attributes:
        model: The message, without its graph.
        graph: The graph's message.
        taken: Names of initializers that are in it.
    """

    model: bytes
    graph: bytes
    taken: frozenset[str] = frozenset()


class Layout(msgspec.Struct, frozen=True):
    """Where everything lies.

    Attributes:
        head: The model's bytes up to the first declared initializer.
        headers: Of each initializer, the bytes before its numbers.
        offsets: Of the headers in the model, in bytes.
        places: Of the numbers; file 0 is the model, 1 the data beside it.
        sizes: Of both files, in bytes.
    """

    head: bytes
    headers: Sequence[bytes]
    offsets: Sequence[int]
    places: Sequence[Place]
    sizes: tuple[int, int]


class OnnxSink(FileSink):
    """An ONNX file, and beside it a file of data where one is wanted or needed.

    Args:
        frame: The model; its graph lacks the initializers that are declared here.
        external: True puts tensors of 1 KiB and more into a file beside the model, named after it
            with `.data` added; a text names that file; False does so only if the model would
            exceed the 2 GiB that a protobuf message may take.
    """

    def __init__(self, frame: Frame, *, external: bool | str = False) -> None:
        super().__init__()
        self._frame, self._external = frame, external
        self._names.update(frame.taken)
        self._types: list[int] = []

    def declare(
        self, name: str, dtype: Any, shape: Sequence[int], *, bfloat16: bool = False
    ) -> int:
        """As of `Sink`; `bfloat16` says what the numbers are that come as uint16.

        Raises:
            ExportError: ONNX has no such dtype, or its bytes are in the wrong order.
        """
        index = super().declare(name, dtype, shape)
        stored = self.tensors[index].dtype
        if stored.name not in DATA_TYPES or stored != stored.newbyteorder("<"):
            raise ExportError(f"an ONNX file cannot hold {stored}", where=show(name))
        if bfloat16 and stored != np.dtype("<u2"):
            raise ExportError(f"bfloat16 is handed over as uint16, not {stored}", where=show(name))
        self._types.append(BFLOAT16 if bfloat16 else DATA_TYPES[stored.name])
        return index

    def plan(self, destination: Path) -> tuple[str, ...]:
        """Fix the layout; returns the model's file and, if there is one, the file of data.

        Raises:
            ExportError: The graph is too large, or the file of data is not beside the model.
        """
        path = os.fspath(destination)
        if not self._external:
            self._layout = self._lay([None] * len(self.tensors), "")
            if self._layout.sizes[0] <= PROTOBUF_LIMIT:
                return (path,)
        folder, name = os.path.split(path)
        location = self._external if isinstance(self._external, str) else f"{name}.data"
        if os.path.basename(location) != location or location in {"", ".", "..", name}:
            raise ExportError(f"'{show(location)}' names no file of data beside the model")
        if not encodable(location):
            raise ExportError(f"a model cannot name a file of data '{show(location)}'")
        self._layout = self._lay(_starts(self.tensors), location)
        if self._layout.sizes[0] > PROTOBUF_LIMIT:
            raise ExportError("the graph alone exceeds the 2 GiB that an ONNX file may hold")
        return (path, os.path.join(folder, location)) if self._layout.sizes[1] else (path,)

    def replace(self, old: str, new: str) -> None:
        """Change a text of the open model for one that became known while numbers were written.

        Args:
            old: As it stands in the model: its metadata, a doc string.
            new: As long as the old one.

        Raises:
            ExportError: The old one is not there, or the new one has another length.
        """
        at, mine, other = self._layout.head.find(old.encode()), old.encode(), new.encode()
        if at < 0 or len(mine) != len(other):
            raise ExportError(f"cannot put {len(other)} bytes in place of {show(old)!r}")
        self._put(Place(0, at), other)

    def _lay(self, starts: Sequence[int | None], location: str) -> Layout:
        """The layout, given where each tensor begins in the file `location`; None is inside."""
        headers, places, end, data_end = [], [], 0, 0
        for tensor, kind, start in zip(self.tensors, self._types, starts, strict=True):
            headers.append(_initializer(tensor, kind, start, location))
            end += len(headers[-1])
            if start is None:
                places.append(Place(0, end))
                end += tensor.nbytes
            else:
                places.append(Place(1, start))
                data_end = start + tensor.nbytes
        graph = prefix(wire.MODEL["graph"], len(self._frame.graph) + end)
        head = b"".join((self._frame.model, graph, self._frame.graph))
        inside = (
            len(header) + (0 if place.file else tensor.nbytes)
            for header, place, tensor in zip(headers, places, self.tensors, strict=True)
        )
        return Layout(
            head,
            headers,
            list(itertools.accumulate(inside, initial=len(head)))[:-1],
            [Place(p.file, p.offset + (0 if p.file else len(head))) for p in places],
            (len(head) + end, data_end),
        )

    def _lay_out(self, paths: tuple[str, ...]) -> Sequence[Place]:
        layout = self._layout
        for file in range(len(paths)):
            self._resize(file, layout.sizes[file])
        self._put(Place(0, 0), layout.head)
        for header, offset in zip(layout.headers, layout.offsets, strict=True):
            self._put(Place(0, offset), header)
        return layout.places


def _starts(tensors: Sequence[Tensor]) -> list[int | None]:
    """Where large tensors begin in a file of data; None for those that stay in the model."""
    starts, end = list[int | None](), 0
    for tensor in tensors:
        if tensor.nbytes < EXTERNAL_FROM:
            starts.append(None)
            continue
        step = next(step for least, step in ALIGNMENT if tensor.nbytes >= least)
        starts.append(-(-end // step) * step)
        end = -(-end // step) * step + tensor.nbytes
    return starts


def _initializer(tensor: Tensor, kind: int, start: int | None, location: str) -> bytes:
    """An initializer up to its numbers, which follow, or begin at `start` of another file."""
    said: dict[str, wire.Field] = {"dims": tensor.shape, "data_type": kind, "name": tensor.name}
    if start is None:
        header = message(wire.TENSOR, **said) + prefix(wire.TENSOR["raw_data"], tensor.nbytes)
        inside = tensor.nbytes
    else:
        entries = {"location": location, "offset": str(start), "length": str(tensor.nbytes)}
        data = [message(wire.ENTRY, key=key, value=value) for key, value in entries.items()]
        header = message(wire.TENSOR, **said, external_data=data, data_location=wire.EXTERNAL)
        inside = 0
    return prefix(wire.GRAPH["initializer"], len(header) + inside) + header
