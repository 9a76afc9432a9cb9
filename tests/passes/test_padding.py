"""Zeros around an image, folded into what is behind them where that is exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from networks import Net, feed, spatial
from onnx_models import model_of, onnx_policy

from kerasir.ir.check import check
from kerasir.ir.graph import Graph, Value
from kerasir.ir.op import Op
from kerasir.ir.ops.activation import LeakyRelu, Relu
from kerasir.ir.ops.merge import Add
from kerasir.ir.ops.pooling import AveragePool, MaxPool, ZeroPad
from kerasir.ir.plan import Policy
from kerasir.passes.padding import fold_padding
from kerasir.passes.registry import Target
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

TARGET = Target(policy=onnx_policy(), pipeline="onnx")
NONE = ((0, 0), (0, 0))


def fold(make: Callable[[Net], Graph]) -> Graph:
    graph = make(Net(first=False))
    model = fold_padding(model_of(graph), TARGET)
    inputs = feed(graph)
    wanted = evaluate(solve(graph, Policy()), inputs)
    for policy in (Policy(), onnx_policy()):
        plan = solve(model.graph, policy)
        check(plan)
        for a, b in zip(evaluate(plan, inputs), wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)
    assert fold_padding(model, TARGET) is model
    return model.graph


def padded(net: Net, x: Value, extents: tuple[int, int] = (8, 7)) -> Value:
    channels = net.ports(x, 2)["channels"]
    op = ZeroPad(padding=((1, 2), (0, 1)))
    return net.slide(op, "pad", x, {}, channels, out_space=spatial(extents))


def pooled(net: Net, x: Value, kind: Any, size: int = 3, **more: Any) -> Value:
    channels = net.ports(x, 2)["channels"]
    op = kind(pool_size=(size, 3), strides=(1, 1), padding=NONE, **more)
    return net.slide(op, "pool", x, {}, channels, out_space=spatial((9 - size, 5)))


def kinds(graph: Graph) -> list[str]:
    return [node.op.kind for node in graph.nodes]


def test_into_a_convolution() -> None:
    def make(net: Net) -> Graph:
        return net.freeze(net.conv("conv", padded(net, net.image("x", 3, 5, 6)), 4, 2, 3))

    graph = fold(make)
    assert kinds(graph) == ["Conv"]
    assert graph.nodes[0].op.padding == ((1, 2), (0, 1))  # type: ignore[attr-defined]


def test_one_behind_the_other() -> None:
    def make(net: Net) -> Graph:
        twice = padded(net, padded(net, net.image("x", 3, 5, 6)), (11, 8))
        return net.freeze(net.conv("conv", twice, 4, 2, 3))

    graph = fold(make)
    assert kinds(graph) == ["Conv"]
    assert graph.nodes[0].op.padding == ((2, 4), (0, 2))  # type: ignore[attr-defined]


def test_into_a_mean_that_then_counts_it() -> None:
    def make(net: Net) -> Graph:
        return net.freeze(pooled(net, padded(net, net.image("x", 3, 5, 6)), AveragePool))

    graph = fold(make)
    assert kinds(graph) == ["AveragePool"]
    assert graph.nodes[0].op.count_padding  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("before", "size", "exact"),
    [(Relu(), 3, True), (LeakyRelu(negative_slope=0.1), 3, False), (Relu(), 2, False)],
)
def test_into_a_largest_number_only_if_zeros_cannot_win(before: Op, size: int, exact: bool) -> None:
    def make(net: Net) -> Graph:
        x = net.same(before, "before", net.image("x", 3, 5, 6))
        return net.freeze(pooled(net, padded(net, x), MaxPool, size))

    assert ("ZeroPad" not in kinds(fold(make))) is exact


def test_all_readers_or_none() -> None:
    def make(net: Net) -> Graph:
        x = padded(net, net.image("x", 3, 5, 6))
        a = net.conv("a", x, 3, 3, 3)
        b = pooled(net, x, MaxPool)
        return net.freeze(net.builder.add(Add(), "add", [a, b], [net.builder.axes(a)]).result)

    assert kinds(fold(make)) == ["ZeroPad", "Conv", "MaxPool", "Add"]
