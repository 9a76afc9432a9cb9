"""The LSTM against one written number by number, with masks, states and both directions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from one_op import Array, OneOp, numbers

from kerasir.ir.ops.activation import HardSigmoid, Sigmoid, Softsign, Tanh
from kerasir.ir.ops.recurrent import LSTM

BATCH, TIME, FEATURES, UNITS = 2, 5, 3, 4
SIZES = {
    "batch": (None,), "time": (TIME,), "features": (FEATURES,), "recurrent": (UNITS,),
    "units": (UNITS,),
}  # fmt: skip
FED: Any = {"labels": {"gates": ("i", "f", "c", "o")}, "dtypes": ("float32", "bool")}


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
    mask = np.array([[False, True, False, True, True], [True, True, True, False, False]])
    order = list(range(TIME))[:: -1 if backwards else 1]
    want = lstm_loops(x, weights, h, c, mask, order)
    op = LSTM(
        activation=Tanh(), recurrent_activation=HardSigmoid(slope=0.2), go_backwards=backwards
    )
    one_lstm(op, weights, feeds=4).gives(*want, of=[x, mask, h, c])


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
    op = LSTM(activation=Tanh(), recurrent_activation=HardSigmoid(slope=0.2))
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
