"""Operations of TensorFlow on images: pools, other sizes, pixels into channels and back.

One function for each kind, of its operands and its other arguments. Sources: TensorFlow 2.15
`python/ops/nn_ops.py`, `array_ops.py`, `image_ops_impl.py`; genuine runs of 1.15 to 2.15.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import size_of
from ....ir.ops.pooling import AveragePool, MaxPool, UpSample
from ..call import LayerCall, Ports
from . import arrangement, tensors
from .arithmetic import combined
from .operands import (
    Arguments,
    Kind,
    Operation,
    data_format,
    exactly,
    for_space,
    kind,
    numbers,
    tensor,
    whole,
)
from .patches import blocks_as_channels
from .pooling import placed, pooled
from .resampling import resampled


def _ports(call: LayerCall, x: Value, arguments: Arguments) -> Ports:
    return call.spatial(x, data_format(arguments), 2)


def _pool(kind: type[MaxPool | AveragePool]) -> Operation:
    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        x = tensor(operands)
        rank = len(call.axes(x)) - call.batch - 1
        ports = call.spatial(x, data_format(arguments), rank)
        window, strides = (
            for_space(arguments.get(name), rank, channels_first=ports.channels_first)
            for name in ("pool_size", "strides")
        )
        padding: Literal["valid", "same"]
        match str(arguments.get("padding")).upper():
            case "VALID":
                padding = "valid"
            case "SAME":
                padding = "same"
            case other:
                raise ConfigError(f"a pool padded {other!r:.80}")
        return pooled(call, x, kind, window, strides, padding, ports)

    return translate


METHODS: Mapping[Any, str] = {0: "bilinear", 1: "nearest", 2: "bicubic", 3: "area"}
"""TensorFlow 1's numbers for ways to resize (`ResizeMethodV1`)."""


def _resize(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """`tf.image.resize`: around half-pixel centres."""
    x, size = exactly(operands, 2, "resize")
    if not isinstance(x, Value):
        raise ConfigError("a constant image")
    ports, stated = _ports(call, x, {}), arguments.get("method", "bilinear")
    return resampled(
        call, x, _size(size), str(METHODS.get(stated, stated)), ports,
        antialias=bool(arguments.get("antialias")),
    )  # fmt: skip


def _size(stated: Any) -> tuple[int, int]:
    found = numbers(stated, ())
    if len(found) != 2 or min(found) < 1:
        raise ConfigError(f"an image of {stated!r:.80}")
    return found[0], found[1]


def _resize_old(method: Literal["bilinear", "nearest"]) -> Operation:
    """As TensorFlow 1 resizes: places i / factor, unless it is told to take half-pixel centres."""

    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        x, size = exactly(operands, 2, "resize")
        if not isinstance(x, Value):
            raise ConfigError("a constant image")
        ports, wanted = _ports(call, x, {}), _size(size)
        if arguments.get("half_pixel_centers"):
            return resampled(call, x, wanted, method, ports)
        sizes = [size_of(term) for term in ports.space]
        factors = [n // (have or n + 1) for n, have in zip(wanted, sizes, strict=True)]
        whole_factors = all(
            factor * (have or 0) == n
            for n, have, factor in zip(wanted, sizes, factors, strict=True)
        )
        if arguments.get("align_corners") or not whole_factors:
            raise ConfigError(
                f"an image of {sizes} resized to {wanted} by corners, in other than whole factors"
            )
        told: Literal["bilinear_corner", "nearest"]
        told = "bilinear_corner" if method == "bilinear" else "nearest"
        op = UpSample(size=tuple(factors), interpolation=told)
        return placed(call, op, x, ports, wanted)

    return translate


def _depth_to_space(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """Channels of blocks in rows, columns and channels, each a block of pixels."""
    x, block = tensor(operands), whole(arguments.get("block_size"), 0)
    ports = _ports(call, x, arguments)
    rows, columns, channels = (size_of(term) for term in (*ports.space, ports.channels))
    if (
        ports.channels_first
        or rows is None
        or columns is None
        or block < 1
        or (channels or 0) % block**2
    ):
        raise ConfigError(f"blocks of {block} from the channels of {x.layout}")
    left = (channels or 0) // block**2
    y = tensors.reshaped(call, x, (rows, columns, block, block, left), "blocks")
    y = tensors.permuted(call, y, (1, 3, 2, 4, 5), "spread")
    return tensors.reshaped(call, y, (rows * block, columns * block, left))


def _space_to_depth(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """Blocks of pixels as channels, in rows, columns and channels."""
    x, block = tensor(operands), whole(arguments.get("block_size"), 0)
    ports = _ports(call, x, arguments)
    rows, columns, channels = (size_of(term) for term in (*ports.space, ports.channels))
    known = rows is not None and columns is not None and channels is not None and block > 0
    if ports.channels_first or not known or (rows or 0) % block or (columns or 0) % block:
        raise ConfigError(f"blocks of {block} from {x.layout}")
    return blocks_as_channels(call, x, (block, block), ports)


def _flip(axis: int) -> Operation:
    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        x = tensor(operands)
        _ports(call, x, {})
        return arrangement.flipped(call, x, (axis,))

    return translate


def _grey(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x = tensor(operands)
    if _ports(call, x, arguments).channels_first:
        raise ConfigError("an image in channels_first turned grey by an operation")
    weighed = combined(call, "multiply", x, [0.2989, 0.587, 0.114])
    return tensors.reduced(call, weighed, "sum", (-1,), keepdims=True)


_POOL = ("pool_size", "strides", "padding", "data_format")
_OLD = ("align_corners", "half_pixel_centers")

OF_IMAGES: Mapping[str, Kind] = {
    "max_pool": kind(_pool(MaxPool), *_POOL),
    "average_pool": kind(_pool(AveragePool), *_POOL),
    "resize": kind(_resize, "method", "antialias"),
    "resize_bilinear": kind(_resize_old("bilinear"), *_OLD),
    "resize_nearest": kind(_resize_old("nearest"), *_OLD),
    "depth_to_space": kind(_depth_to_space, "block_size", "data_format"),
    "space_to_depth": kind(_space_to_depth, "block_size", "data_format"),
    "flip_left_right": kind(_flip(-2)),
    "flip_up_down": kind(_flip(-3)),
    "rgb_to_grayscale": kind(_grey, "data_format"),
}
"""By the name that the tables of `eras` use."""
