"""A Reshape that keeps every extent says that something else is counted, and moves nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from networks import Net
from onnx_models import expected, export, must_equal, onnx_policy

from kerasir.errors import CheckError
from kerasir.ir.check import check
from kerasir.ir.graph import Graph
from kerasir.ir.layout import Axis, Layout, fuse, size_of
from kerasir.ir.ops.shape import Reshape
from kerasir.ir.plan import Settled
from kerasir.passes.solve import solve


def regrouped(net: Net, *, stays: bool) -> Graph:
    """Channels that are two axes become one of their own, or height and width change places."""
    space = (Axis("H", 4), Axis("W", 5))
    channels = fuse((Axis("G", 2), Axis("C", 3)))
    x = net.builder.input("x", net.order((net.batch,), (channels,), space))
    first, *others = net.builder.axes(x)
    one = Axis("C", 6)
    terms = tuple(one if size_of(term) == 6 else term for term in others)
    if not stays:
        h, w = Axis("H", 10), Axis("W", 2)
        terms = tuple({6: one, 4: h, 5: w}[size_of(term) or 0] for term in others)
    y = net.builder.add(Reshape(), "anew", [x], [(first, *terms)]).result
    return net.freeze(net.conv("conv", y, 3, 2, 2))


@pytest.mark.parametrize("first", [True, False])
def test_nothing_moves(first: bool, tmp_path: Path) -> None:
    graph = regrouped(Net(first=first), stays=True)
    plan = solve(graph, onnx_policy("match"))
    check(plan)
    assert not plan.coercions
    found = export(graph, tmp_path, io="match")
    assert dict(found.counts) == {"Conv": 1}
    fed = [np.random.default_rng(1).standard_normal((2, 6, 4, 5))]
    given = fed if first else [np.moveaxis(fed[0], 1, -1)]
    [told] = expected(graph, given)
    must_equal(found.run(fed), [told if first else np.moveaxis(told, -1, 1)])


def test_one_that_changes_extents_has_its_authors_order(tmp_path: Path) -> None:
    graph = regrouped(Net(first=False), stays=False)
    plan = solve(graph, onnx_policy("match"))
    check(plan)
    [settled] = [step for step in plan.settled if step.node.op == Reshape()]
    assert settled.input == settled.node.inputs[0].layout  # type: ignore[union-attr]
    fed = [np.random.default_rng(1).standard_normal((2, 4, 5, 6))]
    found = export(graph, tmp_path, io="keep")
    must_equal(found.run(fed), expected(graph, fed))


def test_a_result_that_lies_otherwise_is_caught() -> None:
    plan = solve(regrouped(Net(first=False), stays=True), onnx_policy("match"))

    def spoilt(step: object) -> object:
        if not isinstance(step, Settled) or step.node.op != Reshape():
            return step
        batch, one, *rest = step.results[0].terms
        wrong = Layout((batch, *rest, one))
        return msgspec.structs.replace(step, results=(wrong,))

    steps = tuple(map(spoilt, plan.steps))
    with pytest.raises(CheckError):
        check(msgspec.structs.replace(plan, steps=steps))
