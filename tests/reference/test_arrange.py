"""Elements chosen, repeated and padded by position, against loops."""

from __future__ import annotations

import numpy as np
import pytest
from one_op import OneOp, numbers

from kerasir.ir.ops.arrange import (
    Broadcast,
    Einsum,
    Gather,
    OneHot,
    Pad,
    Take,
    TopK,
    Triangle,
)


def test_take() -> None:
    x, places = numbers(2, 3, 4, 5), (3, 0, 0)
    y = np.zeros((2, 3, 3, 5))
    for n, c, i, e in np.ndindex(y.shape):
        y[n, c, i, e] = x[n, c, places[i], e]
    sizes = {"before": [None, 3], "axis": [4], "behind": [5], "chosen": [3]}
    OneOp(Take(indices=places), sizes).gives(y, of=[x])


def test_gather_by_batch_entries() -> None:
    x, at = numbers(2, 4, 5), np.array([[3, 0, -1], [1, 1, 2]])
    y = np.zeros((2, 3, 5))
    for n, i, e in np.ndindex(y.shape):
        y[n, i, e] = x[n, at[n, i], e]
    sizes = {
        "lead": [None], "before": [], "axis": [4], "behind": [5], "own_lead": [None], "at": [3],
        "out": [None, 3, 5],
    }  # fmt: skip
    one = OneOp(Gather(batched=True), sizes, feeds=2, dtypes=["float32", "int32"])
    for [found] in one.run(x, at):
        np.testing.assert_array_equal(found, y)


@pytest.mark.parametrize("mode", ["constant", "reflect", "symmetric", "edge"])
def test_pad(mode: str) -> None:
    x, before, after = numbers(2, 4), 2, 3
    places = {
        "reflect": lambda i: abs(i) if i < 4 else 6 - i,
        "symmetric": lambda i: -i - 1 if i < 0 else i if i < 4 else 7 - i,
        "edge": lambda i: min(max(i, 0), 3),
    }
    y = np.full((2, 9), 1.5)
    for n, t in np.ndindex(y.shape):
        i = t - before
        if mode != "constant":
            y[n, t] = x[n, places[mode](i)]
        elif 0 <= i < 4:
            y[n, t] = x[n, i]
    op = Pad(padding=((0, 0), (before, after)), mode=mode, value=1.5)  # type: ignore[arg-type]
    OneOp(op, {"...": [None, 4], "out": [None, 9]}).gives(y, of=[x])


def test_broadcast() -> None:
    x = numbers(2, 1, 4)
    y = np.array([[x[n, 0]] * 3 for n in range(2)])
    OneOp(Broadcast(), {"...": [None, 1, 4], "out": [2, 3, 4]}).gives(y, of=[x])


def test_one_hot_of_what_is_no_class_is_nothing() -> None:
    sizes = {"...": [None, 3], "classes": [4]}
    one = OneOp(OneHot(), sizes, dtypes=["int32"])
    for [found] in one.run(np.array([[1, -1, 4]])):
        np.testing.assert_array_equal(found, [[[0, 1, 0, 0], [0] * 4, [0] * 4]])


@pytest.mark.parametrize("least", [False, True])
def test_the_largest_in_order(least: bool) -> None:
    x = numbers(2, 5)
    order = [sorted(range(5), key=lambda i: row[i] if least else -row[i])[:3] for row in x]
    sizes = {"before": [None], "axis": [5], "chosen": [3]}
    for values, places in OneOp(TopK(least=least), sizes).run(x):
        np.testing.assert_array_equal(places, order)
        np.testing.assert_array_equal(values, [x[n][order[n]] for n in range(2)])


@pytest.mark.parametrize("upper", [False, True])
def test_triangle(upper: bool) -> None:
    x = numbers(2, 3, 4)
    y = np.zeros_like(x)
    for n, i, j in np.ndindex(x.shape):
        y[n, i, j] = x[n, i, j] if (j - i >= 1 if upper else j - i <= 1) else 0
    OneOp(Triangle(diagonal=1, upper=upper), {"...": [None, 3, 4]}).gives(y, of=[x])


def test_einsum() -> None:
    x = numbers(2, 3, 4)
    y = np.zeros((2, 4))
    for n, i, j in np.ndindex(x.shape):
        y[n, j] += x[n, i, j]
    OneOp(Einsum(equation="aij->aj"), {"...": [None, 3, 4], "out": [None, 4]}).gives(y, of=[x])
