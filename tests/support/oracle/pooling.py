"""Pooling over windows, and over everything."""

from __future__ import annotations

import numpy as np

from .convolution import option
from .layer import Array, Layer, NotModelled, means
from .windows import (
    channels_from_end,
    channels_to_end,
    starts,
    tensorflow_before,
    theano_before_pooling,
    windows,
)

RANKS = {f"{kind}Pooling{rank}D": rank for kind in ("Max", "Average") for rank in (1, 2, 3)}


FIRST_EXCLUDING = (2, 1, 4)
"""Keras from which Theano's `pool2d` leaves the padding out of an average under 'same'.

Keras 2.0.8 counts it, as genuine files of that version show, and 2.2.4 does not; just when that
changed cannot be seen from files."""


def fill_of(layer: Layer, rank: int) -> float:
    """What never wins a maximum, what an average skips, or zeros that it counts."""
    if layer.class_name.startswith("Max"):
        return -np.inf
    counted = layer.theano and layer.version < FIRST_EXCLUDING and rank < 3
    return 0.0 if counted else np.nan


@means(*RANKS)
def pooling(layer: Layer, x: Array) -> Array:
    config, rank = layer.config, RANKS[layer.class_name]
    size = option(config, "pool_size", rank)
    strides = option(config, "strides", rank) if config.get("strides") else size
    if layer.theano and config["padding"] == "same" and rank == 3 and 1 in size:
        raise NotModelled("Theano's pool3d cannot pad a window of one position")
    before = theano_before_pooling if layer.theano else tensorflow_before
    x = channels_to_end(layer, x)
    places = [
        starts(config["padding"], n, k, s, before)
        for n, k, s in zip(x.shape[1:-1], size, strides, strict=True)
    ]
    seen = windows(x, places, size, strides, [1] * rank, fill_of(layer, rank))
    over = tuple(range(-rank, 0))
    largest = layer.class_name.startswith("Max")
    return channels_from_end(layer, seen.max(over) if largest else np.nanmean(seen, over))


@means(*(f"Global{kind}Pooling{rank}D" for kind in ("Max", "Average") for rank in (1, 2, 3)))
def global_pooling(layer: Layer, x: Array) -> Array:
    x = channels_to_end(layer, x)
    over = tuple(range(1, x.ndim - 1))
    result: Array = x.max(over) if "Max" in layer.class_name else x.mean(over)
    return result
