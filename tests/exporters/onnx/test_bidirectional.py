"""Two directions joined: one operator, with the weights of both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from networks import Net
from onnx_models import Exported, expected, export, must_equal
from recurrent_networks import WAYS, one_way as half

from kerasir.ir.graph import Graph
from kerasir.ir.layout import Axis
from kerasir.ir.op import Op
from kerasir.ir.ops.merge import Add, Average, Multiply
from kerasir.ir.ops.recurrent import ReverseTime


def both(
    net: Net,
    kind: str,
    *,
    sequences: bool = True,
    bias: bool = True,
    units: int = 5,
    mode: Op | None = None,
) -> Graph:
    """Two halves, joined, or made one by another op."""
    x = net.builder.input("x", (net.batch, Axis("T", None), Axis("F", 3)))
    forth, back = WAYS[kind]
    a = half(net, "forth", forth, x, units)
    b = half(net, "back", back, x, 5, bias=bias)
    halves = [a.results[1], b.results[1]]
    if sequences:
        time = net.builder.axes(x)[1:2]
        halves = [a.result, net.same(ReverseTime(), "turned", b.result, time=time)]
    if mode is None:
        return net.freeze(net.concat("join", halves, 1 + sequences))
    terms = net.builder.axes(halves[0])
    return net.freeze(net.builder.add(mode, "made", halves, [terms]).result)


def agreed(graph: Graph, folder: Path) -> Exported:
    found = export(graph, folder)
    x = np.random.default_rng(2).standard_normal((2, 4, 3))
    must_equal(found.run([x]), expected(graph, [x]))
    return found


@pytest.mark.parametrize("kind", WAYS)
@pytest.mark.parametrize("sequences", [True, False], ids=["sequences", "last"])
def test_one_operator(kind: str, sequences: bool, tmp_path: Path) -> None:
    found = agreed(both(Net(first=True), kind, sequences=sequences), tmp_path)
    assert found.counts[kind] == 1
    assert sum(found.counts.values()) == 4
    assert len(found.model.graph.initializer) == 3 + sequences  # the weights, and a shape


@pytest.mark.parametrize("mode", [Add(), Multiply(), Average()], ids=lambda mode: mode.kind)
@pytest.mark.parametrize("sequences", [True, False], ids=["sequences", "last"])
@pytest.mark.parametrize("kind", WAYS)
def test_merged_by_other_ops(kind: str, sequences: bool, mode: Op, tmp_path: Path) -> None:
    found = agreed(both(Net(first=True), kind, sequences=sequences, mode=mode), tmp_path)
    assert found.counts[kind] == found.counts["Split"] == 1
    assert sum(found.counts.values()) == 5 + sequences


@pytest.mark.parametrize("kind", WAYS)
def test_a_half_without_a_bias(kind: str, tmp_path: Path) -> None:
    """It has zeros, as the other has a bias."""
    assert agreed(both(Net(first=True), kind, bias=False), tmp_path).counts[kind] == 1


def test_halves_of_unlike_sizes_stay_two(tmp_path: Path) -> None:
    assert agreed(both(Net(first=True), "LSTM", units=4), tmp_path).counts["LSTM"] == 2


def test_halves_that_are_added_or_read_elsewhere_stay_two(tmp_path: Path) -> None:
    def added(net: Net) -> Graph:
        x = net.builder.input("x", (net.batch, Axis("T", 4), Axis("F", 3)))
        a, b = (half(net, op.kind + str(i), op, x, 5) for i, op in enumerate(WAYS["GRU"]))
        last = [a.results[1], b.results[1]]
        total = net.builder.add(Add(), "add", last, [net.builder.axes(last[0])]).result
        return net.freeze(total, net.concat("join", last, 1))

    assert agreed(added(Net(first=True)), tmp_path).counts["GRU"] == 2
