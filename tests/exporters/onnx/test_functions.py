"""Nested models as functions: one for each, called as often as the model is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx_models import Exported, expected, export, must_be_valid, must_equal

import kerasir
from genuine import FixtureCase
from kerasir.errors import UsageError
from kerasir.exporters.onnx.functions import DOMAIN
from kerasir.exporters.onnx.style import Style
from kerasir.ir.build import Builder
from kerasir.ir.graph import Layer, Value
from kerasir.ir.layout import Axis
from kerasir.ir.ops.activation import Relu, Sigmoid, Tanh
from kerasir.ir.ops.merge import Add

Genuine = Callable[[str], FixtureCase]


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("keras2.2.4-theano/siamese_tf", 2),
        ("keras2.2.4-theano/nested_model_th", 1),
        ("keras1.2.2-theano/nested_seq_tf", 1),
    ],
)
@pytest.mark.parametrize("options", [{}, {"float16": True}, {"opset": 21, "batch": 3}])
def test_genuine_models(
    name: str, calls: int, options: dict[str, Any], genuine: Genuine, tmp_path: Path
) -> None:
    case, path = genuine(name), tmp_path / "model.onnx"
    data = case.folder / "data.npz"
    kerasir.convert(case.model, path, functions=True, verify=True, expect=data, **options)
    model = onnx.load(path)
    must_be_valid(model, path)
    [function] = model.functions
    assert function.domain == DOMAIN
    assert [node.op_type for node in model.graph.node].count(function.name) == calls
    stored = [tensor.name for tensor in model.graph.initializer]
    assert len(stored) == len(set(stored))
    kerasir.convert(case.model, tmp_path / "inlined.onnx", **options)
    assert stored_in(tmp_path / "inlined.onnx") >= set(stored)


def stored_in(path: Path) -> set[str]:
    return {tensor.name for tensor in onnx.load(path).graph.initializer}


class Net:
    """Layers in nested models, whose calls are in their scope."""

    def __init__(self) -> None:
        self.builder = Builder()
        self.terms = (Axis("N", None), Axis("F", 4))
        self.x = self.builder.input("x", self.terms)

    def add(self, op: Any, name: str, *inputs: Value, scope: tuple[str, ...] = ()) -> Value:
        layer = Layer(name, op.kind, scope=scope)
        axes = [self.terms]
        return self.builder.add(op, name, list(inputs), axes, layer=layer).result

    def exported(self, outputs: list[Value], folder: Path) -> Exported:
        graph = self.builder.freeze(outputs)
        found = export(graph, folder, style=Style(functions=True))
        array = np.arange(-4.0, 4.0, dtype=np.float32).reshape(2, 4)
        must_equal(found.run([array]), expected(graph, [array]))
        return found


def test_models_in_models(tmp_path: Path) -> None:
    net, value = Net(), None
    value = net.x
    for call in ("outer#0", "outer#1"):
        value = net.add(Relu(), "a", value, scope=(call,))
        value = net.add(Tanh(), "b", value, scope=(call, "inner#0"))
        value = net.add(Sigmoid(), "c", value, scope=(call,))
    found = net.exported([value], tmp_path)
    assert [node.op_type for node in found.model.graph.node] == ["outer", "outer"]
    functions = {f.name: [node.op_type for node in f.node] for f in found.model.functions}
    assert functions == {"inner": ["Tanh"], "outer": ["Relu", "inner", "Sigmoid"]}


def test_models_of_one_name_that_are_not_the_same(tmp_path: Path) -> None:
    net = Net()
    one = net.add(Relu(), "a", net.x, scope=("part#0",))
    two = net.add(Tanh(), "a", net.x, scope=("part#1",))
    found = net.exported([net.add(Add(), "sum", one, two)], tmp_path)
    assert [node.op_type for node in found.model.graph.node] == ["part", "part~2", "Add"]
    assert [node.name for node in found.model.graph.node] == ["part", "part~2", "sum"]


def test_results_that_are_read_inside_and_outside(tmp_path: Path) -> None:
    net = Net()
    first = net.add(Relu(), "a", net.x, scope=("part#0",))
    second = net.add(Tanh(), "b", first, scope=("part#0",))
    beside = net.add(Sigmoid(), "beside", first)
    found = net.exported([second, net.add(Add(), "sum", beside, second), first], tmp_path)
    [function] = found.model.functions
    assert len(function.output) == 2
    assert [node.op_type for node in found.model.graph.node] == ["part", "Sigmoid", "Add"]


def test_what_is_between_two_parts_of_a_model_goes_into_it(tmp_path: Path) -> None:
    """A node of no layer, such as a coercion, in the midst: the call must not wait for itself."""
    net = Net()
    first = net.add(Relu(), "a", net.x, scope=("part#0",))
    middle = net.builder.add(Sigmoid(), "moved", [first], [net.terms]).result
    last = net.add(Tanh(), "b", middle, scope=("part#0",))
    found = net.exported([last], tmp_path)
    assert [node.op_type for node in found.model.graph.node] == ["part"]


def test_opsets_without_functions(genuine: Genuine, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"opset 14 has no functions .*--opset 15 or higher"):
        kerasir.convert(
            genuine("keras2.2.4-theano/siamese_tf").model,
            tmp_path / "model.onnx",
            functions=True,
            opset=14,
        )
    assert not list(tmp_path.iterdir())
