"""Dense and Embedding."""

from __future__ import annotations

import numpy as np

from .activation import activate
from .layer import Array, Layer, Value, keep, means, means_values


@means("Dense", mask=keep)
def dense(layer: Layer, x: Array) -> Array:
    """Contracts the last axis, whatever the rank and whatever that axis is."""
    kernel, *bias = layer.arrays
    y = x @ kernel
    return activate(layer.config.get("activation"), y + bias[0] if bias else y)


@means_values("Embedding")
def embedding(layer: Layer, x: Value) -> list[Value]:
    (table,) = layer.arrays
    indices = x.array.astype(int)
    mask = np.not_equal(x.array, 0) if layer.config.get("mask_zero") else None
    return [Value(table[indices], mask)]
