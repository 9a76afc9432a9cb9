"""Convolutions. Theano computes true ones: the stored kernel is applied back to front.

Which classes Theano's backend reverses is a fact about Keras 2.2.4 and 2.3.1
(`theano_backend.py`): Conv1D to Conv3D, both transposed ones, ConvLSTM2D; not the depthwise and
separable ones, which it reverses beforehand.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .activation import activate
from .layer import Array, Config, Layer, NotModelled, means
from .windows import (
    channels_from_end,
    channels_to_end,
    starts,
    tensorflow_before,
    theano_before_convolution,
    windows,
)


def as_applied(layer: Layer, kernel: Array, spatial: int) -> Array:
    """A stored kernel, its first `spatial` axes reversed if Theano will reverse them."""
    return np.flip(kernel, tuple(range(spatial))) if layer.theano else kernel


def option(config: Config, key: str, rank: int, default: int = 1) -> Sequence[int]:
    """A size per spatial axis; eras that lack the key meant the default."""
    found = config.get(key) or default
    return [found] * rank if isinstance(found, int) else found


def patches(layer: Layer, x: Array, size: Sequence[int], padding: str | None = None) -> Array:
    """The windows that a convolution with this layer's options sees; `x` has its channels last."""
    config, rank = layer.config, len(size)
    strides = option(config, "strides", rank)
    dilation = option(config, "dilation_rate", rank)
    before = theano_before_convolution if layer.theano else tensorflow_before
    places = [
        starts(padding or config["padding"], n, (k - 1) * d + 1, s, before)
        for n, k, s, d in zip(x.shape[1:-1], size, strides, dilation, strict=True)
    ]
    return windows(x, places, size, strides, dilation)


def correlate(seen: Array, kernel: Array) -> Array:
    """Windows (batch, places, in, positions) times a kernel (positions, in, out)."""
    rank = kernel.ndim - 2
    positions = list(range(2 + rank, 2 + 2 * rank))
    result: Array = np.tensordot(seen, kernel, ([*positions, 1 + rank], list(range(rank + 1))))
    return result


def depthwise(seen: Array, kernel: Array) -> Array:
    """Windows (batch, places, in, positions) times (positions, in, multiplier), `in` outermost."""
    rank = kernel.ndim - 2
    seen = seen.reshape(*seen.shape[: 2 + rank], -1)
    flat = kernel.reshape(-1, *kernel.shape[rank:])
    y: Array = np.einsum("...ck,kcm->...cm", seen, flat)
    return y.reshape(*y.shape[:-2], -1)


def finish(layer: Layer, y: Array, bias: Sequence[Array]) -> Array:
    """Add the bias to the channels, put them where they belong, activate."""
    if bias:
        y = y + bias[0]
    return activate(layer.config.get("activation"), channels_from_end(layer, y))


@means("Conv1D", "Conv2D", "Conv3D")
def convolution(layer: Layer, x: Array) -> Array:
    """The kernel is stored as (space, in, out)."""
    kernel, *bias = layer.arrays
    rank = kernel.ndim - 2
    seen = patches(layer, channels_to_end(layer, x), kernel.shape[:rank])
    return finish(layer, correlate(seen, as_applied(layer, kernel, rank)), bias)


@means("DepthwiseConv2D")
def depthwise_convolution(layer: Layer, x: Array) -> Array:
    """The kernel is stored as (space, in, multiplier); result channel = in * multiplier + m."""
    kernel, *bias = layer.arrays
    seen = patches(layer, channels_to_end(layer, x), kernel.shape[:2])
    return finish(layer, depthwise(seen, kernel), bias)


@means("SeparableConv1D", "SeparableConv2D")
def separable_convolution(layer: Layer, x: Array) -> Array:
    """A depthwise convolution with the strides and pads, then a pointwise one.

    Keras' Theano backend pads this one's 'same' by half a window at both ends and, other than in
    its siblings, forgets to crop: an even window may yield a place more than Keras says (2.2.4,
    run). It has no 'causal' here.
    """
    kernel, pointwise, *bias = layer.arrays
    rank = kernel.ndim - 2
    config = layer.config
    x = channels_to_end(layer, x)
    if layer.theano and config["padding"] == "causal":
        raise NotModelled("Theano's separable convolution refuses 'causal'")
    if layer.theano and config["padding"] == "same":
        wide = zip(kernel.shape[:rank], option(config, "dilation_rate", rank), strict=True)
        halves = [((k - 1) * d + 1) // 2 for k, d in wide]
        x = np.pad(x, [(0, 0), *((half, half) for half in halves), (0, 0)])
        seen = patches(layer, x, kernel.shape[:rank], padding="valid")
    else:
        seen = patches(layer, x, kernel.shape[:rank])
    mixed = depthwise(seen, kernel) @ pointwise.reshape(pointwise.shape[rank:])
    return finish(layer, mixed, bias)


def transposed_size(
    n: int, kernel: int, stride: int, padding: str, output_padding: int | None
) -> int:
    """Keras 2.2.4, `conv_utils.deconv_length`."""
    if output_padding is not None:
        pad = kernel // 2 if padding == "same" else 0
        return (n - 1) * stride + kernel - 2 * pad + output_padding
    return n * stride + (max(kernel - stride, 0) if padding == "valid" else 0)


def transposed_crop(layer: Layer, n: int, size: int, kernel: int, stride: int) -> int:
    """How many of the first positions of the full result are dropped."""
    if layer.config["padding"] == "valid":
        return 0
    if not layer.theano:
        return max((n - 1) * stride + kernel - size, 0) // 2
    if kernel % 2 == 0:
        raise NotModelled("Theano refuses an even kernel with 'same' in a transposed convolution")
    return kernel // 2


@means("Conv2DTranspose", "Conv3DTranspose")
def transposed_convolution(layer: Layer, x: Array) -> Array:
    """Each input position adds its multiple of the kernel, stored as (space, out, in)."""
    stored, *bias = layer.arrays
    rank = stored.ndim - 2
    kernel = as_applied(layer, stored, rank)
    x = channels_to_end(layer, x)
    config = layer.config
    strides = option(config, "strides", rank)
    if any(d != 1 for d in option(config, "dilation_rate", rank)):
        raise NotModelled("a dilated transposed convolution")
    extra = config.get("output_padding") or [None] * rank

    sizes, crops = [], []
    for n, k, s, more in zip(x.shape[1:-1], kernel.shape, strides, extra, strict=False):
        sizes.append(transposed_size(n, k, s, config["padding"], more))
        crops.append(transposed_crop(layer, n, sizes[-1], k, s))
    room = [
        max((n - 1) * s + k, crop + size)
        for n, s, k, crop, size in zip(
            x.shape[1:-1], strides, kernel.shape, crops, sizes, strict=False
        )
    ]
    full = np.zeros((len(x), *room, kernel.shape[rank]))
    for position in np.ndindex(*kernel.shape[:rank]):
        at = [
            slice(p, p + (n - 1) * s + 1, s)
            for p, n, s in zip(position, x.shape[1:-1], strides, strict=True)
        ]
        full[slice(None), *at] += np.tensordot(x, kernel[position], ([-1], [1]))
    kept = [slice(crop, crop + size) for crop, size in zip(crops, sizes, strict=True)]
    return finish(layer, full[slice(None), *kept], bias)


@means("LocallyConnected1D", "LocallyConnected2D")
def locally_connected(layer: Layer, x: Array) -> Array:
    """A kernel of its own at every place: (places, positions of a patch, out), never reversed.

    A patch is counted as the input is: channels outermost in channels_first. The bias is stored as
    (places, out); in channels_first Keras reads the same memory as (out, places) (`bias_add` of
    2.2.4: a reshape).
    """
    kernel, *bias = layer.arrays
    size = layer.config["kernel_size"]
    rank = len(size)
    seen = patches(layer, channels_to_end(layer, x), size, padding="valid")
    if layer.channel_axis == -1:
        seen = np.moveaxis(seen, 1 + rank, -1)
    places = seen.shape[1 : 1 + rank]
    y = np.einsum("npk,pko->npo", seen.reshape(len(x), kernel.shape[0], -1), kernel)
    y = channels_from_end(layer, y.reshape(len(x), *places, -1))
    if bias:
        y = y + bias[0].reshape(y.shape[1:])
    return activate(layer.config.get("activation"), y)
