"""Layers of several inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np

from .layer import Array, Layer, both, means

ELEMENTWISE: dict[str, Callable[[Array, Array], Array]] = {
    "Add": np.add,
    "Subtract": np.subtract,
    "Multiply": np.multiply,
    "Average": np.add,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
}


def same_rank(arrays: Sequence[Array]) -> list[Array]:
    """Lower ranks get axes of size 1 right behind the batch (Keras 2.2.4, `_Merge.call`)."""
    rank = max(array.ndim for array in arrays)
    return [
        array.reshape(len(array), *[1] * (rank - array.ndim), *array.shape[1:]) for array in arrays
    ]


@means(*ELEMENTWISE, mask=both)
def elementwise(layer: Layer, *arrays: Array) -> Array:
    y = reduce(ELEMENTWISE[layer.class_name], same_rank(arrays))
    return y / len(arrays) if layer.class_name == "Average" else y


@means("Concatenate")
def concatenate(layer: Layer, *arrays: Array) -> Array:
    return np.concatenate(arrays, layer.config["axis"])


@means("Dot")
def dot(layer: Layer, x: Array, y: Array) -> Array:
    """Contract one axis of each, sample by sample; two vectors give one column."""
    axes = layer.config["axes"]
    of_x, of_y = (axes, axes) if isinstance(axes, int) else axes
    x, y = np.moveaxis(x, of_x, -1), np.moveaxis(y, of_y, -1)
    if layer.config["normalize"]:
        x, y = unit_length(x), unit_length(y)
    pairs = [np.tensordot(a, b, ([-1], [-1])) for a, b in zip(x, y, strict=True)]
    result = np.stack(pairs)
    return result[:, None] if result.ndim == 1 else result


def unit_length(x: Array) -> Array:
    """`K.l2_normalize` along the last axis; the floor is TensorFlow's."""
    result: Array = x / np.sqrt(np.maximum((x * x).sum(-1, keepdims=True), 1e-12))
    return result
