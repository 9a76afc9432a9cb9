"""Pools, padding, cropping, up-sampling: what happens along spatial axes without a weight."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ....errors import ExportError
from ....ir.ops.convolution import Padding, Pads
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
from ..dims import Shape
from ..draft import Edge
from ..emitting import Emitting
from ..pen import HIGHEST_INT64
from ..registry import emits
from ..resampling import reckoned_weights
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
        **_placed(padding, op.strides),
    )
    return unfolded(at, y)


@emits(AveragePool)
def average_pool(op: AveragePool, at: Emitting) -> Edge:
    """Pads as wide as the window become zeros; where they do not count, the mean is corrected."""
    x, padding = folded(at), op.padding
    if isinstance(padding, str) or not _too_wide(padding, op.pool_size):
        return unfolded(at, _averaged(op, at, x, padding, folded_result(at)))
    none = ((0, 0),) * len(op.strides)
    y = _averaged(op, at, padded(at, x, padding), none, folded_result(at))
    if op.count_padding:
        return unfolded(at, y)
    shares = list(_shares(op, at, padding))
    for axis, share in enumerate(shares):
        shape = (len(share), *(1,) * (len(shares) - axis - 1))
        y = at.add("Div", y, at.constant(share, at.dtype, shape, wish="share"))
    if not shares:
        extent: Shape = (1, 1, *x.shape[2:])
        ones = at.add("Expand", at.number(1), at.extents(extent, x), shape=extent)
        windows: Shape = (1, 1, *y.shape[2:])
        y = at.add("Div", y, _averaged(op, at, padded(at, ones, padding), none, windows))
    return unfolded(at, y)


def _averaged(op: AveragePool, at: Emitting, x: Edge, padding: Padding, shape: Shape) -> Edge:
    return at.add(
        "AveragePool",
        x,
        shape=shape,
        kernel_shape=op.pool_size,
        count_include_pad=int(op.count_padding) or None,
        **_placed(padding, op.strides),
    )


def _placed(padding: Padding, strides: tuple[int, ...]) -> dict[str, Any]:
    """Where windows stand; pads of zero are left unsaid.

    Stated, ONNX Runtime 1.18 makes them of a Pad in front, however wide, and refuses them then.
    """
    found = window(padding, strides)
    return found if any(found.get("pads", (1,))) else {"strides": found["strides"]}


def _too_wide(padding: Pads, sizes: tuple[int, ...]) -> bool:
    """Whether a window can lie in the padding whole."""
    return any(max(pair) >= size for pair, size in zip(padding, sizes, strict=True))


def _shares(op: AveragePool, at: Emitting, padding: Pads) -> Iterator[list[float]]:
    """Along each axis, which share of every window is no padding; nothing if that is not known."""
    spaces = [
        (n, m)
        for n, m in zip(at.extent("space"), at.extent("out_space"), strict=True)
        if isinstance(n, int) and isinstance(m, int)
    ]
    if len(spaces) < len(padding):
        return
    for (size, count), taps, stride, (before, _) in zip(
        spaces, op.pool_size, op.strides, padding, strict=True
    ):
        if count > MOST_WINDOWS:
            what = f"padding of {padding} is wider than the pool, over an extent of {size}"
            raise ExportError(what, where=at.name)
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
        size = y.shape[axis]
        matrix = (
            _matrix(op, at, size, wanted)
            if isinstance(size, int)
            else reckoned_weights(op, at, y, axis, wanted)
        )
        y = at.add("MatMul", turned, matrix, shape=shape)
        y = at.permuted(y, [order.index(n) for n in range(last + 1)])
    return unfolded(at, y)


def _matrix(op: Resample, at: Emitting, size: int, wanted: int) -> Edge:
    """Rows of the axis, columns of the result."""
    if size * wanted > MOST_WEIGHTS:
        what = f"{op.method} interpolation of an extent of {size}"
        raise ExportError(what, where=at.name)
    rows = op.weights(size, wanted)
    flat = [rows[column][row] for row in range(size) for column in range(wanted)]
    return at.constant(flat, at.dtype, (size, wanted), wish="weights")


@emits(AdaptivePool)
def adaptive_pool(op: AdaptivePool, at: Emitting) -> Edge:
    """Equal windows are a pool; others are cut out one by one and put together."""
    y = folded(at)
    first = len(y.shape) - len(op.size)
    kind = "ReduceMax" if op.largest else "ReduceMean"
    for axis, count in enumerate(op.size, first):
        pieces = [
            at.reduce(kind, part, (axis,), keepdims=True) for part in _parts(op, at, y, axis, count)
        ]
        shape = (*y.shape[:axis], count, *y.shape[axis + 1 :])
        y = at.add("Concat", *pieces, shape=shape, axis=axis) if count > 1 else pieces[0]
    return unfolded(at, y)


def _parts(op: AdaptivePool, at: Emitting, x: Edge, axis: int, count: int) -> Iterator[Edge]:
    """The windows along an axis; of one whose extent the model is fed, where they are is reckoned.

    Window n is cut at floor(n * extent / count) and ceil((n + 1) * extent / count).
    """
    extent = x.shape[axis]
    if count == 1:
        yield x
    elif isinstance(extent, int):
        for start, end in op.windows(extent, count):
            shape = (*x.shape[:axis], end - start, *x.shape[axis + 1 :])
            yield at.cut(x, [start], [end], [axis], shape)
    else:
        size, parts = at.extents((extent,), x), at.constant([count])
        axes = at.constant([axis], wish="axes")
        for n in range(count):
            first = at.add("Div", at.add("Mul", size, at.constant([n])), parts)
            whole = at.add("Mul", size, at.constant([n + 1]))
            last = at.add("Div", at.add("Add", whole, at.constant([count - 1])), parts)
            shape = (*x.shape[:axis], f"{at.name}/{n}/{extent}", *x.shape[axis + 1 :])
            yield at.add("Slice", x, first, last, axes, shape=shape)


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
