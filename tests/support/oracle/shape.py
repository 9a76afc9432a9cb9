"""What only renames positions."""

from __future__ import annotations

import numpy as np

from .layer import Array, Layer, means


@means("Flatten")
def flatten(layer: Layer, x: Array) -> Array:
    """Row-major; with channels_first (since Keras 2.2) position 1 is moved to the end before."""
    return np.moveaxis(x, layer.channel_axis, -1).reshape(len(x), -1)


@means("Reshape")
def reshape(layer: Layer, x: Array) -> Array:
    return x.reshape(len(x), *layer.config["target_shape"])


@means("Permute")
def permute(layer: Layer, x: Array) -> Array:
    """`dims` counts from 1, the batch stays."""
    return x.transpose(0, *layer.config["dims"])


@means("RepeatVector")
def repeat_vector(layer: Layer, x: Array) -> Array:
    return np.repeat(x[:, None], layer.config["n"], 1)
