"""Activations: by name, and the layers that are nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .layer import Array, Layer, NotModelled, keep, means

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def softmax(x: Array, axis: int = -1) -> Array:
    """Over one axis: in Keras 2 always the last, whatever `data_format` says."""
    e = np.exp(x - x.max(axis, keepdims=True))
    result: Array = e / e.sum(axis, keepdims=True)
    return result


def elu(x: Array, alpha: float = 1.0) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def sigmoid(x: Array) -> Array:
    result: Array = 0.5 * (1 + np.tanh(0.5 * x))
    return result


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "softmax": softmax,
    "softplus": lambda x: np.logaddexp(x, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "elu": elu,
    "selu": lambda x: SELU_SCALE * elu(x, SELU_ALPHA),
    "exponential": np.exp,
}
"""By Keras 2's names, `keras/activations.py` 2.2.4."""


def activate(name: str | None, x: Array) -> Array:
    """Apply an activation by its name in a config.

    Raises:
        NotModelled: it is none of Keras' own.
    """
    name = name or "linear"
    if name not in ACTIVATIONS:
        raise NotModelled(f"activation {name!r}")
    return ACTIVATIONS[name](x)


@means("Activation", mask=keep)
def activation(layer: Layer, x: Array) -> Array:
    return activate(layer.config["activation"], x)


@means("LeakyReLU", mask=keep)
def leaky_relu(layer: Layer, x: Array) -> Array:
    return np.where(x > 0, x, x * layer.config["alpha"])


@means("ELU", mask=keep)
def elu_layer(layer: Layer, x: Array) -> Array:
    return elu(x, layer.config["alpha"])


@means("ThresholdedReLU", mask=keep)
def thresholded_relu(layer: Layer, x: Array) -> Array:
    result: Array = x * (x > layer.config["theta"])
    return result


@means("ReLU", mask=keep)
def relu(layer: Layer, x: Array) -> Array:
    """Keras 2.2.4: `max_value` cuts what passes, `negative_slope` applies below `threshold`."""
    config = layer.config
    threshold = config.get("threshold", 0.0)
    y = np.where(x >= threshold, x, config.get("negative_slope", 0.0) * (x - threshold))
    return y if config["max_value"] is None else np.minimum(y, config["max_value"])


@means("PReLU", mask=keep)
def prelu(layer: Layer, x: Array) -> Array:
    """`alpha` has the input's shape without the batch, with 1 at `shared_axes`."""
    (alpha,) = layer.arrays
    return np.where(x > 0, x, x * alpha)


@means("Softmax", mask=keep)
def softmax_layer(layer: Layer, x: Array) -> Array:
    return softmax(x, layer.config["axis"])


@means(
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout",
    "GaussianNoise", "AlphaDropout", "ActivityRegularization",
    mask=keep,
)  # fmt: skip
def nothing(_layer: Layer, x: Array) -> Array:
    """What acts only while training."""
    return x
