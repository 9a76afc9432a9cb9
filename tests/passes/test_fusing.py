"""Activations spelt out, and joins of joins."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from networks import Net, feed
from onnx_models import model_of, onnx_policy

from kerasir.ir.check import check
from kerasir.ir.graph import Graph, Value
from kerasir.ir.op import Op
from kerasir.ir.ops.activation import (
    Affine,
    Clip,
    HardSigmoid,
    HardSilu,
    Mish,
    Relu,
    Sigmoid,
    Silu,
    Softplus,
    Tanh,
)
from kerasir.ir.ops.merge import Multiply
from kerasir.ir.plan import Policy
from kerasir.passes.fusing import fuse_activation, merge_concats
from kerasir.passes.registry import Target
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

TARGET = Target(policy=onnx_policy(), pipeline="onnx")


def run(make: Callable[[Net], Graph], step: object = fuse_activation) -> Graph:
    graph = make(Net(first=False))
    model = step(model_of(graph), TARGET)  # type: ignore[operator]
    inputs = feed(graph)
    wanted = evaluate(solve(graph, Policy()), inputs)
    for policy in (Policy(), onnx_policy()):
        plan = solve(model.graph, policy)
        check(plan)
        for a, b in zip(evaluate(plan, inputs), wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)
    assert step(model, TARGET) is model  # type: ignore[operator]
    return model.graph


def kinds(graph: Graph) -> list[str]:
    return [node.op.kind for node in graph.nodes]


def chain(net: Net, x: Value, *ops: Op) -> Value:
    for index, op in enumerate(ops):
        x = net.same(op, f"op{index}", x)
    return x


def gated(net: Net, x: Value, *ops: Op) -> Graph:
    inputs = [chain(net, x, *ops), x]
    return net.freeze(net.builder.add(Multiply(), "times", inputs, [net.builder.axes(x)]).result)


@pytest.mark.parametrize("cut", [Relu(max_value=6.0), Clip(low=0.0, high=6.0)])
def test_hard_sigmoid_and_hard_swish(cut: Op) -> None:
    ops = (Affine(offset=3.0), cut, Affine(scale=1 / 6))
    one = run(lambda net: net.freeze(chain(net, net.image("x", 3, 4, 5), *ops)))
    assert [node.op for node in one.nodes] == [HardSigmoid(slope=1 / 6, shift=0.5)]
    two = run(lambda net: gated(net, net.image("x", 3, 4, 5), *ops))
    assert [node.op for node in two.nodes] == [HardSilu()]


@pytest.mark.parametrize(("ops", "whole"), [((Sigmoid(),), Silu()), ((Softplus(), Tanh()), Mish())])
def test_gates(ops: tuple[Op, ...], whole: Op) -> None:
    graph = run(lambda net: gated(net, net.image("x", 3, 4, 5), *ops))
    assert [node.op for node in graph.nodes] == [whole]


def test_not_what_is_read_elsewhere() -> None:
    def make(net: Net) -> Graph:
        x = net.vector("x", 5)
        gate = net.same(Sigmoid(), "gate", x)
        y = net.builder.add(Multiply(), "times", [x, gate], [net.builder.axes(x)]).result
        return net.freeze(y, gate)

    assert kinds(run(make)) == ["Sigmoid", "Multiply"]


def test_not_with_other_constants() -> None:
    ops = (Affine(offset=3.0), Relu(max_value=5.0), Affine(scale=1 / 6))
    graph = run(lambda net: net.freeze(chain(net, net.image("x", 3, 4, 5), *ops)))
    assert kinds(graph) == ["Affine", "Relu", "Affine"]


def test_joins_of_joins() -> None:
    def make(net: Net) -> Graph:
        a, b, c = (net.image(name, size, 4, 5) for name, size in (("a", 2), ("b", 3), ("c", 4)))
        both = net.concat("both", [net.concat("two", [a, b], 3), c], 3)
        return net.freeze(net.conv("conv", both, 3, 2, 2))

    graph = run(make, merge_concats)
    assert kinds(graph) == ["Concat", "Conv"]
    assert [value.name for value in graph.nodes[0].inputs if value] == ["a", "b", "c"]


def test_not_joins_that_are_read_elsewhere_or_along_another_axis() -> None:
    def read(net: Net) -> Graph:
        two = net.concat("two", [net.image("a", 2, 4, 5), net.image("b", 3, 4, 5)], 3)
        return net.freeze(net.concat("both", [two, net.image("c", 4, 4, 5)], 3), two)

    def other(net: Net) -> Graph:
        two = net.concat("two", [net.image("a", 2, 4, 5), net.image("b", 3, 4, 5)], 3)
        return net.freeze(net.concat("both", [two, net.image("c", 5, 3, 5)], 1))

    assert kinds(run(read, merge_concats)) == ["Concat", "Concat"]
    assert kinds(run(other, merge_concats)) == ["Concat", "Concat"]
