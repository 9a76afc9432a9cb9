"""Recurrent layers behind masks: ONNX' operators over the steps that count, for every mask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings, strategies as st
from networks import Net
from one_op import Array
from onnx_models import Exported, expected, export, must_equal
from recurrent_networks import WAYS, one_way

import kerasir
from genuine import FixtureCase
from kerasir.exporters.onnx.style import Style
from kerasir.ir.graph import Graph, Node, Value
from kerasir.ir.layout import Axis
from kerasir.ir.op import Op
from kerasir.ir.ops.activation import Relu
from kerasir.ir.ops.merge import Add, Average, Maximum, Multiply
from kerasir.ir.ops.recurrent import LSTM, ReverseTime, SimpleRNN, ZeroAbsent

BATCH, TIME, FEATURES, UNITS = 4, 6, 3, 5
OPERATORS = {"LSTM": "LSTM", "GRU": "GRU", "RNN": "RNN"}

X = np.random.default_rng(3).standard_normal((BATCH, TIME, FEATURES))
HOLES = np.array([[0, 1, 1, 0, 1, 0], [1, 1, 1, 0, 0, 0], [0] * TIME, [1] * TIME], bool)
"""A mask with holes, one that is a length, nothing at all, and everything."""

CAPPED = Relu(max_value=0.5)
"""A function that ONNX' operators do not know."""

masks = st.lists(
    st.lists(st.booleans(), min_size=TIME, max_size=TIME), min_size=BATCH, max_size=BATCH
).map(np.array)


def begun(net: Net, *, dtype: str = "bool") -> tuple[Value, Value]:
    """A sequence and its mask."""
    time = Axis("T", None)
    x = net.builder.input("x", (net.batch, time, Axis("F", FEATURES)))
    return x, net.builder.input("mask", (net.batch, time), dtype)


def must_agree(found: Exported, graph: Graph, mask: Array) -> None:
    must_equal(found.run([X, mask]), expected(graph, [X, mask]))


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("kind", WAYS)
def test_every_mask(kind: str, backwards: bool, tmp_path: Path) -> None:
    """Results of every step and last states, by the operator, whatever is left out."""
    net = Net(first=True)
    x, mask = begun(net)
    node = one_way(net, "layer", WAYS[kind][backwards], x, UNITS, mask=mask)
    graph = net.freeze(*node.results)
    found = export(graph, tmp_path)
    assert found.counts[OPERATORS[kind]] == 1
    assert not found.counts["Scan"]
    must_agree(found, graph, HOLES)

    @settings(max_examples=60, deadline=None)
    @given(masks)
    def for_all(drawn: Array) -> None:
        must_agree(found, graph, drawn)

    for_all()


def stacked(net: Net) -> Graph:
    x, mask = begun(net)
    first = one_way(net, "first", WAYS["LSTM"][0], x, 4, mask=mask)
    second = one_way(net, "second", WAYS["GRU"][0], first.result, UNITS, mask=mask)
    return net.freeze(second.results[1])


def test_a_layer_takes_the_sequence_of_another_as_it_is(tmp_path: Path) -> None:
    """Between layers behind one mask nothing is spread over time and gathered again."""
    graph = stacked(Net(first=True))
    found = export(graph, tmp_path)
    assert (found.counts["GatherND"], found.counts["TopK"], found.counts["Where"]) == (1, 1, 0)
    must_agree(found, graph, HOLES)


def is_read_by(path: Path, made: str, reader: str) -> bool:
    """Whether an operator of one type reads what one of another has made."""
    nodes = onnx.load(path).graph.node
    results = {node.output[0] for node in nodes if node.op_type == made}
    return any(node.input[0] in results for node in nodes if node.op_type == reader)


def test_a_state_is_handed_over_as_it_is(
    genuine: Callable[[str], FixtureCase], tmp_path: Path
) -> None:
    """The last state of a layer as the initial one of another: no Squeeze and Unsqueeze."""
    path = tmp_path / "model.onnx"
    kerasir.convert(genuine("keras3.15.1-jax/m_states_tf").model, path)
    assert not is_read_by(path, "Squeeze", "Unsqueeze")


def test_a_mask_of_numbers_is_not_cast_back_and_forth(
    genuine: Callable[[str], FixtureCase], tmp_path: Path
) -> None:
    """A Masking computes its mask in numbers, and lengths are numbers again."""
    path = tmp_path / "model.onnx"
    kerasir.convert(genuine("keras2.2.4-theano/masking_tf").model, path)
    assert not is_read_by(path, "Cast", "Cast")


def test_layers_one_to_one(tmp_path: Path) -> None:
    graph = stacked(Net(first=True))
    found = export(graph, tmp_path, style=Style(share=False))
    assert found.counts["TopK"] == 2
    must_agree(found, graph, HOLES)


def both_ways(
    net: Net, kind: str, x: Value, mask: Value, name: str, *, zeros: bool, bias: bool = True
) -> Value:
    """A Bidirectional that returns sequences: with zeros for absent steps, or results repeated."""
    halves = (zeroed_halves if zeros else halves_of)(net, kind, x, mask, name, bias=bias)
    return net.concat(f"{name}_join", halves, 2)


def halves_of(net: Net, kind: str, x: Value, mask: Value, name: str, *, bias: bool) -> list[Value]:
    """The sequences of both directions, in the order of time."""
    forth, back = (
        one_way(net, f"{name}{i}", op, x, UNITS, mask=mask, bias=bias)
        for i, op in enumerate(WAYS[kind])
    )
    time = net.builder.axes(back.result)[1:2]
    return [forth.result, net.same(ReverseTime(), f"{name}_turned", back.result, time=time)]


def zeroed_halves(
    net: Net, kind: str, x: Value, mask: Value, name: str, *, bias: bool
) -> list[Value]:
    """The same with zeros for absent steps."""
    halves = halves_of(net, kind, x, mask, name, bias=bias)
    return [_zeroed(net, y, mask, f"{name}_zeroed{i}").result for i, y in enumerate(halves)]


def _zeroed(net: Net, y: Value, mask: Value, name: str) -> Node:
    batch, time, units = terms = net.builder.axes(y)
    axes = {"batch": (batch,), "time": (time,), "units": (units,)}
    return net.builder.add(ZeroAbsent(), name, [y, mask], [terms], axes=axes)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("zeros", [True, False])
@pytest.mark.parametrize("kind", WAYS)
def test_both_directions(kind: str, zeros: bool, bias: bool, tmp_path: Path) -> None:
    """Zeros are alike for both, so they are one operator; results repeated come from two sides."""
    net = Net(first=True)
    x, mask = begun(net)
    graph = net.freeze(both_ways(net, kind, x, mask, "a", zeros=zeros, bias=bias))
    found = export(graph, tmp_path)
    assert found.counts[OPERATORS[kind]] == 2 - zeros
    assert found.counts["GatherND"] == 3 - zeros
    must_agree(found, graph, HOLES)


def test_both_directions_twice(tmp_path: Path) -> None:
    net = Net(first=True)
    x, mask = begun(net)
    y = both_ways(net, "LSTM", x, mask, "a", zeros=True)
    graph = net.freeze(both_ways(net, "GRU", y, mask, "b", zeros=True))
    found = export(graph, tmp_path)
    assert found.counts["LSTM"] == found.counts["GRU"] == 1
    assert (found.counts["GatherND"], found.counts["Where"]) == (2, 1)
    must_agree(found, graph, HOLES)


@pytest.mark.parametrize("mode", [Add(), Multiply(), Average(), Maximum()], ids=lambda op: op.kind)
def test_both_directions_merged_by_other_ops(mode: Op, tmp_path: Path) -> None:
    """Zeros merged are zeros: what is merged lies in front, and is spread over time as one."""
    net = Net(first=True)
    x, mask = begun(net)
    halves = zeroed_halves(net, "GRU", x, mask, "a", bias=True)
    terms = net.builder.axes(halves[0])
    graph = net.freeze(net.builder.add(mode, "made", halves, [terms]).result)
    found = export(graph, tmp_path)
    assert (found.counts["GatherND"], found.counts["Where"]) == (2, 1)
    assert found.counts["GRU"] == 1 + isinstance(mode, Maximum)
    must_agree(found, graph, HOLES)


def test_last_states_of_both_directions(tmp_path: Path) -> None:
    net = Net(first=True)
    x, mask = begun(net)
    halves = [
        one_way(net, f"half{i}", op, x, UNITS, mask=mask) for i, op in enumerate(WAYS["LSTM"])
    ]
    graph = net.freeze(net.concat("join", [half.results[1] for half in halves], 1))
    found = export(graph, tmp_path)
    assert found.counts["LSTM"] == 1
    must_agree(found, graph, HOLES)


def test_halves_behind_unlike_masks_stay_two(tmp_path: Path) -> None:
    net = Net(first=True)
    x, mask = begun(net)
    other = net.builder.input("other", net.builder.axes(mask), "bool")
    halves = [
        one_way(net, f"half{i}", op, x, UNITS, mask=m)
        for i, (op, m) in enumerate(zip(WAYS["LSTM"], (mask, other), strict=True))
    ]
    graph = net.freeze(net.concat("join", [half.results[1] for half in halves], 1))
    found = export(graph, tmp_path)
    assert (found.counts["LSTM"], found.counts["TopK"]) == (2, 2)
    arrays = [X, HOLES, HOLES[::-1]]
    must_equal(found.run(arrays), expected(graph, arrays))


def test_zeros_for_steps_of_another_mask(tmp_path: Path) -> None:
    """What one mask leaves out repeats results; zeros stand where the other does."""
    net = Net(first=True)
    x, mask = begun(net)
    other = net.builder.input("other", net.builder.axes(mask), "bool")
    y = one_way(net, "layer", WAYS["GRU"][0], x, UNITS, mask=mask).result
    graph = net.freeze(_zeroed(net, y, other, "zeroed").result)
    found = export(graph, tmp_path)
    arrays = [X, HOLES, HOLES[::-1]]
    must_equal(found.run(arrays), expected(graph, arrays))


@pytest.mark.parametrize("make", [
    lambda net, x, mask: one_way(
        net, "layer", LSTM(activation=CAPPED, recurrent_activation=CAPPED), x, UNITS, mask=mask
    ),
    lambda net, x, mask: one_way(
        net, "layer", SimpleRNN(activation=CAPPED, go_backwards=True), x, UNITS, mask=mask
    ),
])  # fmt: skip
def test_step_by_step(make: Callable[[Net, Value, Value], Node], tmp_path: Path) -> None:
    """A function that the operators do not know: a Scan, whatever the mask."""
    net = Net(first=True)
    graph = net.freeze(*make(net, *begun(net)).results)
    found = export(graph, tmp_path)
    assert found.counts["Scan"] == 1
    assert [event.code for event in found.events] == ["KX502"]
    must_agree(found, graph, HOLES)
