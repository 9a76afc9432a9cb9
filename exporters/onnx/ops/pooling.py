"""Pools, padding, cropping, up-sampling: what happens along spatial axes without a weight."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from ....errors import ExportError
from ....ir.ops.convolution import Pads
from ....ir.ops.pooling import (
    AveragePool,
    Crop,
    GlobalAveragePool,
    GlobalMaxPool,
    GlobalProductPool,
    GlobalSumPool,
    MaskedAveragePool,
    MaxPool,
    UpSample,
    ZeroPad,
)
from ..draft import Edge
from ..emitting import Emitting
from ..pen import HIGHEST_INT64
from ..registry import emits
from ..spatial import channels_first, folded, folded_result, padded, unfolded, window

RESIZE: Mapping[str, Mapping[str, str]] = {
    "nearest": {
        "mode": "nearest",
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    },
    "bilinear": {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
    "bilinear_corner": {"mode": "linear", "coordinate_transformation_mode": "asymmetric"},
}
"""How ONNX `Resize` says what each interpolation means."""

MOST_WINDOWS = 1 << 20
"""Along one axis, where each window's share of padding has to be written down."""


@emits(MaxPool)
def max_pool(op: MaxPool, at: Emitting) -> Edge:
    """Pads as wide as the window, which runtimes refuse, become what cannot win."""
    x, padding = folded(at), op.padding
    if not isinstance(padding, str) and _too_wide(padding, op.pool_size):
        x, padding = padded(at, x, padding, -math.inf), ((0, 0),) * len(op.strides)
    y = at.add(
        "MaxPool",
        x,
        shape=folded_result(at),
        kernel_shape=op.pool_size,
        **window(padding, op.strides),
    )
    return unfolded(at, y)


@emits(AveragePool)
def average_pool(op: AveragePool, at: Emitting) -> Edge:
    """Pads as wide as the window become zeros; where they do not count, the mean is corrected."""
    x, padding, shares = folded(at), op.padding, list[list[float]]()
    if not isinstance(padding, str) and _too_wide(padding, op.pool_size):
        if not op.count_padding:
            shares = list(_shares(op, at, padding))
        x, padding = padded(at, x, padding), ((0, 0),) * len(op.strides)
    y = at.add(
        "AveragePool",
        x,
        shape=folded_result(at),
        kernel_shape=op.pool_size,
        count_include_pad=int(op.count_padding) or None,
        **window(padding, op.strides),
    )
    for axis, share in enumerate(shares):
        shape = (len(share), *(1,) * (len(shares) - axis - 1))
        y = at.add("Div", y, at.constant(share, at.dtype, shape, wish="share"))
    return unfolded(at, y)


def _too_wide(padding: Pads, sizes: tuple[int, ...]) -> bool:
    """Whether a window can lie in the padding whole."""
    return any(max(pair) >= size for pair, size in zip(padding, sizes, strict=True))


def _shares(op: AveragePool, at: Emitting, padding: Pads) -> Iterator[list[float]]:
    """Along each axis, which share of every window is no padding."""
    spaces = zip(at.extent("space"), at.extent("out_space"), strict=True)
    for (size, count), taps, stride, (before, _) in zip(
        spaces, op.pool_size, op.strides, padding, strict=True
    ):
        if not (isinstance(size, int) and isinstance(count, int)) or count > MOST_WINDOWS:
            raise ExportError(
                f"padding of {padding} is wider than the pool, over an extent of {size}",
                where=at.name,
                hint="fix the sizes of the model's inputs" if isinstance(size, str) else "",
            )
        starts = (window * stride - before for window in range(count))
        real = (max(0, min(start + taps, size) - max(start, 0)) for start in starts)
        yield [elements / taps for elements in real]


@emits(GlobalMaxPool)
def global_max_pool(op: GlobalMaxPool, at: Emitting) -> Edge:
    return at.reduce("ReduceMax", at.x, at.settled.positions("space"))


@emits(GlobalAveragePool)
def global_average_pool(op: GlobalAveragePool, at: Emitting) -> Edge:
    return at.reduce("ReduceMean", at.x, at.settled.positions("space"))


@emits(GlobalSumPool)
def global_sum_pool(op: GlobalSumPool, at: Emitting) -> Edge:
    return at.reduce("ReduceSum", at.x, at.settled.positions("space"))


@emits(GlobalProductPool)
def global_product_pool(op: GlobalProductPool, at: Emitting) -> Edge:
    return at.reduce("ReduceProd", at.x, at.settled.positions("space"))


@emits(MaskedAveragePool)
def masked_average_pool(op: MaskedAveragePool, at: Emitting) -> Edge:
    time = at.settled.positions("time")
    mask = at.cast(at.spread(1), at.dtype)
    total = at.reduce("ReduceSum", at.add("Mul", at.x, mask), time)
    return at.add("Div", total, at.reduce("ReduceSum", mask, time))


@emits(ZeroPad)
def zero_pad(op: ZeroPad, at: Emitting) -> Edge:
    return padded(at, channels_first(at), op.padding)


@emits(Crop)
def crop(op: Crop, at: Emitting) -> Edge:
    axes = at.settled.positions("space")
    starts = [before for before, _ in op.cropping]
    ends = [-after if after else HIGHEST_INT64 for _, after in op.cropping]
    return at.cut(at.x, starts, ends, axes, at.result_shape())


@emits(UpSample)
def up_sample(op: UpSample, at: Emitting) -> Edge:
    scales = at.constant((1.0, 1.0, *map(float, op.size)), "float32", wish="scales")
    y = at.add(
        "Resize",
        folded(at),
        None,
        scales,
        shape=folded_result(at),
        **RESIZE[op.interpolation],
    )
    return unfolded(at, y)
