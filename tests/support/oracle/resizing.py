"""Zero padding, cropping, up-sampling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .layer import Array, Layer, NotModelled, means
from .windows import channels_from_end, channels_to_end


def edges(found: int | Sequence[int] | Sequence[Sequence[int]], rank: int) -> list[tuple[int, int]]:
    """(before, after) per spatial axis; one-dimensional classes store one bare pair."""
    pairs = np.broadcast_to(np.asarray(found), (rank, 2)).tolist()
    return [(before, after) for before, after in pairs]


@means("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
def zero_padding(layer: Layer, x: Array) -> Array:
    pads = edges(layer.config["padding"], x.ndim - 2)
    return channels_from_end(layer, np.pad(channels_to_end(layer, x), [(0, 0), *pads, (0, 0)]))


@means("Cropping1D", "Cropping2D", "Cropping3D")
def cropping(layer: Layer, x: Array) -> Array:
    cuts = edges(layer.config["cropping"], x.ndim - 2)
    x = channels_to_end(layer, x)
    kept = [slice(a, n - b) for (a, b), n in zip(cuts, x.shape[1:-1], strict=True)]
    return channels_from_end(layer, x[slice(None), *kept])


@means("UpSampling1D", "UpSampling2D", "UpSampling3D")
def up_sampling(layer: Layer, x: Array) -> Array:
    if layer.config.get("interpolation", "nearest") != "nearest":
        raise NotModelled("bilinear up-sampling")
    factors = np.broadcast_to(layer.config["size"], (x.ndim - 2,))
    x = channels_to_end(layer, x)
    for axis, factor in enumerate(factors, 1):
        x = x.repeat(factor, axis)
    return channels_from_end(layer, x)
