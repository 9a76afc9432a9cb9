"""Convolution as loops over single numbers: an oracle that shares no code with its subject."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Pads = tuple[tuple[int, int], ...]


def at(x: Array, n: int, c: int, place: tuple[int, ...]) -> float:
    """An element, zero outside."""
    inside = all(0 <= i < size for i, size in zip(place, x.shape[2:], strict=True))
    return float(x[n, c, *place]) if inside else 0.0


def met(p: tuple[int, ...], k: tuple[int, ...], strides: Any, dilation: Any, pads: Pads) -> Any:
    return tuple(
        i * s + j * d - before
        for i, j, s, d, (before, _) in zip(p, k, strides, dilation, pads, strict=True)
    )


def extents(space: Any, kernel: Any, strides: Any, dilation: Any, pads: Pads) -> tuple[int, ...]:
    """How many windows begin and end inside the padded input, counted."""
    found = []
    for size, k, s, d, (before, after) in zip(space, kernel, strides, dilation, pads, strict=True):
        starts = range(-before, size + after, s)
        found.append(sum(1 for start in starts if start + (k - 1) * d < size + after))
    return tuple(found)


def conv_loops(x: Array, kernel: Array, strides: Any, dilation: Any, pads: Pads) -> Array:
    """`n o p`, from x `n c p` and a kernel `k c o`."""
    *taps, channels, filters = kernel.shape
    out = extents(x.shape[2:], taps, strides, dilation, pads)
    y = np.zeros((len(x), filters, *out))
    for n, o, *p in np.ndindex(y.shape):
        for *k, c in np.ndindex(*taps, channels):
            place = met(tuple(p), tuple(k), strides, dilation, pads)
            y[n, o, *p] += at(x, n, c, place) * kernel[*k, c, o]
    return y
