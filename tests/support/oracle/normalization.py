"""Batch normalization, as it predicts."""

from __future__ import annotations

import numpy as np

from .layer import Array, Layer, keep, means


@means("BatchNormalization", mask=keep)
def batch_normalization(layer: Layer, x: Array) -> Array:
    """Along one axis; `scale` and `center` say whether gamma and beta are there."""
    config = layer.config
    arrays = list(layer.arrays)
    shape = [1] * x.ndim
    shape[config["axis"]] = -1
    gamma = arrays.pop(0).reshape(shape) if config.get("scale", True) else 1.0
    beta = arrays.pop(0).reshape(shape) if config.get("center", True) else 0.0
    mean, variance = (array.reshape(shape) for array in arrays)
    result: Array = (x - mean) / np.sqrt(variance + config["epsilon"]) * gamma + beta
    return result
