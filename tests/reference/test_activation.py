"""Activations against the formulas, one number at a time; and far from zero."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from one_op import REST, OneOp, numbers

from kerasir.ir.op import Op
from kerasir.ir.ops.activation import (
    Elu,
    Exponential,
    HardSigmoid,
    LeakyRelu,
    Linear,
    ParametricSoftplus,
    PRelu,
    Relu,
    Selu,
    Sigmoid,
    Softmax,
    Softplus,
    Softsign,
    SRelu,
    Tanh,
    ThresholdedRelu,
    TrainingOnly,
)
from kerasir.reference.registry import apply

FORMULAS: list[tuple[Op, Callable[[float], float]]] = [
    (Linear(), lambda x: x),
    (TrainingOnly(layer_class="Dropout"), lambda x: x),
    (Relu(), lambda x: max(x, 0)),
    (
        Relu(max_value=0.9, negative_slope=0.3, threshold=0.2),
        lambda x: min(x, 0.9) if x >= 0.2 else 0.3 * (x - 0.2),
    ),
    (LeakyRelu(negative_slope=0.3), lambda x: x if x > 0 else 0.3 * x),
    (Elu(alpha=1.7), lambda x: x if x > 0 else 1.7 * (math.exp(x) - 1)),
    (
        Selu(),
        lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * (math.exp(x) - 1)),
    ),
    (ThresholdedRelu(theta=0.4), lambda x: x if x > 0.4 else 0),
    (Sigmoid(), lambda x: 1 / (1 + math.exp(-x))),
    (HardSigmoid(slope=0.2), lambda x: min(max(0.2 * x + 0.5, 0), 1)),
    (HardSigmoid(slope=1 / 6, shift=0.4), lambda x: min(max(x / 6 + 0.4, 0), 1)),
    (Tanh(), lambda x: (math.exp(x) - math.exp(-x)) / (math.exp(x) + math.exp(-x))),
    (Softplus(), lambda x: math.log(1 + math.exp(x))),
    (Softsign(), lambda x: x / (1 + abs(x))),
    (Exponential(), math.exp),
]


@pytest.mark.parametrize(("op", "formula"), FORMULAS, ids=lambda x: getattr(x, "kind", ""))
def test_function_of_each_number(op: Op, formula: Callable[[float], float]) -> None:
    x = np.concatenate([numbers(4, 5, 3) * 4, np.zeros((1, 5, 3))])
    y = np.array([formula(float(number)) for number in x.reshape(-1)]).reshape(x.shape)
    OneOp(op, {REST: (None, 5, 3)}).gives(y, of=[x])
    assert apply(op, x) == pytest.approx(y)


@pytest.mark.parametrize(
    ("op", "low", "high"),
    [
        (Sigmoid(), 0, 1),
        (Softplus(), 0, 1e4),
        (Tanh(), -1, 1),
        (Elu(), -1, 1e4),
        (HardSigmoid(slope=0.2), 0, 1),
    ],
    ids=lambda x: getattr(x, "kind", ""),
)
def test_large_numbers_do_not_overflow(op: Op, low: float, high: float) -> None:
    for dtype in (np.float32, np.float64):
        with np.errstate(all="raise", under="ignore"):
            y = apply(op, np.array([-1e4, 1e4], dtype))
        assert y.dtype == dtype
        np.testing.assert_allclose(y, [low, high])


def test_small_results_keep_their_digits() -> None:
    np.testing.assert_allclose(apply(Sigmoid(), np.array([-40.0])), [math.exp(-40)], rtol=1e-12)
    np.testing.assert_allclose(apply(Softplus(), np.array([-40.0])), [math.exp(-40)], rtol=1e-12)
    np.testing.assert_allclose(apply(Elu(), np.array([-1e-9])), [-1e-9], rtol=1e-6)


@pytest.mark.parametrize("roll", [0, 1, 2])
def test_softmax_along_any_axis(roll: int) -> None:
    x = numbers(2, 5, 4) + np.array([0, 1000, 0, -1000, 3]).reshape(5, 1)
    y = np.zeros_like(x)
    for n, i in np.ndindex(2, 5):
        largest = max(x[n, i])
        total = sum(math.exp(number - largest) for number in x[n, i])
        for c in range(4):
            y[n, i, c] = math.exp(x[n, i, c] - largest) / total
    sizes = {REST: (None, 5), "axis": (4,)}
    for found in OneOp(Softmax(), sizes, roll=roll).run(x):
        np.testing.assert_allclose(found[0], y, rtol=1e-12)


@pytest.mark.parametrize("roll", [0, 1, 2])
def test_prelu_whose_slopes_span_some_axes(roll: int) -> None:
    x, alpha = numbers(2, 5, 4, 3), numbers(4, 3)
    y = np.zeros_like(x)
    for n, i, h, w in np.ndindex(x.shape):
        number = x[n, i, h, w]
        y[n, i, h, w] = number if number > 0 else alpha[h, w] * number
    one = OneOp(PRelu(), {REST: (None, 5), "span": (4, 3)}, {"alpha": alpha}, roll=roll)
    one.gives(y, of=[x])


@pytest.mark.parametrize("roll", [0, 1, 2])
def test_parametric_softplus(roll: int) -> None:
    x, alpha, beta = numbers(2, 5, 4, 3), numbers(4, 3), numbers(4, 3)
    y = np.zeros_like(x)
    for n, i, h, w in np.ndindex(x.shape):
        y[n, i, h, w] = alpha[h, w] * math.log(1 + math.exp(beta[h, w] * x[n, i, h, w]))
    sizes = {REST: (None, 5), "span": (4, 3)}
    params = {"alpha": alpha, "beta": beta}
    OneOp(ParametricSoftplus(), sizes, params, roll=roll).gives(y, of=[x])


@pytest.mark.parametrize("roll", [0, 1, 2])
@pytest.mark.parametrize("clips_left", [True, False])
def test_s_shaped_relu_clips_its_left_branch_on_theano(clips_left: bool, roll: int) -> None:
    x = numbers(2, 5, 4, 3) * 3
    left, slope, right, above = (numbers(4, 3) for _ in range(4))
    y = np.zeros_like(x)
    clipped = 0
    for n, i, h, w in np.ndindex(x.shape):
        number, begin = x[n, i, h, w], left[h, w]
        end = begin + abs(right[h, w])
        z = number - begin
        rising = z if z > 0 else slope[h, w] * z
        clipped += z <= 0 and rising > end - begin
        if z > 0 or clips_left:
            rising = min(rising, end - begin)
        y[n, i, h, w] = begin + rising + above[h, w] * max(number - end, 0)
    assert clipped
    sizes = {REST: (None, 5), "span": (4, 3)}
    params = {"t_left": left, "a_left": slope, "t_right": right, "a_right": above}
    OneOp(SRelu(clips_left=clips_left), sizes, params, roll=roll).gives(y, of=[x])
