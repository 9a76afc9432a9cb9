"""Recurrent ops against ones written number by number, with masks, states and both directions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from loops import conv_loops
from one_op import REST, Array, OneOp, numbers

from kerasir.ir.op import Op
from kerasir.ir.ops.activation import HardSigmoid, Relu, Sigmoid, Softsign, Tanh
from kerasir.ir.ops.recurrent import GRU, LSTM, ConvLSTM, ReverseTime, SimpleRNN

BATCH, TIME, FEATURES, UNITS = 2, 5, 3, 4
SIZES = {
    "batch": (None,), "time": (TIME,), "features": (FEATURES,), "recurrent": (UNITS,),
    "units": (UNITS,),
}  # fmt: skip
FED: Any = {"labels": {"gates": ("i", "f", "c", "o")}, "dtypes": ("float32", "bool")}
HARD = HardSigmoid(slope=0.2)
MASK = np.array([[False, True, False, True, True], [True, True, True, False, False]])


def hard_sigmoid(x: float) -> float:
    return min(max(0.2 * x + 0.5, 0.0), 1.0)


def lstm_loops(
    x: Array, weights: tuple[Array, Array, Array], h: Array, c: Array, mask: Array, order: list[int]
) -> tuple[Array, Array, Array]:
    """One number at a time, from the formula; the gates' columns are i f c o."""
    kernel, recurrent, bias = weights
    y = np.zeros((len(x), len(order), UNITS))
    h, c = h.copy(), c.copy()
    for n in range(len(x)):
        last = np.zeros(UNITS)
        for place, t in enumerate(order):
            if mask[n, t]:
                z = [
                    [
                        sum(x[n, t, f] * kernel[f, g * UNITS + u] for f in range(FEATURES))
                        + sum(h[n, r] * recurrent[r, g * UNITS + u] for r in range(UNITS))
                        + bias[g * UNITS + u]
                        for u in range(UNITS)
                    ]
                    for g in range(4)
                ]
                for u in range(UNITS):
                    i, f, o = (hard_sigmoid(z[g][u]) for g in (0, 1, 3))
                    c[n, u] = f * c[n, u] + i * math.tanh(z[2][u])
                    h[n, u] = o * math.tanh(c[n, u])
                last = h[n].copy()
            y[n, place] = last
    return y, h, c


def one_lstm(op: LSTM, weights: tuple[Array, Array, Array], feeds: int, batch: int = 1) -> OneOp:
    sizes = SIZES if batch == 1 else {**SIZES, "batch": (None, 3)}
    params = dict(zip(("kernel", "recurrent_kernel", "bias"), weights, strict=True))
    return OneOp(op, sizes, params, feeds=feeds, **FED)


@pytest.fixture
def weights() -> tuple[Array, Array, Array]:
    return numbers(FEATURES, 4 * UNITS), numbers(UNITS, 4 * UNITS), numbers(4 * UNITS)


@pytest.mark.parametrize("backwards", [False, True])
def test_lstm_with_states_and_a_mask(weights: tuple[Array, Array, Array], backwards: bool) -> None:
    x, h, c = numbers(BATCH, TIME, FEATURES), numbers(BATCH, UNITS), 2 * numbers(BATCH, UNITS)
    order = list(range(TIME))[:: -1 if backwards else 1]
    want = lstm_loops(x, weights, h, c, MASK, order)
    op = LSTM(activation=Tanh(), recurrent_activation=HARD, go_backwards=backwards)
    one_lstm(op, weights, feeds=4).gives(*want, of=[x, MASK, h, c])


def test_a_batch_entry_masked_throughout_keeps_its_states_and_gives_zeros(
    weights: tuple[Array, Array, Array],
) -> None:
    x, h, c = numbers(BATCH, TIME, FEATURES), numbers(BATCH, UNITS), 2 * numbers(BATCH, UNITS)
    mask = np.array([[False] * TIME, [True] * TIME])
    op = LSTM(activation=Tanh(), recurrent_activation=Sigmoid())
    for y, last_h, last_c in one_lstm(op, weights, feeds=4).run(x, mask, h, c):
        assert not y[0].any()
        assert y[1].all()
        np.testing.assert_array_equal(last_h[0], h[0])
        np.testing.assert_array_equal(last_c[0], c[0])
        np.testing.assert_array_equal(last_h[1], y[1, -1])


def test_lstm_begins_at_zero_in_each_of_two_batch_terms(
    weights: tuple[Array, Array, Array],
) -> None:
    x, none = numbers(2 * 3, TIME, FEATURES), np.zeros((2 * 3, UNITS))
    want = lstm_loops(x, weights, none, none, np.ones((6, TIME)), list(range(TIME)))
    op = LSTM(activation=Tanh(), recurrent_activation=HARD)
    one = one_lstm(op, weights, feeds=1, batch=2)
    one.gives(*(w.reshape(2, 3, *w.shape[1:]) for w in want), of=[x.reshape(2, 3, TIME, FEATURES)])


def test_each_gate_takes_its_own_activation(weights: tuple[Array, Array, Array]) -> None:
    """A cell that only forgets: zero kernels leave the bias of each gate."""
    zero = tuple(np.zeros_like(array) for array in weights[:2])
    bias = np.repeat([0.5, -0.3, 0.7, 1.1], UNITS)
    x, h, c = numbers(BATCH, 1, FEATURES), numbers(BATCH, UNITS), numbers(BATCH, UNITS)
    gate = [1 / (1 + math.exp(-number)) for number in (0.5, -0.3, 0.7, 1.1)]
    new_c = gate[1] * c + gate[0] * (0.7 / 1.7)
    new_h = gate[3] * new_c / (1 + np.abs(new_c))
    op = LSTM(activation=Softsign(), recurrent_activation=Sigmoid())
    mask = np.ones((BATCH, 1), bool)
    one = OneOp(
        op,
        {**SIZES, "time": (1,)},
        {"kernel": zero[0], "recurrent_kernel": zero[1], "bias": bias},
        feeds=4,
        **FED,
    )
    one.gives(new_h[:, None], new_h, new_c, of=[x, mask, h, c])


Cell = Callable[[Array, Array], Array]


def walk_loops(x: Array, h: Array, mask: Array, order: list[int], cell: Cell) -> list[Array]:
    """`y` and the last `h`, of a cell that has one state, one batch entry at a time."""
    y, h = np.zeros((len(x), len(order), h.shape[1])), h.copy()
    for n in range(len(x)):
        last = np.zeros(h.shape[1])
        for place, t in enumerate(order):
            if mask[n, t]:
                last = h[n] = cell(x[n, t], h[n])
            y[n, place] = last
    return [y, h]


def column(x: Array, kernel: Array, u: int) -> float:
    return float(sum(x[f] * kernel[f, u] for f in range(len(x))))


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("fed", [1, 3])
def test_simple_rnn(backwards: bool, fed: int) -> None:
    kernel, recurrent, bias = numbers(FEATURES, UNITS), numbers(UNITS, UNITS), numbers(UNITS)
    x = numbers(BATCH, TIME, FEATURES)
    h = numbers(BATCH, UNITS) if fed == 3 else np.zeros((BATCH, UNITS))
    mask = MASK if fed == 3 else np.ones_like(MASK)

    def cell(now: Array, state: Array) -> Array:
        return np.array([
            math.tanh(column(now, kernel, u) + column(state, recurrent, u) + bias[u])
            for u in range(UNITS)
        ])

    order = list(range(TIME))[:: -1 if backwards else 1]
    want = walk_loops(x, h, mask, order, cell)
    params = {"kernel": kernel, "recurrent_kernel": recurrent, "bias": bias}
    op = SimpleRNN(activation=Tanh(), go_backwards=backwards)
    one = OneOp(op, SIZES, params, feeds=fed, dtypes=("float32", "bool"))
    one.gives(*want, of=[x, mask, h][:fed])


@pytest.mark.parametrize("reset_after", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
def test_gru_of_either_kind(reset_after: bool, backwards: bool) -> None:
    kernel, recurrent = numbers(FEATURES, 3 * UNITS), numbers(UNITS, 3 * UNITS)
    bias, back = numbers(3 * UNITS), numbers(3 * UNITS) * reset_after
    x, h = numbers(BATCH, TIME, FEATURES), numbers(BATCH, UNITS)

    def cell(now: Array, state: Array) -> Array:
        def gate(g: int, u: int) -> float:
            at = g * UNITS + u
            own = column(now, kernel, at) + bias[at]
            return hard_sigmoid(own + column(state, recurrent, at) + back[at])

        r = np.array([gate(1, u) for u in range(UNITS)])
        new = np.zeros(UNITS)
        for u in range(UNITS):
            at = 2 * UNITS + u
            if reset_after:
                inner = r[u] * (column(state, recurrent, at) + back[at])
            else:
                inner = column(r * state, recurrent, at)
            candidate = math.tanh(column(now, kernel, at) + bias[at] + inner)
            new[u] = gate(0, u) * state[u] + (1 - gate(0, u)) * candidate
        return new

    order = list(range(TIME))[:: -1 if backwards else 1]
    want = walk_loops(x, h, MASK, order, cell)
    params = {"kernel": kernel, "recurrent_kernel": recurrent, "bias": bias}
    params |= {"recurrent_bias": back} if reset_after else {}
    op = GRU(
        activation=Tanh(), recurrent_activation=HARD, reset_after=reset_after,
        go_backwards=backwards,
    )  # fmt: skip
    labels = {"gates": ("z", "r", "h")}
    one = OneOp(op, SIZES, params, feeds=3, labels=labels, dtypes=("float32", "bool"))
    one.gives(*want, of=[x, MASK, h])


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("batch", [(2,), (2, 3)])
@pytest.mark.parametrize("backwards", [False, True])
def test_conv_lstm(last: bool, batch: tuple[int, ...], backwards: bool) -> None:
    """A step is two convolutions, written as loops, and an LSTM's gates."""
    count, filters, time = math.prod(batch), 2, 3
    x = numbers(count, time, 3, 5, 4)
    kernel, recurrent = numbers(2, 3, 3, 4 * filters), numbers(3, 1, filters, 4 * filters)
    bias = numbers(4 * filters)
    pads, keep = ((1, 0), (1, 1)), ((1, 1), (0, 0))
    h, c = numbers(count, filters, 3, 4), numbers(count, filters, 3, 4)
    mask = numbers(count, time) > 0
    y, now_h, now_c = np.zeros((count, time, filters, 3, 4)), h.copy(), c.copy()
    given = conv_loops(x.reshape(-1, 3, 5, 4), kernel, (2, 1), (1, 1), pads)
    given = given.reshape(count, time, 4, filters, 3, 4) + bias.reshape(4, filters, 1, 1)
    for n in range(count):
        shown = np.zeros((filters, 3, 4))
        for place, t in enumerate(reversed(range(time)) if backwards else range(time)):
            if mask[n, t]:
                own = conv_loops(now_h[n : n + 1], recurrent, (1, 1), (1, 1), keep)[0]
                z = given[n, t] + own.reshape(4, filters, 3, 4)
                i, f, o = (np.vectorize(hard_sigmoid)(z[gate]) for gate in (0, 1, 3))
                now_c[n] = f * now_c[n] + i * np.tanh(z[2])
                now_h[n] = o * np.tanh(now_c[n])
                shown = now_h[n].copy()
            y[n, place] = shown
    sizes = {
        "batch": (None, *batch[1:]), "time": (time,), "channels": (3,), "space": (5, 4),
        "kernel_space": (2, 3), "recurrent_space": (3, 1), "recurrent": (filters,),
        "filters": (filters,), "out_space": (3, 4),
    }  # fmt: skip
    op = ConvLSTM(
        activation=Tanh(), recurrent_activation=HARD, strides=(2, 1), dilation=(1, 1),
        padding=pads, recurrent_padding=keep, go_backwards=backwards,
    )  # fmt: skip
    params = {"kernel": kernel, "recurrent_kernel": recurrent, "bias": bias}
    one = OneOp(op, sizes, params, feeds=4, last=last, **FED)
    wanted = [array.reshape(*batch, *array.shape[1:]) for array in (y, now_h, now_c)]
    one.gives(*wanted, of=[array.reshape(*batch, *array.shape[1:]) for array in (x, mask, h, c)])


@pytest.mark.parametrize("roll", [0, 1, 2, 3])
def test_reverse_time_in_any_order(roll: int) -> None:
    x = numbers(2, 3, 4, 5)
    y = np.zeros_like(x)
    for n, a, b, t in np.ndindex(x.shape):
        y[n, a, b, t] = x[n, a, b, 4 - t]
    OneOp(ReverseTime(), {REST: (None, 3, 4), "time": (5,)}, roll=roll).gives(y, of=[x])


@pytest.mark.parametrize(
    "op",
    [
        SimpleRNN(activation=Relu()),
        GRU(activation=Relu(), recurrent_activation=Sigmoid()),
        LSTM(activation=Relu(), recurrent_activation=Sigmoid()),
    ],
    ids=lambda op: op.kind,
)
def test_no_bias_and_no_state(op: Op) -> None:
    """Zero kernels and no bias: every state stays zero."""
    gates = {"SimpleRNN": (), "GRU": ("z", "r", "h"), "LSTM": ("i", "f", "c", "o")}[op.kind]
    columns = UNITS * (len(gates) or 1)
    params = {
        "kernel": np.zeros((FEATURES, columns)),
        "recurrent_kernel": np.zeros((UNITS, columns)),
    }
    labels = {"gates": gates} if gates else {}
    one = OneOp(op, SIZES, params, labels=labels)
    for found in one.run(numbers(BATCH, TIME, FEATURES)):
        assert not any(array.any() for array in found)
