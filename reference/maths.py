"""Arithmetic of tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..ir.ops.maths import (
    ArgMax,
    Binary,
    Cast,
    Constant,
    Cumulate,
    Fill,
    Function,
    Not,
    Reduce,
    Where,
)
from ..ir.source import Array
from .computing import Computing, Results
from .registry import computes, elementwise

FLOATING = ("float", "bfloat")


@elementwise(Function)
def function(op: Function, x: Array) -> Array:
    known = getattr(np, op.function, None) or np.vectorize(math.erf, otypes=[x.dtype])
    found: Array = known(x)
    return found


@elementwise(Not)
def negation(op: Not, x: Array) -> Array:
    return np.logical_not(x)


@computes(Cast)
def cast(op: Cast, at: Computing) -> Results:
    floating = op.dtype.startswith(FLOATING)
    return (at.x.astype(at.dtype if floating else op.dtype),)


@computes(Fill)
def fill(op: Fill, at: Computing) -> Results:
    dtype = at.settled.node.result.dtype
    return (np.full(at.x.shape, op.value, at.dtype if dtype.startswith(FLOATING) else dtype),)


def _modulo(a: Array, b: Array) -> Array:
    found: Array = a - np.floor_divide(a, b) * b
    return found


_BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "power": np.power,
    "floor_divide": np.floor_divide,
    "modulo": _modulo,
    "squared_difference": lambda a, b: np.square(a - b),
    "equal": np.equal,
    "not_equal": np.not_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "xor": np.logical_xor,
}


@computes(Binary)
def binary(op: Binary, at: Computing) -> Results:
    return (_BINARY[op.function](at.input(0), at.input(1)),)


@computes(Where)
def where(op: Where, at: Computing) -> Results:
    return (np.where(at.input(0), at.input(1), at.input(2)),)


def _log_sum(x: Array, axis: int) -> Array:
    top = x.max(axis, keepdims=True)
    found: Array = np.log(np.exp(x - top).sum(axis)) + top.squeeze(axis)
    return found


_REDUCE: Mapping[str, Callable[[Array, int], Array]] = {
    "logsumexp": _log_sum,
    "length": lambda x, axis: np.sqrt(np.square(x).sum(axis)),
    **{
        kind: getattr(np, kind)
        for kind in ("sum", "prod", "min", "max", "mean", "var", "std", "any", "all")
    },
}


@computes(Reduce)
def reduce(op: Reduce, at: Computing) -> Results:
    x = at.take("... (space)")
    return (
        at.give(np.asarray(_REDUCE[op.function](x, -1)).astype(_kept(op, x), copy=False), "..."),
    )


def _kept(op: Reduce, x: Array) -> Any:
    return bool if op.function in {"any", "all"} else x.dtype


@computes(ArgMax)
def arg_max(op: ArgMax, at: Computing) -> Results:
    x = at.take("... (space)")
    found = x.argmin(-1) if op.least else x.argmax(-1)
    return (at.give(found.astype(np.int32), "..."),)


@computes(Cumulate)
def cumulate(op: Cumulate, at: Computing) -> Results:
    x = at.take("... (space)")
    found = x.cumprod(-1) if op.product else x.cumsum(-1)
    return (at.give(found.astype(x.dtype, copy=False), "... (space)"),)


@computes(Constant)
def constant(op: Constant, at: Computing) -> Results:
    value = at.settled.node.result
    floating = value.dtype.startswith(FLOATING)
    array = at.param("value")
    return (array if floating else array.astype(value.dtype),)
