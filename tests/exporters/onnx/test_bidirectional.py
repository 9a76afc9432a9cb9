"""Two directions joined: one operator, with the weights of both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from networks import GATES, Net
from onnx_models import Exported, expected, export, must_equal

from kerasir.ir.graph import Graph, Node, Value
from kerasir.ir.layout import Axis, Labelled, Terms, fuse
from kerasir.ir.op import Op
from kerasir.ir.ops.activation import LeakyRelu, Sigmoid, Tanh
from kerasir.ir.ops.merge import Add
from kerasir.ir.ops.recurrent import GRU, LSTM, ReverseTime, SimpleRNN

LABELS = {"LSTM": GATES, "GRU": ("z", "r", "h"), "SimpleRNN": ()}

OPS: dict[str, tuple[Op, Op]] = {
    "LSTM": (
        LSTM(activation=Tanh(), recurrent_activation=Sigmoid()),
        LSTM(activation=Tanh(), recurrent_activation=Sigmoid(), go_backwards=True),
    ),
    "GRU": (
        GRU(activation=Tanh(), recurrent_activation=Sigmoid()),
        GRU(activation=Tanh(), recurrent_activation=Sigmoid(), go_backwards=True),
    ),
    "RNN": (
        SimpleRNN(activation=LeakyRelu(negative_slope=0.1)),
        SimpleRNN(activation=LeakyRelu(negative_slope=0.2), go_backwards=True),
    ),
}


def half(net: Net, name: str, op: Op, x: Value, units: int, *, bias: bool = True) -> Node:
    batch, time, features = net.builder.axes(x)
    unit, back, labels = Axis("U", units), Axis("R", units), LABELS[op.kind]
    gate = Labelled(Axis("G", len(labels)), labels)
    blocks = fuse((gate, unit)) if labels else unit
    axes: dict[str, Terms] = {
        "batch": (batch,), "time": (time,), "features": (features,), "recurrent": (back,),
        "units": (unit,), **({"gates": (gate,)} if labels else {}),
    }  # fmt: skip
    params = {
        "kernel": net.weight(f"{name}/kernel", features, blocks),
        "recurrent_kernel": net.weight(f"{name}/recurrent_kernel", back, blocks),
    }
    if bias:
        params["bias"] = net.weight(f"{name}/bias", blocks)
    states = len(op.inputs) - 2
    results = [(batch, time, unit), *[(batch, unit)] * states]
    return net.builder.add(op, name, [x, *[None] * (states + 1)], results, axes=axes, params=params)


def both(
    net: Net, kind: str, *, sequences: bool = True, bias: bool = True, units: int = 5
) -> Graph:
    x = net.builder.input("x", (net.batch, Axis("T", None), Axis("F", 3)))
    forth, back = OPS[kind]
    a = half(net, "forth", forth, x, units)
    b = half(net, "back", back, x, 5, bias=bias)
    if not sequences:
        return net.freeze(net.concat("join", [a.results[1], b.results[1]], 1))
    time = net.builder.axes(x)[1:2]
    turned = net.same(ReverseTime(), "turned", b.result, time=time)
    return net.freeze(net.concat("join", [a.result, turned], 2))


def agreed(graph: Graph, folder: Path) -> Exported:
    found = export(graph, folder)
    x = np.random.default_rng(2).standard_normal((2, 4, 3))
    must_equal(found.run([x]), expected(graph, [x]))
    return found


@pytest.mark.parametrize("kind", OPS)
@pytest.mark.parametrize("sequences", [True, False], ids=["sequences", "last"])
def test_one_operator(kind: str, sequences: bool, tmp_path: Path) -> None:
    found = agreed(both(Net(first=True), kind, sequences=sequences), tmp_path)
    assert found.counts[kind] == 1
    assert sum(found.counts.values()) == 4
    assert len(found.model.graph.initializer) == 3 + sequences  # the weights, and a shape


@pytest.mark.parametrize("make", [
    lambda net: both(net, "LSTM", bias=False),
    lambda net: both(net, "LSTM", units=4),
])  # fmt: skip
def test_halves_that_are_not_alike_stay_two(make: Callable[[Net], Graph], tmp_path: Path) -> None:
    assert agreed(make(Net(first=True)), tmp_path).counts["LSTM"] == 2


def test_halves_that_are_added_or_read_elsewhere_stay_two(tmp_path: Path) -> None:
    def added(net: Net) -> Graph:
        x = net.builder.input("x", (net.batch, Axis("T", 4), Axis("F", 3)))
        a, b = (half(net, op.kind + str(i), op, x, 5) for i, op in enumerate(OPS["GRU"]))
        last = [a.results[1], b.results[1]]
        total = net.builder.add(Add(), "add", last, [net.builder.axes(last[0])]).result
        return net.freeze(total, net.concat("join", last, 1))

    assert agreed(added(Net(first=True)), tmp_path).counts["GRU"] == 2
