"""Pools, padding, cropping and up-sampling against loops written from the formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from one_op import REST, Array, OneOp, numbers

from kerasir.ir.op import Op
from kerasir.ir.ops.pooling import (
    AveragePool,
    Crop,
    GlobalAveragePool,
    GlobalMaxPool,
    MaxPool,
    UpSample,
    ZeroPad,
)

ORDERS = [((None,), (2,), False), ((None,), (2,), True), ((None, 3), (2, 3), True)]
orders = pytest.mark.parametrize(("known", "batch", "last"), ORDERS)


def run(op: Op, x: Array, y: Array, known: Any, batch: Any, last: bool) -> None:
    """Compare `n c p` with `n c p`."""
    sizes = {
        "batch": known, "channels": x.shape[1:2], "space": x.shape[2:], "out_space": y.shape[2:]
    }  # fmt: skip
    one = OneOp(op, sizes, last=last)
    one.gives(y.reshape(*batch, *y.shape[1:]), of=[x.reshape(*batch, *x.shape[1:])])


def real_elements(x: Array, start: list[int], size: tuple[int, ...]) -> Array:
    """What a window holds of a channel, padding left out."""
    found = []
    for offset in np.ndindex(*size):
        place = tuple(np.add(start, offset))
        if all(0 <= i < n for i, n in zip(place, x.shape, strict=True)):
            found.append(x[place])
    return np.array(found)


@pytest.mark.parametrize(
    ("space", "size", "strides", "pads"),
    [
        ((7,), (3,), (2,), ((1, 1),)),
        ((6, 5), (2, 3), (2, 1), ((0, 0), (0, 0))),
        ((5, 7), (3, 2), (1, 3), ((1, 0), (1, 1))),
        ((4, 3, 5), (2, 1, 3), (1, 2, 2), ((1, 0), (0, 0), (1, 2))),
    ],
)
@orders
@pytest.mark.parametrize(("kind", "function"), [(MaxPool, np.max), (AveragePool, np.mean)])
def test_pool_of_real_elements(
    space: Any, size: Any, strides: Any, pads: Any, known: Any, batch: Any, last: bool,
    kind: Any, function: Any,
) -> None:  # fmt: skip
    x = numbers(int(np.prod(batch)), 4, *space)
    out = [
        (n + sum(pad) - k) // s + 1 for n, k, s, pad in zip(space, size, strides, pads, strict=True)
    ]
    y = np.zeros((*x.shape[:2], *out))
    for n, c, *p in np.ndindex(y.shape):
        start = [i * s - before for i, s, (before, _) in zip(p, strides, pads, strict=True)]
        y[n, c, *p] = function(real_elements(x[n, c], start, size))
    run(kind(pool_size=size, strides=strides, padding=pads), x, y, known, batch, last)


@orders
def test_average_pool_that_counts_its_padding(known: Any, batch: Any, last: bool) -> None:
    x = numbers(int(np.prod(batch)), 4, 5, 7)
    y = np.zeros((len(x), 4, 4, 3))
    for n, c, i, j in np.ndindex(y.shape):
        start = [i - 1, j * 3 - 1]
        y[n, c, i, j] = sum(real_elements(x[n, c], start, (3, 2))) / 6
    op = AveragePool(pool_size=(3, 2), strides=(1, 3), padding=((1, 0), (1, 1)), count_padding=True)
    run(op, x, y, known, batch, last)


@pytest.mark.parametrize("roll", [0, 1, 2, 3])
def test_global_pools_in_any_order(roll: int) -> None:
    x = numbers(2, 4, 3, 5)
    sizes = {REST: (None, 4), "space": (3, 5)}
    largest, mean = np.zeros((2, 4)), np.zeros((2, 4))
    for n, c in np.ndindex(2, 4):
        largest[n, c] = max(x[n, c].reshape(-1))
        mean[n, c] = sum(x[n, c].reshape(-1)) / 15
    OneOp(GlobalMaxPool(), sizes, roll=roll).gives(largest, of=[x])
    OneOp(GlobalAveragePool(), sizes, roll=roll).gives(mean, of=[x])


@orders
def test_zero_pad(known: Any, batch: Any, last: bool) -> None:
    x = numbers(int(np.prod(batch)), 4, 3, 5)
    y = np.zeros((len(x), 4, 6, 7))
    for n, c, i, j in np.ndindex(x.shape):
        y[n, c, i + 1, j + 2] = x[n, c, i, j]
    run(ZeroPad(padding=((1, 2), (2, 0))), x, y, known, batch, last)


@orders
def test_crop(known: Any, batch: Any, last: bool) -> None:
    x = numbers(int(np.prod(batch)), 4, 6, 7)
    y = np.zeros((len(x), 4, 3, 5))
    for n, c, i, j in np.ndindex(y.shape):
        y[n, c, i, j] = x[n, c, i + 1, j + 2]
    run(Crop(cropping=((1, 2), (2, 0))), x, y, known, batch, last)


@orders
def test_up_sample_repeats(known: Any, batch: Any, last: bool) -> None:
    x = numbers(int(np.prod(batch)), 4, 3, 5)
    y = np.zeros((len(x), 4, 6, 15))
    for n, c, i, j in np.ndindex(y.shape):
        y[n, c, i, j] = x[n, c, i // 2, j // 3]
    run(UpSample(size=(2, 3)), x, y, known, batch, last)


def between(row: Array, place: float) -> float:
    """Linear between neighbours, the edges held."""
    place = min(max(place, 0.0), len(row) - 1.0)
    low = int(place)
    high = min(low + 1, len(row) - 1)
    return float(row[low] + (row[high] - row[low]) * (place - low))


@pytest.mark.parametrize(("interpolation", "shift"), [("bilinear", 0.5), ("bilinear_corner", 0.0)])
@orders
def test_up_sample_interpolates(
    interpolation: Any, shift: float, known: Any, batch: Any, last: bool
) -> None:
    x = numbers(int(np.prod(batch)), 4, 3, 5)
    y = np.zeros((len(x), 4, 6, 15))
    for n, c, i, j in np.ndindex(y.shape):
        rows = [between(row, (j + shift) / 3 - shift) for row in x[n, c]]
        y[n, c, i, j] = between(np.array(rows), (i + shift) / 2 - shift)
    op = UpSample(size=(2, 3), interpolation=interpolation)
    run(op, x, y, known, batch, last)


def test_known_results_of_both_kinds_of_bilinear() -> None:
    """TensorFlow 2 `resize(method="bilinear")` and TensorFlow 1 `resize_bilinear` of 1 2."""
    x = np.array([1.0, 2.0]).reshape(1, 1, 2)
    half = np.array([1, 1.25, 1.75, 2]).reshape(1, 1, 4)
    corner = np.array([1, 1.5, 2, 2]).reshape(1, 1, 4)
    run(UpSample(size=(2,), interpolation="bilinear"), x, half, (None,), (1,), False)
    run(UpSample(size=(2,), interpolation="bilinear_corner"), x, corner, (None,), (1,), False)
