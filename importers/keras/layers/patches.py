"""Patches of images and volumes: all pixels of a window as the channels of one place.

Channels come in the order of the window's rows, its columns, the image's channels. Sources: Keras
3.15 `ops/image.py` `_extract_patches`, which convolves with an identity for a kernel; TensorFlow
2.15 `python/ops/array_ops.py` `extract_image_patches_v2`; genuine runs of both.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import size_of
from ..call import LayerCall, Ports
from . import tensors
from .arrangement import padded
from .merge import joined
from .operands import Arguments, Kind, data_format, for_space, kind, tensor
from .slicing import ALL, sliced

MOST_WINDOW = 1 << 10
"""Pixels in a window: each is a step of its own where windows overlap."""


def blocks_as_channels(call: LayerCall, x: Value, block: Sequence[int], ports: Ports) -> Value:
    """Blocks of pixels as channels: each extent is a multiple of the block's."""
    extents, channels = _extents(x, ports)
    rank = len(block)
    counts = [extent // size for extent, size in zip(extents, block, strict=True)]
    pixels = list(itertools.chain.from_iterable(zip(counts, block, strict=True)))
    lead = int(ports.channels_first)
    outer = [1 + lead + 2 * n for n in range(rank)]
    inner = [place + 1 for place in outer]
    if ports.channels_first:
        shape, order = [channels, *pixels], [*inner, 1, *outer]
    else:
        shape, order = [*pixels, channels], [*outer, *inner, 1 + 2 * rank]
    y = tensors.reshaped(call, x, shape, "blocks")
    y = tensors.permuted(call, y, order, "gathered")
    return tensors.reshaped(call, y, _in_order(counts, math.prod(block) * channels, ports))


def _extents(x: Value, ports: Ports) -> tuple[list[int], int]:
    """Of the space, and how many channels there are.

    Raises:
        ConfigError: Some are not known.
    """
    extents = [size_of(term) for term in ports.space]
    channels = size_of(ports.channels)
    if channels is None or None in extents:
        raise ConfigError(f"patches of {x.layout}, of which some extents are open")
    return [extent for extent in extents if extent is not None], channels


def _in_order(space: Sequence[Any], channels: Any, ports: Ports) -> list[Any]:
    """Something for each axis behind the batch."""
    return [channels, *space] if ports.channels_first else [*space, channels]


def _extract(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """Windows over the space, next to each other or overlapping."""
    x = tensor(operands)
    rank = len(call.axes(x)) - call.batch - 1
    form = data_format(arguments)
    ports = call.spatial(x, form, rank)
    size = for_space(arguments.get("size"), rank, ())
    strides = for_space(arguments.get("strides"), rank, size)
    rate = for_space(arguments.get("dilation_rate"), rank, (1,))
    if math.prod(size) > MOST_WINDOW:
        raise ConfigError(f"patches of {size}, more than {MOST_WINDOW:,} pixels")
    reach = [(n - 1) * r + 1 for n, r in zip(size, rate, strict=True)]
    padding = str(arguments.get("padding", "valid")).lower()
    if padding == "same":
        x = _as_same(call, x, ports, reach, strides)
        ports = call.spatial(x, form, rank)
    elif padding != "valid":
        raise ConfigError(f"patches padded {padding!r:.80}")
    extents, _ = _extents(x, ports)
    counts = [(n - w) // s + 1 for n, w, s in zip(extents, reach, strides, strict=True)]
    if min(counts) < 1:
        raise ConfigError(f"patches of {size} in {x.layout}")
    if size == strides and reach == list(size):
        used = [{**ALL, "stop": n * s} for n, s in zip(counts, size, strict=True)]
        x = sliced(call, x, [*[ALL] * call.batch, *_in_order(used, ALL, ports)])
        return blocks_as_channels(call, x, size, call.spatial(x, form, rank))
    pixels = [
        _pixel(call, x, place, (counts, strides, rate), ports)
        for place in itertools.product(*map(range, size))
    ]
    return joined(call, pixels, 1 if ports.channels_first else -1)


def _as_same(
    call: LayerCall, x: Value, ports: Ports, reach: Sequence[int], strides: Sequence[int]
) -> Value:
    """With zeros around it, the odd one behind, so that there is a window for each stride."""
    extents, _ = _extents(x, ports)
    around = []
    for extent, window, stride in zip(extents, reach, strides, strict=True):
        missing = max((math.ceil(extent / stride) - 1) * stride + window - extent, 0)
        around.append((missing // 2, missing - missing // 2))
    if not any(map(any, around)):
        return x
    pads = [*[(0, 0)] * call.batch, *_in_order(around, (0, 0), ports)]
    return padded(call, x, pads, part="padded")


def _pixel(
    call: LayerCall,
    x: Value,
    place: Sequence[int],
    windows: tuple[Sequence[int], Sequence[int], Sequence[int]],
    ports: Ports,
) -> Value:
    """The pixel at a place of every window."""
    steps = [
        {"start": n * rate, "stop": n * rate + (count - 1) * stride + 1, "step": stride}
        for n, count, stride, rate in zip(place, *windows, strict=True)
    ]
    return sliced(call, x, [*[ALL] * call.batch, *_in_order(steps, ALL, ports)])


OF_PATCHES: Mapping[str, Kind] = {
    "extract_patches": kind(_extract, "size", "strides", "dilation_rate", "padding", "data_format"),
}
"""By the name that the tables of `eras` use."""
