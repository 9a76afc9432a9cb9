"""The tables, against the onnx that is installed."""

from __future__ import annotations

import importlib
import pkgutil

import onnx
import pytest

import kerasir.exporters.onnx.ops as emitters
import kerasir.ir.ops as declarations
from kerasir.exporters.onnx.opsets import (
    AXES_AS_INPUT,
    DEFAULT_OPSET,
    HIGHEST,
    IR_VERSIONS,
    LOWEST,
    SHAPE_TAKES_RANGE,
)
from kerasir.exporters.onnx.pen import ONNX_TYPES
from kerasir.exporters.onnx.registry import lowest_opset
from kerasir.ir.op import OPS
from kerasir.ir.ops.opaque import Opaque

NOT_DRAWN = {"opaque", "bare"}
"""What nothing is known of, and weights alone."""


def test_ir_versions_are_those_of_the_first_release_with_an_opset() -> None:
    first: dict[int, int] = {}
    for _, ir, opset, *_ in onnx.helper.VERSION_TABLE:
        first.setdefault(opset, ir)
    known = [opset for opset in IR_VERSIONS if opset in first]
    assert len(known) >= 9
    assert {opset: IR_VERSIONS[opset] for opset in known} == {o: first[o] for o in known}


def test_the_table_has_no_gaps_and_holds_the_default() -> None:
    assert list(IR_VERSIONS) == list(range(LOWEST, HIGHEST + 1))
    assert (LOWEST, DEFAULT_OPSET) == (13, 17)


@pytest.mark.parametrize(("operator", "since"), AXES_AS_INPUT.items())
def test_axes_became_an_input(operator: str, since: int) -> None:
    def inputs(opset: int) -> list[str]:
        return [port.name for port in onnx.defs.get_schema(operator, opset).inputs]

    assert "axes" in inputs(since)
    assert "axes" not in inputs(since - 1)


def test_shape_takes_a_range() -> None:
    newer = onnx.defs.get_schema("Shape", SHAPE_TAKES_RANGE)
    older = onnx.defs.get_schema("Shape", SHAPE_TAKES_RANGE - 1)
    assert {"start", "end"} <= newer.attributes.keys()
    assert not older.attributes


def test_types_are_those_of_the_protocol() -> None:
    names = {"float32": "FLOAT", "float64": "DOUBLE"}
    for name, number in ONNX_TYPES.items():
        assert onnx.TensorProto.DataType.Value(names.get(name, name.upper())) == number


def test_every_op_has_an_emitter() -> None:
    built_in = {op for op in OPS.values() if op.__module__.startswith("kerasir.ir.")}
    assert len(built_in) > 40
    assert {op for op in built_in if lowest_opset(op) != LOWEST} == {Opaque}


def test_emitters_lie_in_files_named_as_the_ops_families() -> None:
    def files(package: object) -> set[str]:
        return {module.name for module in pkgutil.iter_modules(package.__path__)}  # type: ignore[attr-defined]

    assert files(emitters) == files(declarations) - NOT_DRAWN
    for name in files(emitters):
        importlib.import_module(f"kerasir.exporters.onnx.ops.{name}")
