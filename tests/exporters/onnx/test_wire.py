"""Messages written field by field, read by onnx itself."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import onnx
import pytest
from hypothesis import given, strategies as st
from networks import Net
from onnx_models import export
from recurrent_networks import NETWORKS, frames

from kerasir.errors import ExportError
from kerasir.exporters.onnx import wire
from kerasir.exporters.onnx.draft import Draft, Edge
from kerasir.exporters.onnx.proto import model_frame

INT64 = st.integers(-(2**63), 2**63 - 1)


@pytest.mark.parametrize("name", wire.MESSAGES)
def test_fields_have_onnx_numbers(name: str) -> None:
    kind: type = onnx.onnx_ml_pb2
    for part in name.split("."):
        kind = getattr(kind, part)
    fields = kind.DESCRIPTOR.fields_by_name  # type: ignore[attr-defined]
    numbers = wire.MESSAGES[name]
    assert {field: fields[field].number for field in numbers} == dict(numbers)
    assert list(numbers.values()) == sorted(numbers.values())


def test_types_of_attributes_are_onnx() -> None:
    words = {"f": "FLOAT", "i": "INT", "s": "STRING", "t": "TENSOR", "g": "GRAPH"}
    for field, kind in wire.ATTRIBUTE_TYPES.items():
        one = {"floats": "f", "ints": "i", "strings": "s"}.get(field, field)
        called = words[one] + ("S" if one != field else "")
        assert onnx.AttributeProto.AttributeType.Value(called) == kind
    assert onnx.TensorProto.EXTERNAL == wire.EXTERNAL


@given(st.lists(INT64), st.floats(width=32), st.text(), st.binary(), INT64)
def test_what_onnx_reads(ints: list[int], f: float, name: str, s: bytes, i: int) -> None:
    """An attribute that has everything, as onnx reads it and as onnx itself writes it."""
    made = wire.message(wire.ATTRIBUTE, name=name, f=f, i=i, s=s, ints=ints)
    read = onnx.AttributeProto.FromString(made)
    assert (read.name, read.i, read.s, list(read.ints)) == (name, i, s, ints)
    assert read.f == f or (math.isnan(f) and math.isnan(read.f))
    if not math.isnan(f):
        own = onnx.AttributeProto(name=name, f=f, i=i, s=s, ints=ints)
        assert own.SerializeToString(deterministic=True) == made


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_numbers_that_do_not_fit(value: int) -> None:
    with pytest.raises(OverflowError):
        wire.message(wire.DIMENSION, dim_value=value)
    with pytest.raises(OverflowError):
        wire.message(wire.ATTRIBUTE, f=1e39)
    draft = Draft(17)
    draft.inputs.append(Edge("x", "float32", (value,)))
    with pytest.raises(ExportError, match="does not fit into ONNX"):
        model_frame(draft, name="", producer="", version="", doc="", metadata={})


def test_text_that_is_no_text() -> None:
    """A lone surrogate has no UTF-8; protobuf wants nothing else."""
    made = wire.message(wire.VALUE, name="a\ud800b")
    assert onnx.ValueInfoProto.FromString(made).name == "a?b"


@pytest.mark.parametrize("network", [*NETWORKS, frames], ids=lambda network: network.__name__)
def test_a_graph_is_written_as_onnx_writes_it(network, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Byte for byte, but for what is streamed behind it."""
    found = export(network(Net(first=True)), tmp_path)
    whole = found.path.read_bytes()
    del found.model.graph.initializer[:]
    for part in (*found.model.graph.node, *found.model.graph.value_info, *found.model.opset_import):
        assert part.SerializeToString(deterministic=True) in whole


def test_floats_are_single() -> None:
    assert wire.message(wire.ATTRIBUTE, f=0.1)[1:] == struct.pack("<f", 0.1)
