"""Resampled axes and adaptive pools, against loops from the formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from one_op import OneOp, numbers

from kerasir.ir.ops.pooling import AdaptivePool, Resample

SIZES = {"batch": [None], "channels": [2], "space": [3, 4]}


def test_nearest_takes_the_element_at_a_place() -> None:
    x = numbers(2, 2, 3, 4)
    y = np.zeros((2, 2, 5, 2))
    for n, c, i, j in np.ndindex(y.shape):
        y[n, c, i, j] = x[n, c, math.floor((i + 0.5) * 3 / 5), math.floor((j + 0.5) * 4 / 2)]
    op = Resample(size=(5, 2), method="nearest")
    for last in (False, True):
        OneOp(op, {**SIZES, "out_space": [5, 2]}, last=last).gives(y, of=[x])


def test_area_is_the_mean_of_what_an_element_covers() -> None:
    x = numbers(2, 2, 3, 4)
    y = (x[..., 0::2] + x[..., 1::2]) / 2
    OneOp(Resample(size=(3, 2), method="area"), {**SIZES, "out_space": [3, 2]}).gives(y, of=[x])


def test_bilinear_between_centres() -> None:
    x = np.array([[[[0.0, 1.0, 3.0]]]])
    sizes = {"batch": [None], "channels": [1], "space": [1, 3], "out_space": [1, 6]}
    y = np.array([[[[0.0, 0.25, 0.75, 1.5, 2.5, 3.0]]]])
    OneOp(Resample(size=(1, 6)), sizes).gives(y, of=[x])


@pytest.mark.parametrize("method", ["bicubic", "lanczos3", "lanczos5", "gaussian", "mitchellcubic"])
@pytest.mark.parametrize("antialias", [False, True])
def test_kernels_keep_what_is_constant(method: str, antialias: bool) -> None:
    rows = Resample(size=(5,), method=method, antialias=antialias).weights(9, 5)  # type: ignore[arg-type]
    assert [sum(row) for row in rows] == pytest.approx([1.0] * 5)
    assert rows == [row[::-1] for row in rows[::-1]] or np.allclose(
        rows, np.array(rows)[::-1, ::-1]
    )


def test_tensorflow_knows_1024_places() -> None:
    exact = Resample(size=(7,), method="bicubic").weights(5, 7)
    rounded = Resample(size=(7,), method="bicubic_table").weights(5, 7)
    off = np.abs(np.subtract(exact, rounded)).max()
    assert 0 < off < 1e-3


@pytest.mark.parametrize("largest", [False, True])
def test_adaptive_windows_may_share_elements(largest: bool) -> None:
    x = numbers(2, 2, 5, 4)
    windows = [(0, 2), (1, 4), (3, 5)]
    y = np.zeros((2, 2, 3, 2))
    for n, c, i, j in np.ndindex(y.shape):
        part = x[n, c, slice(*windows[i]), 2 * j : 2 * j + 2]
        y[n, c, i, j] = part.max() if largest else part.mean()
    sizes = {"batch": [None], "channels": [2], "space": [5, 4], "out_space": [3, 2]}
    OneOp(AdaptivePool(size=(3, 2), largest=largest), sizes).gives(y, of=[x])
