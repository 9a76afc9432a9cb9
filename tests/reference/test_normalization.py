"""Normalizations against loops written from the formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from one_op import REST, OneOp, numbers

from kerasir.ir.ops.normalization import BatchNorm


@pytest.mark.parametrize("roll", [0, 1, 2, 3])
@pytest.mark.parametrize("scaled", [True, False])
def test_batch_norm_along_any_axis(roll: int, scaled: bool) -> None:
    x, mean, variance = numbers(2, 3, 5, 4), numbers(4) + 1, np.abs(numbers(4)) * 2
    gamma, beta = numbers(4) * 3, numbers(4) - 2
    y = np.zeros_like(x)
    for *n, c in np.ndindex(x.shape):
        y[*n, c] = (x[*n, c] - mean[c]) / math.sqrt(variance[c] + 0.01)
        if scaled:
            y[*n, c] = y[*n, c] * gamma[c] + beta[c]
    params = {"mean": mean, "variance": variance}
    params |= {"gamma": gamma, "beta": beta} if scaled else {}
    sizes = {REST: (None, 3, 5), "axis": (4,)}
    OneOp(BatchNorm(epsilon=0.01), sizes, params, roll=roll).gives(y, of=[x])
