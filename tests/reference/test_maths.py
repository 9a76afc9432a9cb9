"""Arithmetic of tensors, against loops and Python's own functions."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from one_op import OneOp, everywhere, numbers

from kerasir.ir.build import Builder
from kerasir.ir.layout import Axis
from kerasir.ir.op import Op
from kerasir.ir.ops.maths import (
    ArgMax,
    Binary,
    Cast,
    Cumulate,
    Fill,
    Function,
    Not,
    Reduce,
    Where,
)

FREE = {"...": [None, 3], "space": [4, 5]}


@pytest.mark.parametrize(
    "name",
    ["sin", "cos", "tan", "sinh", "cosh", "erf", "expm1", "floor", "ceil"],
)
def test_functions(name: str) -> None:
    x = numbers(2, 3)
    y = np.array([[float(getattr(math, name)(v)) for v in row] for row in x])
    OneOp(Function(function=name), {"...": [None, 3]}).gives(y, of=[x])  # type: ignore[arg-type]


def test_sign_of_zero_is_zero() -> None:
    x = np.array([[-2.0, 0.0, 0.5]])
    OneOp(Function(function="sign"), {"...": [None, 3]}).gives(np.array([[-1.0, 0, 1]]), of=[x])


def truth(op: Op, x: np.ndarray, y: np.ndarray) -> None:
    one = OneOp(op, {"...": [None, x.shape[1]]}, dtypes=[str(x.dtype)])
    for [found] in one.run(x):
        np.testing.assert_array_equal(found, y)


def test_not_and_casts() -> None:
    held = np.array([[True, False]])
    truth(Not(), held, ~held)
    truth(Cast(dtype="float32"), held, np.array([[1.0, 0.0]]))
    truth(Cast(dtype="int32"), np.array([[-1.7, 2.9]]), np.array([[-1, 2]]))
    truth(Fill(value=2.5), np.array([[-1.7, 2.9]]), np.array([[2.5, 2.5]]))


REDUCTIONS: dict[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "prod": math.prod,
    "min": min,
    "max": max,
    "mean": lambda v: sum(v) / len(v),
    "var": lambda v: sum((a - sum(v) / len(v)) ** 2 for a in v) / len(v),
    "std": lambda v: math.sqrt(sum((a - sum(v) / len(v)) ** 2 for a in v) / len(v)),
    "logsumexp": lambda v: math.log(sum(map(math.exp, v))),
    "length": lambda v: math.sqrt(sum(a * a for a in v)),
}


@pytest.mark.parametrize("kind", list(REDUCTIONS))
def test_reductions(kind: str) -> None:
    x = numbers(2, 3, 4, 5)
    y = np.array([[REDUCTIONS[kind](x[n, c].ravel().tolist()) for c in range(3)] for n in range(2)])
    for roll in (0, 1):
        OneOp(Reduce(function=kind), FREE, roll=roll).gives(y, of=[x], within=1e-11)  # type: ignore[arg-type]


@pytest.mark.parametrize("least", [False, True])
def test_position_of_the_largest(least: bool) -> None:
    x = numbers(2, 3, 4)
    pick = min if least else max
    y = [[list(row).index(pick(row)) for row in entry] for entry in x]
    for [found] in OneOp(ArgMax(least=least), {"...": [None, 3], "space": [4]}, roll=1).run(x):
        np.testing.assert_array_equal(found, y)


@pytest.mark.parametrize("product", [False, True])
def test_running_totals(product: bool) -> None:
    x = numbers(2, 3, 4)
    y = np.zeros_like(x)
    for n, c, t in np.ndindex(y.shape):
        before = x[n, c, : t + 1].tolist()
        y[n, c, t] = math.prod(before) if product else sum(before)
    OneOp(Cumulate(product=product), {"...": [None, 3], "space": [4]}, roll=1).gives(y, of=[x])


BINARY: dict[str, Callable[[float, float], float]] = {
    "floor_divide": lambda a, b: a // b,
    "modulo": lambda a, b: a % b,
    "squared_difference": lambda a, b: (a - b) ** 2,
    "equal": lambda a, b: a == b,
    "not_equal": lambda a, b: a != b,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
}


@pytest.mark.parametrize("name", list(BINARY))
def test_binary_with_extents_of_one(name: str) -> None:
    x, y = np.round(numbers(2, 3, 4), 1), np.round(numbers(2, 1, 4), 1)
    y[y == 0] = 1
    x[0, 0, 0] = y[0, 0, 0]
    builder, batch = Builder(), Axis("N", None)
    values = [
        builder.input(f"x{i}", (batch, Axis("X", n), Axis("X", 4))) for i, n in enumerate((3, 1))
    ]
    terms = values[0].axes
    made = builder.add(Binary(function=name), "op", values, [terms], axes={"...": ()})  # type: ignore[arg-type]
    want = np.array([[[BINARY[name](x[n, c, t], y[n, 0, t]) for t in range(4)] for c in range(3)]
                     for n in range(2)])  # fmt: skip
    for [found] in everywhere(builder.freeze(made.results), [x, y]):
        np.testing.assert_allclose(found, want, atol=1e-12)


def test_where() -> None:
    builder, batch = Builder(), Axis("N", None)
    kinds = ("bool", "float32", "float32")
    values = [builder.input(f"x{i}", (batch, Axis("X", 3)), kind) for i, kind in enumerate(kinds)]
    made = builder.add(
        Where(), "op", values, [values[1].axes], axes={"...": ()}, dtypes=["float32"]
    )
    holds, x, y = np.array([[True, False, True]]), numbers(1, 3), numbers(1, 3)
    for [found] in everywhere(builder.freeze(made.results), [holds, x, y]):
        assert found.tolist() == [[x[0, 0], y[0, 1], x[0, 2]]]
