"""Ops over several inputs. The plan has their positions correspond, so NumPy's rules do."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np

from ..ir.ops.merge import (
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
from ..ir.source import Array
from .computing import Computing, Results
from .registry import computes


def _present(at: Computing) -> list[Array]:
    return [array for array in at.arrays if array is not None]


def _mean(arrays: Sequence[Array]) -> Array:
    total: Array = functools.reduce(np.add, arrays)
    return total / len(arrays)


_MERGES: dict[type[Merge], Callable[[Sequence[Array]], Array]] = {
    Add: functools.partial(functools.reduce, np.add),
    Subtract: functools.partial(functools.reduce, np.subtract),
    Multiply: functools.partial(functools.reduce, np.multiply),
    Divide: functools.partial(functools.reduce, np.divide),
    Average: _mean,
    Maximum: functools.partial(functools.reduce, np.maximum),
    Minimum: functools.partial(functools.reduce, np.minimum),
    AllOf: functools.partial(functools.reduce, np.logical_and),
}


def merge(op: Merge, at: Computing) -> Results:
    return (_MERGES[type(op)](_present(at)),)


for kind in _MERGES:
    computes(kind)(merge)


@computes(Concat)
def concat(op: Concat, at: Computing) -> Results:
    return (np.concatenate(_present(at), at.settled.position("joined", result=True)),)


@computes(Dot)
def dot(op: Dot, at: Computing) -> Results:
    x = at.take("(batch) (x_rest) (x_contracted)")
    y = at.take("(batch) (y_rest) (y_contracted)", 1)
    if op.normalize:
        x, y = _unit(x), _unit(y)
    return (at.give(np.einsum("nak,nbk->nab", x, y), "(batch) (x_rest) (y_out)"),)


def _unit(x: Array) -> Array:
    squares = np.square(x).sum(-1, keepdims=True)
    unit: Array = x / np.sqrt(np.maximum(squares, SMALLEST_SQUARE))
    return unit
