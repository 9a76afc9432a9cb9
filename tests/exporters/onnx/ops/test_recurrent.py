"""Recurrent ops in ONNX Runtime: as operators, and step by step."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from one_op import Array, OneOp, numbers
from onnx_models import Exported, agrees, expected, export, must_equal, newest_opset

from kerasir.exporters.onnx.opsets import LOWEST
from kerasir.ir.build import Builder
from kerasir.ir.layout import Axis
from kerasir.ir.op import Op
from kerasir.ir.ops.activation import (
    Elu,
    Exponential,
    HardSigmoid,
    LeakyRelu,
    Linear,
    Relu,
    Selu,
    Sigmoid,
    Softplus,
    Softsign,
    Tanh,
    ThresholdedRelu,
)
from kerasir.ir.ops.recurrent import GRU, LSTM, ConvLSTM, ReverseTime, SimpleRNN, ZeroAbsent

BATCH, TIME, FEATURES, UNITS = 2, 5, 3, 4
GATES: dict[type[Op], tuple[str, ...]] = {
    LSTM: ("i", "f", "c", "o"), GRU: ("z", "r", "h"), SimpleRNN: ("h",),
}  # fmt: skip
OPERATORS = {LSTM: "LSTM", GRU: "GRU", SimpleRNN: "RNN"}
HARD = HardSigmoid(slope=0.2)

LSTM_OP = LSTM(activation=Tanh(), recurrent_activation=HARD)
OPS: list[Any] = [
    LSTM_OP,
    GRU(activation=Tanh(), recurrent_activation=HARD),
    GRU(activation=Tanh(), recurrent_activation=Sigmoid(), reset_after=True),
    SimpleRNN(activation=Tanh()),
]
opsets = pytest.mark.parametrize("opset", [LOWEST, newest_opset()])
every_op = pytest.mark.parametrize("op", OPS, ids=["lstm", "gru", "gru_after", "rnn"])


def one_op(
    op: Any,
    feeds: int = 1,
    *,
    batches: int = 1,
    biased: bool = True,
    time: int | None = TIME,
    scale: float = 1.0,
) -> OneOp:
    """The op with weights; feeds are x, mask, then states."""
    columns = len(GATES[type(op)]) * UNITS
    sizes = {
        "batch": (None,) if batches == 1 else (None, 3), "time": (time,), "features": (FEATURES,),
        "recurrent": (UNITS,), "units": (UNITS,),
    }  # fmt: skip
    params = {"kernel": numbers(FEATURES, columns), "recurrent_kernel": numbers(UNITS, columns)}
    if biased:
        params["bias"] = numbers(columns)
        if isinstance(op, GRU) and op.reset_after:
            params["recurrent_bias"] = numbers(columns)
    params = {name: scale * array for name, array in params.items()}
    labels = {} if isinstance(op, SimpleRNN) else {"gates": GATES[type(op)]}
    dtypes = ("float32", "bool")
    return OneOp(op, sizes, params, feeds=feeds, labels=labels, dtypes=dtypes)


def fed(feeds: int, batches: int = 1) -> list[Array]:
    batch = (BATCH,) if batches == 1 else (BATCH, 3)
    mask = numbers(*batch, TIME) > -0.3
    mask[0] = False  # an entry that is not there at all
    states = [numbers(*batch, UNITS) for _ in range(2)]
    return [numbers(*batch, TIME, FEATURES), mask, *states][:feeds]


def backwards(op: Any) -> Any:
    return msgspec.structs.replace(op, go_backwards=True)


@opsets
@every_op
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("batches", "biased"), [(1, True), (1, False), (2, True)])
def test_one_operator(
    op: Any, reverse: bool, batches: int, biased: bool, opset: int, tmp_path: Path
) -> None:
    """Sequence and last states; time walked from the end comes out in the order walked."""
    chosen = backwards(op) if reverse else op
    one = one_op(chosen, batches=batches, biased=biased)
    found = agrees(one, *fed(1, batches), folder=tmp_path, opset=opset)
    assert found.counts[OPERATORS[type(op)]] == 1
    assert found.counts["Transpose"] == 2
    assert found.counts["Slice"] == reverse
    assert not found.events


@opsets
@every_op
def test_unknown_times(op: Any, opset: int, tmp_path: Path) -> None:
    agrees(one_op(op, time=None), *fed(1), folder=tmp_path, opset=opset)


@opsets
@every_op
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("batches", [1, 2])
def test_a_mask_with_holes(
    op: Any, reverse: bool, batches: int, opset: int, tmp_path: Path
) -> None:
    """The operator over the steps that count, brought to the front."""
    one = one_op(backwards(op) if reverse else op, 2, batches=batches)
    found = agrees(one, *fed(2, batches), folder=tmp_path, opset=opset)
    assert found.counts[OPERATORS[type(op)]] == 1
    assert found.counts["Transpose"] == 2
    assert found.counts["Scan"] == 0
    assert not found.events


@every_op
@pytest.mark.parametrize("reverse", [False, True])
def test_a_mask_and_initial_states(op: Any, reverse: bool, tmp_path: Path) -> None:
    """Before the first real step the result is zero, the state is what was fed."""
    feeds = 4 if isinstance(op, LSTM) else 3
    one = one_op(backwards(op) if reverse else op, feeds)
    agrees(one, *fed(feeds), folder=tmp_path)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("batches", [1, 2])
@every_op
def test_initial_states(op: Any, reverse: bool, batches: int, tmp_path: Path) -> None:
    """States without a mask, which is the port before them."""
    feeds = 4 if isinstance(op, LSTM) else 3
    graph = one_op(backwards(op) if reverse else op, feeds, batches=batches).graph
    node = graph.nodes[0]
    mask = graph.inputs[1]
    node.inputs = tuple(None if value is mask else value for value in node.inputs)
    graph.inputs = tuple(value for value in graph.inputs if value is not mask)
    arrays = fed(len(graph.inputs) + 1, batches)
    del arrays[1]
    found = export(graph, tmp_path)
    must_equal(found.run(arrays), expected(graph, arrays))
    assert found.counts[OPERATORS[type(op)]] == 1


FUNCTIONS: Sequence[Op] = [
    Linear(), Sigmoid(), Relu(), LeakyRelu(negative_slope=0.25), Elu(alpha=0.75), Softsign(),
     ThresholdedRelu(theta=0.25), HardSigmoid(slope=0.2, shift=0.375),
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda op: op.kind)
def test_functions_that_the_operators_know(function: Op, tmp_path: Path) -> None:
    """Alphas and betas belong to the functions that take any, in order."""
    for op in (
        LSTM(activation=function, recurrent_activation=HARD),
        GRU(activation=function, recurrent_activation=HARD),
        SimpleRNN(activation=function),
    ):
        found = agrees(one_op(op), *fed(1), folder=tmp_path, within=2e-5)
        assert found.counts["Scan"] == 0


@pytest.mark.parametrize("function", [Selu(), Softplus(), Exponential(), Relu(max_value=0.5)])
def test_functions_that_they_do_not_know(function: Op, tmp_path: Path) -> None:
    scale = 0.05 if isinstance(function, Exponential) else 0.5  # it must not run away
    for op in (
        LSTM(activation=function, recurrent_activation=HARD),
        GRU(activation=Tanh(), recurrent_activation=HARD, reset_after=True),
        GRU(activation=function, recurrent_activation=HARD),
        SimpleRNN(activation=function),
    ):
        found = agrees(one_op(op, scale=scale), *fed(1), folder=tmp_path)
        told = [event.code for event in found.events]
        assert told == (["KX502"] if op.activation is function else [])


@every_op
@pytest.mark.parametrize("results", list(itertools.product([False, True], repeat=2))[1:])
def test_what_nobody_reads_is_not_there(
    op: Any, results: tuple[bool, bool], tmp_path: Path
) -> None:
    one = one_op(op)
    node = one.graph.nodes[0]
    outputs = [v for v, kept in zip(node.results, results, strict=False) if kept]
    one.graph.outputs, one.graph.output_names = tuple(outputs), tuple(v.name for v in outputs)
    found = export(one.graph, tmp_path)
    arrays = fed(1)
    must_equal(found.run(arrays), expected(one.graph, arrays))
    [made] = [n for n in found.model.graph.node if n.op_type == OPERATORS[type(op)]]
    first, second = results
    assert [bool(name) for name in made.output] == [first, True][: 1 + second]
    assert found.counts["Squeeze"] == sum(results)


def test_a_state_that_is_not_carried_is_told(tmp_path: Path) -> None:
    op = LSTM(activation=Tanh(), recurrent_activation=HARD, stateful=True)
    found = agrees(one_op(op), *fed(1), folder=tmp_path)
    assert [(e.code, e.kind, e.level) for e in found.events] == [("KX503", "lost", "warning")]


def test_gates_and_biases_lie_as_onnx_wants_them(tmp_path: Path) -> None:
    """`i o f c` one after the other; the second half of the bias, the state's, is zero."""
    one = one_op(LSTM_OP)
    found = agrees(one, *fed(1), folder=tmp_path)
    stored = {t.name: np.frombuffer(t.raw_data, np.float32).reshape(t.dims)
              for t in found.model.graph.initializer if t.data_type == 1}  # fmt: skip
    params = one.graph.nodes[0].params
    given = {n: p.numpy(one.graph.nodes[0].param_layout(n), np.float32) for n, p in params.items()}
    keras, onnx = "ifco", "iofc"
    for at, gate in enumerate(onnx):
        mine = slice(keras.index(gate) * UNITS, (keras.index(gate) + 1) * UNITS)
        theirs = slice(at * UNITS, (at + 1) * UNITS)
        assert np.array_equal(stored["kernel"][0, theirs], given["kernel"][:, mine].T)
        assert np.array_equal(
            stored["recurrent_kernel"][0, theirs], given["recurrent_kernel"][:, mine].T
        )
        assert np.array_equal(stored["op/bias"][0, theirs], given["bias"][mine])
    assert stored["op/bias"].shape == (1, 8 * UNITS)
    assert not stored["op/bias"][0, 4 * UNITS :].any()


@opsets
@pytest.mark.parametrize("feeds", [1, 2, 4])
@pytest.mark.parametrize("batches", [1, 2])
@pytest.mark.parametrize("last", [False, True])
def test_conv_lstm(feeds: int, batches: int, last: bool, opset: int, tmp_path: Path) -> None:
    op = ConvLSTM(
        activation=Tanh(), recurrent_activation=HARD, strides=(2, 1), dilation=(1, 1),
        padding=((1, 0), (0, 1)), recurrent_padding=((1, 1), (0, 1)), go_backwards=last,
    )  # fmt: skip
    space, taps, state_taps, out = (7, 5), (2, 3), (3, 2), (4, 4)
    batch = (None,) if batches == 1 else (None, 3)
    sizes = {
        "batch": batch, "time": (TIME,), "channels": (3,), "space": space, "kernel_space": taps,
        "recurrent_space": state_taps, "recurrent": (UNITS,), "filters": (UNITS,),
        "out_space": out,
    }  # fmt: skip
    params = {
        "kernel": numbers(*taps, 3, 4 * UNITS) / 2,
        "recurrent_kernel": numbers(*state_taps, UNITS, 4 * UNITS) / 2,
        "bias": numbers(4 * UNITS),
    }
    one = OneOp(
        op, sizes, params, feeds=feeds, labels={"gates": GATES[LSTM]}, dtypes=("float32", "bool")
    )
    there = (BATCH,) if batches == 1 else (BATCH, 3)
    mask = numbers(*there, TIME) > -0.3
    states = [numbers(*there, UNITS, *out) for _ in range(2)]
    arrays = [numbers(*there, TIME, 3, *space), mask, *states][:feeds]
    found = agrees(one, *arrays, folder=tmp_path, opset=opset)
    assert found.counts["Scan"] == 1


def test_time_reversed_twice_is_not_reversed(tmp_path: Path) -> None:
    """As in Bidirectional: a layer that goes backwards, then its result turned round."""
    builder = Builder()
    x = builder.input("x", (Axis("N", None), Axis("T", None), Axis("F", 3)))
    time = {"time": x.axes[1:2]}
    once = builder.add(ReverseTime(), "once", [x], [x.axes], axes=time)
    twice = builder.add(ReverseTime(), "twice", once.results, [x.axes], axes=time)
    relu = builder.add(Relu(), "relu", twice.results, [x.axes])
    graph = builder.freeze(relu.results)
    found: Exported = export(graph, tmp_path)
    array = numbers(2, 5, 3)
    must_equal(found.run([array]), expected(graph, [array]))
    assert dict(found.counts) == {"Relu": 1}
    graph = builder.freeze([once.result, relu.result])
    found = export(graph, tmp_path)
    must_equal(found.run([array]), expected(graph, [array]))
    assert dict(found.counts) == {"Relu": 1, "Slice": 1}


@opsets
@pytest.mark.parametrize("batches", [1, 2])
def test_results_that_a_mask_makes_zero(batches: int, opset: int, tmp_path: Path) -> None:
    batch = (None,) if batches == 1 else (None, 3)
    sizes = {"batch": batch, "time": (TIME,), "units": (UNITS,)}
    one = OneOp(ZeroAbsent(), sizes, feeds=2, dtypes=("float32", "bool"))
    _, mask = fed(2, batches)
    x = numbers(*mask.shape, UNITS)
    x[0] = np.inf  # where the mask does not hold, whatever it is
    found = agrees(one, x, mask, folder=tmp_path, opset=opset)
    assert dict(found.counts) == {"Unsqueeze": 1, "Where": 1}
