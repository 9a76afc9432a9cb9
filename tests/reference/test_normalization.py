"""Normalizations against loops written from the formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from one_op import REST, OneOp, numbers

from kerasir.ir.ops.normalization import BatchNorm, BatchStatisticsNorm, SampleNorm


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


@pytest.mark.parametrize("under_root", [True, False])
@pytest.mark.parametrize("roll", [0, 1, 2])
def test_each_sample_by_its_own_statistics(roll: int, under_root: bool) -> None:
    """Epsilon counts in the deviation, and in the variance from Keras 1 on."""
    x, gamma, beta = numbers(2, 3, 4), numbers(4), numbers(4)
    y = np.zeros_like(x)
    for n, i, c in np.ndindex(x.shape):
        mean = sum(x[n, i]) / 4
        variance = sum((number - mean) ** 2 for number in x[n, i]) / 4
        deviation = math.sqrt(variance + (0.01 if under_root else 0)) + 0.01
        y[n, i, c] = (x[n, i, c] - mean) / deviation * gamma[c] + beta[c]
    sizes, params = {REST: (None, 3), "axis": (4,)}, {"gamma": gamma, "beta": beta}
    op = SampleNorm(epsilon=0.01, under_root=under_root)
    OneOp(op, sizes, params, roll=roll).gives(y, of=[x])


@pytest.mark.parametrize("roll", [0, 1, 2])
def test_each_channel_by_the_statistics_of_what_is_fed(roll: int) -> None:
    x, gamma, beta = numbers(2, 3, 4), numbers(4), numbers(4)
    y = np.zeros_like(x)
    for n, i, c in np.ndindex(x.shape):
        seen = [x[a, b, c] for a in range(2) for b in range(3)]
        mean = sum(seen) / 6
        variance = sum((number - mean) ** 2 for number in seen) / 6
        y[n, i, c] = (x[n, i, c] - mean) / math.sqrt(variance + 0.01) * gamma[c] + beta[c]
    sizes, params = {REST: (None, 3), "axis": (4,)}, {"gamma": gamma, "beta": beta}
    OneOp(BatchStatisticsNorm(epsilon=0.01), sizes, params, roll=roll).gives(y, of=[x])
