"""Weights that resample an axis, reckoned while the model runs: its extent is not known before.

What each kernel is, and where elements lie, is in `ir.resampling`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...ir.ops.pooling import Resample
from ...ir.resampling import CUBICS, KERNELS, TABLE
from .draft import Edge
from .emitting import Emitting

LANCZOS = frozenset({"lanczos3", "lanczos5"})


def reckoned_weights(op: Resample, at: Emitting, x: Edge, axis: int, wanted: int) -> Edge:
    """Rows of the axis, columns of the result; in single precision, which places need."""
    before = len(at.nodes)
    found = _weights(op, at, x, axis, wanted)
    at.draft.precise.update(at.nodes[before:])
    return found


def _weights(op: Resample, at: Emitting, x: Edge, axis: int, wanted: int) -> Edge:
    extent = (x.shape[axis],)
    size = at.extents(extent, x)
    step = at.add("Div", at.cast(size, at.dtype), _number(at, wanted))
    ones = at.add("Expand", _number(at, 1), size, shape=extent)
    counted = at.add("CumSum", ones, at.constant([0], shape=(), wish="axis"))
    ends = at.unsqueeze(counted, 1)  # of elements, from one on
    if op.method == "area":
        return _overlaps(at, ends, step, wanted)
    halves = at.constant([n + 0.5 for n in range(wanted)], at.dtype, wish="halves")
    centres = at.add("Mul", halves, step)
    if op.method == "bicubic_table":
        half, fine = _number(at, 0.5), _number(at, TABLE)
        places = at.add("Round", at.add("Mul", at.add("Sub", centres, half), fine))
        centres = at.add("Add", at.add("Div", places, fine), half)
    away = at.add("Abs", at.add("Sub", at.add("Sub", ends, _number(at, 0.5)), centres))
    if op.antialias:
        away = at.add("Div", away, at.add("Max", step, _number(at, 1)))
    row = _kernel(op.method, at, away)
    return at.add("Div", row, at.reduce("ReduceSum", row, (0,), keepdims=True))


def _overlaps(at: Emitting, ends: Edge, step: Edge, wanted: int) -> Edge:
    """Which share of a stretch each element covers."""
    first, last = (
        at.add("Mul", at.constant(list(numbers), at.dtype, wish="bounds"), step)
        for numbers in (map(float, range(wanted)), map(float, range(1, wanted + 1)))
    )
    start = at.add("Max", at.add("Sub", ends, _number(at, 1)), first)
    covered = at.add("Relu", at.add("Sub", at.add("Min", ends, last), start))
    return at.add("Div", covered, at.add("Sub", last, first))


def _kernel(method: str, at: Emitting, away: Edge) -> Edge:
    """The weight of an element so far away, in elements, before they are scaled."""
    if method == "bilinear":
        return at.add("Relu", at.add("Sub", _number(at, 1), away))
    square, (_, reach) = at.add("Mul", away, away), KERNELS[method]
    if method == "gaussian":
        bell = at.add("Exp", at.add("Mul", square, _number(at, -2)))
        return _within(at, away, reach, bell)
    if method in LANCZOS:
        turn = at.add("Mul", away, _number(at, math.pi))
        waves = at.add("Sin", turn), at.add("Sin", at.add("Div", turn, _number(at, reach)))
        scale = at.add("Mul", square, _number(at, math.pi * math.pi / reach))
        curve = at.add("Div", at.add("Mul", *waves), scale)
        curve = _within(at, away, 1e-3, _number(at, 1), curve)
        return _within(at, away, reach, curve)
    near, far = (_polynomial(at, away, piece) for piece in CUBICS[method])
    return _within(at, away, 1, near, _within(at, away, reach, far))


def _within(
    at: Emitting, away: Edge, reach: float, inside: Edge, beyond: Edge | None = None
) -> Edge:
    """One tensor up to a distance, another beyond; zero if there is none."""
    near = at.add("Less", away, _number(at, reach), dtype="bool")
    other = _number(at, 0) if beyond is None else beyond
    return at.add("Where", near, inside, other, shape=away.shape, dtype=away.dtype)


def _polynomial(at: Emitting, x: Edge, coefficients: Sequence[float]) -> Edge:
    highest, *others = coefficients
    total = at.add("Mul", x, _number(at, highest))
    for coefficient in others[:-1]:
        total = at.add("Mul", at.add("Add", total, _number(at, coefficient)), x)
    return at.add("Add", total, _number(at, others[-1]))


def _number(at: Emitting, value: float) -> Edge:
    return at.constant([float(value)], at.dtype, (), wish="number")
