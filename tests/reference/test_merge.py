"""Merges by position, with extents of one; joins; contractions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from one_op import Array, OneOp, everywhere, numbers

from kerasir.ir.build import Builder
from kerasir.ir.graph import Graph
from kerasir.ir.layout import Axis, Joined, Term, copy_of
from kerasir.ir.op import Op
from kerasir.ir.ops.merge import Add, Average, Concat, Dot, Maximum, Minimum, Multiply, Subtract

Shape = tuple[int, ...]


def merge(op: Op, shapes: Sequence[Shape], result: Shape) -> Graph:
    builder, batch = Builder(), Axis("N", None)
    values = [
        builder.input(f"x{i}", (batch, *(Axis("X", size) for size in shape[1:])))
        for i, shape in enumerate(shapes)
    ]
    axes = (batch, *(Axis("X", size) for size in result[1:]))
    return builder.freeze(builder.add(op, "merge", values, [axes], axes={"...": axes}).results)


@pytest.mark.parametrize(
    ("op", "formula"),
    [
        (Add(), lambda *x: sum(x)),
        (Multiply(), lambda *x: math.prod(x)),
        (Average(), lambda *x: sum(x) / len(x)),
        (Maximum(), max),
        (Minimum(), min),
    ],
    ids=lambda x: getattr(x, "kind", ""),
)
def test_merge_of_three_with_extents_of_one(op: Op, formula: Callable[..., float]) -> None:
    shapes = [(2, 3, 4, 5), (2, 3, 1, 1), (2, 1, 4, 5)]
    x = [numbers(*shape) for shape in shapes]
    y = np.zeros((2, 3, 4, 5))
    for n, c, h, w in np.ndindex(y.shape):
        y[n, c, h, w] = formula(x[0][n, c, h, w], x[1][n, c, 0, 0], x[2][n, 0, h, w])
    for [found] in everywhere(merge(op, shapes, y.shape), x):
        np.testing.assert_allclose(found, y, rtol=1e-12)


def test_subtract_the_second() -> None:
    x, y = numbers(2, 3), numbers(2, 3) * 5
    for [found] in everywhere(merge(Subtract(), [(2, 3), (2, 3)], (2, 3)), [x, y]):
        for n, c in np.ndindex(2, 3):
            assert found[n, c] == x[n, c] - y[n, c]


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_concat_along_any_axis(axis: int) -> None:
    sizes: list[list[int]] = [[3, 4, 5], [3, 4, 5], [3, 4, 5]]
    for own, size in zip(sizes, (2, 3, 6), strict=True):
        own[axis - 1] = size
    builder, batch = Builder(), Axis("N", None)
    values = [
        builder.input(f"x{i}", (batch, *(Axis("X", size) for size in own)))
        for i, own in enumerate(sizes)
    ]
    parts = tuple(copy_of(value.axes[axis]) for value in values)
    axes: list[Term] = [batch, *(Axis("X", size) for size in sizes[0])]
    axes[axis] = Joined(parts)
    node = builder.add(Concat(), "concat", values, [axes], axes={"joined": (axes[axis],)})
    x = [numbers(2, *own) + i for i, own in enumerate(sizes)]
    for [found] in everywhere(builder.freeze(node.results), x):
        np.testing.assert_array_equal(found, np.concatenate(x, axis))


@pytest.mark.parametrize("normalize", [False, True])
def test_dot_contracts_and_keeps_the_rest(normalize: bool) -> None:
    x, y = numbers(2, 3, 5), numbers(2, 4, 5)
    z = np.zeros((2, 3, 4))
    for n, i, j in np.ndindex(z.shape):
        a, b = x[n, i], y[n, j]
        z[n, i, j] = sum(p * q for p, q in zip(a, b, strict=True))
        if normalize:
            z[n, i, j] /= math.hypot(*a) * math.hypot(*b)
    sizes = {
        "batch": (None,), "x_rest": (3,), "y_rest": (4,), "y_out": (4,),
        "x_contracted": (5,), "y_contracted": (5,),
    }  # fmt: skip
    OneOp(Dot(normalize=normalize), sizes, feeds=2).gives(z, of=[x, y])


def test_dot_over_everything_but_the_batch() -> None:
    x, y = numbers(2, 3, 5), numbers(2, 3, 5) + 1
    z = np.array([[sum((x[n] * y[n]).reshape(-1))] for n in range(2)]).reshape(2)
    sizes: dict[str, Shape | tuple[None]] = {
        "batch": (None,), "x_rest": (), "y_rest": (), "y_out": (),
        "x_contracted": (3, 5), "y_contracted": (3, 5),
    }  # fmt: skip
    OneOp(Dot(), sizes, feeds=2).gives(z, of=[x, y])


def test_dot_of_lengths_near_zero_divides_by_no_zero() -> None:
    x: Array = np.zeros((1, 2, 3))
    sizes = {
        "batch": (None,), "x_rest": (2,), "y_rest": (2,), "y_out": (2,),
        "x_contracted": (3,), "y_contracted": (3,),
    }  # fmt: skip
    OneOp(Dot(normalize=True), sizes, feeds=2).gives(np.zeros((1, 2, 2)), of=[x, x])
