"""Ops that choose, repeat or pad elements by their position."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from ....errors import ExportError
from ....ir.ops.arrange import Broadcast, Einsum, Extents, Gather, OneHot, Pad, Take, TopK, Triangle
from ..draft import Edge
from ..emitting import Emitting
from ..pen import HIGHEST_INT64, LOWEST_INT64
from ..registry import emits

MOST_INDICES = 1 << 20
"""Positions that are written down one by one."""

TRILU_SINCE = 14
"""The opset that has `Trilu`."""


@emits(Take)
def take(op: Take, at: Emitting) -> Edge:
    """A `Slice` where the indices are evenly spaced, else a `Gather`."""
    axis, indices = at.count("before"), op.indices
    shape = (*at.x.shape[:axis], len(indices), *at.x.shape[axis + 1 :])
    steps = {b - a for a, b in itertools.pairwise(indices)}
    if len(steps) == 1 and 0 not in steps:
        (step,) = steps
        end = indices[-1] + step
        end = LOWEST_INT64 if end < 0 else min(end, HIGHEST_INT64)
        bounds = (
            at.constant([number], wish=wish)
            for number, wish in (
                (indices[0], "starts"), (end, "ends"), (axis, "axes"), (step, "steps")
            )
        )  # fmt: skip
        return at.add("Slice", at.x, *bounds, shape=shape)
    if len(indices) > MOST_INDICES:
        raise ExportError(f"{len(indices):,} positions along an axis", where=at.name)
    return at.add("Gather", at.x, at.constant(indices, wish="indices"), shape=shape, axis=axis)


@emits(Gather)
def gather(op: Gather, at: Emitting) -> Edge:
    """`Gather`, or with leading axes in common `GatherND`."""
    lead = at.count("lead")
    axis = lead + at.count("before")
    indices = at.input(1)
    if indices.dtype not in {"int32", "int64"}:
        indices = at.cast(indices, "int64")
    if not op.batched:
        return at.add("Gather", at.x, indices, shape=at.result_shape(), axis=axis)
    rank, many = len(at.x.shape), len(indices.shape) - lead
    x = at.permuted(at.x, (*range(lead), axis, *range(lead, axis), *range(axis + 1, rank)))
    each = at.unsqueeze(at.cast(indices, "int64"), len(indices.shape))
    shape = (*indices.shape, *x.shape[lead + 1 :])
    found = at.add("GatherND", x, each, shape=shape, batch_dims=lead)
    before = range(lead + many, axis + many)
    behind = range(axis + many, len(shape))
    return at.permuted(found, (*range(lead), *before, *range(lead, lead + many), *behind))


MODES: Mapping[str, str] = {"constant": "constant", "reflect": "reflect", "edge": "edge"}


@emits(Pad)
def pad(op: Pad, at: Emitting) -> Edge:
    """`Pad`; a mirror image with the edge is a choice of positions, or parts back to front."""
    if op.mode == "symmetric":
        return _mirrored(op, at)
    before, after = zip(*op.padding, strict=True)
    amounts = at.constant((*before, *after), wish="pads")
    fill = at.number(op.value) if op.mode == "constant" and op.value != 0 else None
    return at.add("Pad", at.x, amounts, fill, shape=at.result_shape(), mode=MODES[op.mode])


def _mirrored(op: Pad, at: Emitting) -> Edge:
    y = at.x
    for axis, (before, after) in enumerate(op.padding):
        size = y.shape[axis]
        if not before and not after:
            continue
        if not isinstance(size, int):
            y = _with_mirrors(at, y, axis, before, after)
            continue
        if max(before, after) > size:
            raise ExportError(f"a mirror image along an extent of {size}", where=at.name)
        front, back = range(before)[::-1], range(size - after, size)[::-1]
        places = [*front, *range(size), *back]
        shape = (*y.shape[:axis], len(places), *y.shape[axis + 1 :])
        y = at.add("Gather", y, at.constant(places, wish="places"), shape=shape, axis=axis)
    return y


def _with_mirrors(at: Emitting, x: Edge, axis: int, before: int, after: int) -> Edge:
    """Between its first elements and its last ones, back to front."""

    def turned(count: int, start: int, end: int) -> list[Edge]:
        bounds = zip((start, end, axis, -1), ("starts", "ends", "axes", "steps"), strict=True)
        shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
        given = (at.constant([number], wish=wish) for number, wish in bounds)
        return [at.add("Slice", x, *given, shape=shape)] if count else []

    front, behind = turned(before, before - 1, LOWEST_INT64), turned(after, -1, -1 - after)
    pieces = [*front, x, *behind]
    shape = (*x.shape[:axis], at.result_shape()[axis], *x.shape[axis + 1 :])
    return at.add("Concat", *pieces, shape=shape, axis=axis)


@emits(Broadcast)
def broadcast(op: Broadcast, at: Emitting) -> Edge:
    shape = at.result_shape()
    return at.add("Expand", at.x, at.extents(shape, at.x), shape=shape)


@emits(OneHot)
def one_hot(op: OneHot, at: Emitting) -> Edge:
    """An `Equal` to every class: `OneHot` of ONNX takes negative indices from the end."""
    whole = at.x if at.x.dtype in {"int32", "int64"} else at.cast(at.x, "int64")
    count = at.size("classes")
    if count > MOST_INDICES:
        raise ExportError(f"{count:,} classes along an axis", where=at.name)
    classes = at.constant(range(count), whole.dtype, wish="classes")
    column = at.unsqueeze(whole, len(whole.shape))
    same = at.add("Equal", column, classes, shape=at.result_shape(), dtype="bool")
    return at.cast(same, at.settled.node.result.dtype)


@emits(TopK)
def top_k(op: TopK, at: Emitting) -> tuple[Edge | None, ...]:
    shape = at.result_shape()
    values, places = (
        Edge(f"{at.name}/TopK", at.x.dtype, shape),
        Edge(f"{at.name}/at", "int64", shape),
    )
    count = at.constant([at.size("chosen")], wish="k")
    at.place("TopK", (at.x, count), (values, places), axis=-1, largest=int(not op.least))
    return values, at.cast(places, at.settled.node.results[1].dtype) if at.wanted[1] else None


@emits(Triangle)
def composed_triangle(op: Triangle, at: Emitting) -> Edge:
    """What is kept, as truth values: written down, or found by counting columns and rows."""
    rows, columns = at.x.shape[-2:]
    if not (isinstance(rows, int) and isinstance(columns, int)) or rows * columns > MOST_INDICES:
        mask = _kept(op, at)
    else:
        above = (column - row - op.diagonal for row in range(rows) for column in range(columns))
        kept = [place >= 0 if op.upper else place <= 0 for place in above]
        mask = at.constant(kept, "bool", (rows, columns), wish="kept")
    zero = at.constant([0], at.x.dtype, (), wish="zero")
    return at.add("Where", mask, at.x, zero, dtype=at.x.dtype)


def _kept(op: Triangle, at: Emitting) -> Edge:
    shape = at.x.shape[-2:]
    one = at.constant([1], "int32", (), wish="one")
    ones = at.add("Expand", one, at.extents(shape, at.x), shape=shape)
    row, column = (
        at.add("CumSum", ones, at.constant([axis], shape=(), wish="axis")) for axis in (0, 1)
    )
    diagonal = at.constant([op.diagonal], "int32", (), wish="diagonal")
    compare = "GreaterOrEqual" if op.upper else "LessOrEqual"
    return at.add(compare, at.add("Sub", column, row), diagonal, dtype="bool")


@emits(Triangle, since=TRILU_SINCE)
def triangle(op: Triangle, at: Emitting) -> Edge:
    diagonal = at.constant([op.diagonal], shape=(), wish="diagonal")
    return at.add("Trilu", at.x, diagonal, shape=at.x.shape, upper=int(op.upper))


@emits(Einsum)
def einsum(op: Einsum, at: Emitting) -> Edge:
    """A `MatMul` where it is one, else `Einsum`."""
    shape = at.result_shape()
    if len(at.present) == 2 and _is_product(op.equation):
        return at.add("MatMul", *at.present, shape=shape)
    return at.add("Einsum", *at.present, shape=shape, equation=op.equation)


def _is_product(equation: str) -> bool:
    """Whether it is `…ab,…bc->…ac`, or with a plain matrix second."""
    operands, result = equation.split("->")
    x, y = operands.split(",")
    if len(x) < 2 or len(y) < 2 or x[-1] != y[-2]:
        return False
    return result == x[:-1] + y[-1] and y[:-2] in {"", x[:-2]} and x[-2] != y[-1]


@emits(Extents)
def extents(op: Extents, at: Emitting) -> Edge:
    return at.cast(at.extents(at.x.shape, at.x), at.settled.node.result.dtype)
