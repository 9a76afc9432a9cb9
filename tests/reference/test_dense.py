"""Dense against loops written from the formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from one_op import REST, Array, OneOp, numbers

from kerasir.ir.ops.activation import Tanh
from kerasir.ir.ops.dense import Dense, Highway, MaxoutDense


@pytest.mark.parametrize("shape", [(2,), (2, 3), (2, 3, 5)])
@pytest.mark.parametrize("bias", [True, False])
def test_dense_over_the_last_axis(shape: tuple[int, ...], bias: bool) -> None:
    x, kernel, shift = numbers(*shape, 4), numbers(4, 6), numbers(6)
    y = np.zeros((*shape, 6))
    for *n, u in np.ndindex(y.shape):
        y[*n, u] = shift[u] if bias else 0
        for f in range(4):
            y[*n, u] += x[*n, f] * kernel[f, u]
    params = {"kernel": kernel, "bias": shift} if bias else {"kernel": kernel}
    sizes = {REST: (None, *shape[1:]), "features": (4,), "units": (6,)}
    OneOp(Dense(), sizes, params).gives(y, of=[x])


def row(x: Array, kernel: Array, column: int) -> float:
    return float(sum(x[f] * kernel[f, column] for f in range(len(x))))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(2,), (2, 3)])
def test_highway_lets_some_of_its_input_through(shape: tuple[int, ...], bias: bool) -> None:
    x, kernel, carry = numbers(*shape, 4), numbers(4, 4), numbers(4, 4)
    shift, carry_shift = numbers(4) * bias, numbers(4) * bias
    y = np.zeros((*shape, 4))
    for *n, f in np.ndindex(y.shape):
        gate = 1 / (1 + math.exp(-(row(x[*n], carry, f) + carry_shift[f])))
        made = math.tanh(row(x[*n], kernel, f) + shift[f])
        y[*n, f] = gate * made + (1 - gate) * x[*n, f]
    params = {"kernel": kernel, "carry_kernel": carry}
    params |= {"bias": shift, "carry_bias": carry_shift} if bias else {}
    sizes = {REST: (None, *shape[1:]), "features": (4,), "columns": (4,)}
    OneOp(Highway(activation=Tanh()), sizes, params).gives(y, of=[x])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(2,), (2, 3)])
def test_maxout_takes_the_largest_piece(shape: tuple[int, ...], bias: bool) -> None:
    x, kernel, shift = numbers(*shape, 4), numbers(3, 4, 6), numbers(3, 6) * bias
    y = np.zeros((*shape, 6))
    for *n, u in np.ndindex(y.shape):
        y[*n, u] = max(row(x[*n], kernel[p], u) + shift[p, u] for p in range(3))
    params = {"kernel": kernel, "bias": shift} if bias else {"kernel": kernel}
    sizes = {REST: (None, *shape[1:]), "features": (4,), "units": (6,), "pieces": (3,)}
    OneOp(MaxoutDense(), sizes, params).gives(y, of=[x])
