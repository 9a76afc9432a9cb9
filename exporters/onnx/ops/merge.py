"""Ops over several inputs. The plan has their positions correspond, so ONNX' broadcasting does."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from ....ir.ops.merge import (
    SMALLEST_SQUARE,
    Add,
    AllOf,
    Average,
    Concat,
    Divide,
    Dot,
    Maximum,
    Merge,
    Minimum,
    Multiply,
    Subtract,
)
from ..dims import product
from ..draft import Edge
from ..emitting import Emitting
from ..masked import together
from ..registry import emits

OF_ANY_NUMBER: Mapping[type[Merge], str] = {
    Add: "Sum",
    Average: "Mean",
    Maximum: "Max",
    Minimum: "Min",
}
OF_TWO: Mapping[type[Merge], str] = {
    Add: "Add",
    Subtract: "Sub",
    Multiply: "Mul",
    Divide: "Div",
    AllOf: "And",
}

FEATURES = 2
"""Which dimension they are behind batch and time."""


def merge(op: Merge, at: Emitting) -> Edge:
    """One operator for all inputs where ONNX has one, else pair by pair."""
    kind, of_two = type(op), OF_TWO.get(type(op))

    def draw(*parts: Edge) -> Edge:
        if of_two is None or (len(parts) > 2 and kind in OF_ANY_NUMBER):
            return at.add(OF_ANY_NUMBER[kind], *parts)
        return functools.reduce(functools.partial(at.add, of_two), parts)

    return draw(*at.present) if kind is Divide else together(at, at.present, draw)


for _kind in {**OF_ANY_NUMBER, **OF_TWO}:
    emits(_kind)(merge)


@emits(Concat)
def concat(op: Concat, at: Emitting) -> Edge:
    axis = at.settled.position("joined", result=True)

    def join(*parts: Edge) -> Edge:
        return at.add("Concat", *parts, shape=at.result_shape(), axis=axis)

    return together(at, at.present, join) if axis == FEATURES else join(*at.present)


@emits(Dot)
def dot(op: Dot, at: Emitting) -> Edge:
    """`MatMul` of `batch x_rest contracted` and `batch contracted y_rest`."""
    x = at.arranged(0, "batch", "x_rest", "x_contracted")
    y = at.arranged(1, "batch", "y_contracted", "y_rest")
    batch, inner = at.count("batch"), at.count("x_contracted")
    if op.normalize:
        last = range(len(x.shape) - inner, len(x.shape))
        x = _unit(at, x, tuple(last))
        y = _unit(at, y, tuple(range(batch, batch + inner)))
    if not (at.count("x_rest") or at.count("y_rest")):
        both = at.add("Mul", x, y)
        return at.reduce("ReduceSum", both, tuple(range(batch, batch + inner)))
    rows, columns = at.count("x_rest"), at.count("y_rest")
    if rows == columns == inner == 1:
        return at.add("MatMul", x, y, shape=at.result_shape())
    x, y = _matrices(at, x, batch, rows), _matrices(at, y, batch, inner)
    z = at.add("MatMul", x, y, shape=(*x.shape[:-1], y.shape[-1]))
    return at.reshape(z, at.result_shape())


def _matrices(at: Emitting, x: Edge, batch: int, rows: int) -> Edge:
    """One dimension of rows and one of columns behind the batch."""
    middle = batch + rows
    sides = product(x.shape[batch:middle]), product(x.shape[middle:])
    return at.reshape(x, (*x.shape[:batch], *sides))


def _unit(at: Emitting, x: Edge, axes: Sequence[int]) -> Edge:
    """Vectors along some dimensions, divided by their length."""
    squares = at.reduce("ReduceSumSquare", x, axes, keepdims=True)
    length = at.add("Sqrt", at.add("Max", squares, at.number(SMALLEST_SQUARE)))
    return at.add("Div", x, length)
