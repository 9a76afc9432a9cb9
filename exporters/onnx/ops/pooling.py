"""Pools, padding, cropping, up-sampling: what happens along spatial axes without a weight."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from ....errors import ExportError
from ....ir.ops.convolution import Pads
from ....ir.ops.pooling import (
    AdaptivePool,
    AveragePool,
    Crop,
    GlobalAveragePool,
    GlobalMaxPool,
    GlobalProductPool,
    GlobalSumPool,
    MaskedAveragePool,
    MaxPool,
    Resample,
    UpSample,
    ZeroPad,
)
from ..dims import Dim
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


SIZED: Mapping[str, Mapping[str, str]] = {
    "nearest": {
        "mode": "nearest",
        "coordinate_transformation_mode": "half_pixel",
        "nearest_mode": "round_prefer_ceil",
    },
    "bilinear": {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
}
"""What ONNX `Resize` does as TensorFlow does it."""

MOST_WEIGHTS = 1 << 22
"""Numbers of one matrix that resamples an axis."""


@emits(Resample)
def resample(op: Resample, at: Emitting) -> Edge:
    """`Resize` where it says the same, else a matrix for each axis."""
    x = folded(at)
    if op.method in SIZED and not (op.antialias and op.method == "bilinear"):
        shape = folded_result(at)
        sizes = at.extents(shape, x)
        return unfolded(at, at.add("Resize", x, None, None, sizes, shape=shape, **SIZED[op.method]))
    y, rank = x, len(op.size)
    for axis, wanted in enumerate(op.size, len(x.shape) - rank):
        last = len(x.shape) - 1
        order = [*(n for n in range(last + 1) if n != axis), axis]
        turned = at.permuted(y, order)
        shape = (*turned.shape[:-1], wanted)
        y = at.add("MatMul", turned, _matrix(op, at, y.shape[axis], wanted), shape=shape)
        y = at.permuted(y, [order.index(n) for n in range(last + 1)])
    return unfolded(at, y)


def _matrix(op: Resample, at: Emitting, size: Dim, wanted: int) -> Edge:
    """Rows of the axis, columns of the result."""
    if not isinstance(size, int) or size * wanted > MOST_WEIGHTS:
        raise ExportError(
            f"{op.method} interpolation of an extent of {size}",
            where=at.name,
            hint="fix the sizes of the model's inputs" if isinstance(size, str) else "",
        )
    rows = op.weights(size, wanted)
    flat = [rows[column][row] for row in range(size) for column in range(wanted)]
    return at.constant(flat, at.dtype, (size, wanted), wish="weights")


@emits(AdaptivePool)
def adaptive_pool(op: AdaptivePool, at: Emitting) -> Edge:
    """Equal windows are a pool; others are cut out one by one and put together."""
    y = folded(at)
    first = len(y.shape) - len(op.size)
    for axis, count in enumerate(op.size, first):
        extent = y.shape[axis]
        if not isinstance(extent, int):
            raise ExportError(
                "an adaptive pool over an extent that is not known",
                where=at.name,
                hint="fix the sizes of the model's inputs",
            )
        kind = "ReduceMax" if op.largest else "ReduceMean"
        pieces = [
            at.reduce(kind, _part(at, y, axis, start, end), (axis,), keepdims=True)
            for start, end in op.windows(extent, count)
        ]
        shape = (*y.shape[:axis], count, *y.shape[axis + 1 :])
        y = at.add("Concat", *pieces, shape=shape, axis=axis) if count > 1 else pieces[0]
    return unfolded(at, y)


def _part(at: Emitting, x: Edge, axis: int, start: int, end: int) -> Edge:
    return at.cut(x, [start], [end], [axis], (*x.shape[:axis], end - start, *x.shape[axis + 1 :]))


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
