"""Embedding and masks."""

from __future__ import annotations

from ....ir.ops.embedding import Embedding, Masking, NotEqual
from ..draft import Edge
from ..emitting import FLOATING, Emitting
from ..registry import emits

INDICES = {"int32", "int64"}
"""What `Gather` takes; Keras feeds float32 too and casts to int32 (`layers.Embedding.call`)."""


@emits(Embedding)
def embedding(op: Embedding, at: Emitting) -> Edge:
    indices = at.x if at.x.dtype in INDICES else at.cast(at.x, "int32")
    table = at.param("embeddings")
    shape = (*at.x.shape, *table.shape[1:])
    return at.add("Gather", table, indices, shape=shape, axis=0)


@emits(NotEqual)
def not_equal(op: NotEqual, at: Emitting) -> Edge:
    x = at.x
    if not x.dtype.startswith(FLOATING) and not float(op.value).is_integer():
        x = at.cast(x, "float32")
    whole = not x.dtype.startswith(FLOATING)
    value = at.constant([int(op.value) if whole else op.value], x.dtype, (), wish="value")
    return at.add("Not", at.add("Equal", x, value, dtype="bool"))


@emits(Masking)
def masking(op: Masking, at: Emitting) -> tuple[Edge, Edge]:
    same = at.add("Equal", at.x, at.number(op.mask_value), dtype="bool")
    differs = at.cast(at.add("Not", same), at.dtype)
    axes = at.settled.positions("features")
    real = at.reduce("ReduceMax", differs, axes, keepdims=True)
    steps = at.reshape(real, at.result_shape(1))
    mask = at.cast(steps, "bool")
    at.origins.truths[mask] = steps
    return at.add("Mul", at.x, real), mask
