"""Two directions joined: one operator, with the weights of both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from networks import Net
from onnx_models import Exported, expected, export, must_equal
from recurrent_networks import WAYS as OPS, one_way as half

from kerasir.ir.graph import Graph
from kerasir.ir.layout import Axis
from kerasir.ir.ops.merge import Add
from kerasir.ir.ops.recurrent import ReverseTime


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
