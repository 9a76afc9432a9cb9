"""Where windows lie: the pads of 'same' by backend, and the windows themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .layer import Array, Layer, NotModelled


def channels_to_end(layer: Layer, x: Array) -> Array:
    """Bring the channels to the last position, from where `data_format` says they are."""
    return np.moveaxis(x, layer.channel_axis, -1)


def channels_from_end(layer: Layer, x: Array) -> Array:
    return np.moveaxis(x, -1, layer.channel_axis)


def tensorflow_before(size: int, window: int, stride: int) -> int:
    """TensorFlow's 'same': as few zeros as the output needs, the smaller half of them before."""
    return max((-(-size // stride) - 1) * stride + window - size, 0) // 2


def theano_before_convolution(_size: int, window: int, _stride: int) -> int:
    """Theano's 'half', which Keras' Theano backend makes of 'same'."""
    return window // 2


def theano_before_pooling(_size: int, window: int, _stride: int) -> int:
    """Keras' Theano backend, `pool2d`, of 1.2.2 to 2.3.1."""
    return window - 2 if window > 2 and window % 2 else window - 1


def starts(
    padding: str, size: int, window: int, stride: int, before: Callable[[int, int, int], int]
) -> tuple[int, int]:
    """How far before the input the first window starts, and how many windows there are.

    `window` is what a window spans, dilation included. All counts are positions along the axis.
    """
    if padding == "valid":
        return 0, (size - window) // stride + 1
    count = -(-size // stride)
    if padding == "same":
        return before(size, window, stride), count
    if padding == "causal":
        return window - 1, count
    raise NotModelled(f"padding {padding!r}")


def windows(
    x: Array,
    places: Sequence[tuple[int, int]],
    size: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
    fill: float = 0.0,
) -> Array:
    """The windows over the axes between batch and channels.

    Args:
        x: batch, spatial axes, channels.
        places: per spatial axis, what `starts` answers.
        size: positions in a window, per spatial axis.
        strides: from window to window.
        dilation: from position to position within a window.
        fill: what lies outside of the input.

    Returns:
        batch, windows along each spatial axis, channels, positions in the window per spatial axis.
    """
    rank = len(size)
    spans = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    pads, cut = [(0, 0)], [slice(None)]
    for n, (before, count), span, s in zip(x.shape[1:-1], places, spans, strides, strict=True):
        if count < 1:
            raise ValueError(f"no window of {span} fits into {n}")
        end = before + n
        needed = (count - 1) * s + span
        pads.append((before, max(0, needed - end)))
        cut.append(slice(0, needed))
    padded = np.pad(x, [*pads, (0, 0)], constant_values=fill)[tuple(cut)]
    view = sliding_window_view(padded, spans, axis=tuple(range(1, rank + 1)))
    every = [slice(None, None, s) for s in strides]
    within = [slice(None, None, d) for d in dilation]
    return view[slice(None), *every, slice(None), *within]
