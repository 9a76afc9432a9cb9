"""Embedding and masks."""

from __future__ import annotations

import numpy as np

from ..errors import KerasirError
from ..ir.ops.embedding import Embedding, Masking, NotEqual
from .computing import Computing, Results
from .registry import computes


@computes(Embedding)
def embedding(op: Embedding, at: Computing) -> Results:
    table, indices = at.param("embeddings"), at.take("...").astype(np.int64)
    outside = indices[(indices < 0) | (indices >= len(table))]
    if outside.size:
        raise KerasirError(
            f"index {outside[0]} is not in a table of {len(table)} rows",
            where=at.settled.node.name,
        )
    return (at.give(table[indices], "... features"),)


@computes(NotEqual)
def not_equal(op: NotEqual, at: Computing) -> Results:
    return (at.x != op.value,)


@computes(Masking)
def masking(op: Masking, at: Computing) -> Results:
    x = at.take("... (features)")
    # Keras compares in the precision of the data: 0.3 is another number in float64.
    (value,) = at.settled.node.inputs
    stored = np.dtype("float32" if value is None else value.dtype)
    mask = (x.astype(stored) != np.asarray(op.mask_value, stored)).any(-1)
    return at.give(x * mask[..., None], "... (features)"), at.give(mask, "...", 1)
