"""Pools, padding, cropping, up-sampling: what happens along spatial axes without a weight."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..ir.ops.pooling import (
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
from ..ir.source import Array
from .computing import Computing, Results
from .registry import computes
from .windows import Windows, pad

_IN = "(batch) space (channels)"
_OUT = "(batch) out_space (channels)"


@computes(MaxPool)
def max_pool(op: MaxPool, at: Computing) -> Results:
    x = at.take(_IN)
    y = np.full((), -np.inf, at.dtype)
    for _, here in _windows(op, x).over(x, fill=-np.inf):
        y = np.maximum(y, here)
    return (at.give(y, _OUT),)


@computes(AveragePool)
def average_pool(op: AveragePool, at: Computing) -> Results:
    x = at.take(_IN)
    windows, ones = _windows(op, x), np.ones((1, *x.shape[1:-1], 1), at.dtype)
    total = sum((here for _, here in windows.over(x)), np.zeros((), at.dtype))
    outside = float(op.count_padding)
    count = sum((here for _, here in windows.over(ones, fill=outside)), np.zeros((), at.dtype))
    return (at.give(total / count, _OUT),)


def _windows(op: MaxPool | AveragePool, x: Array) -> Windows:
    together = (1,) * len(op.pool_size)
    return Windows(x.shape[1:-1], op.pool_size, op.strides, together, op.padding)


@computes(GlobalMaxPool)
def global_max_pool(op: GlobalMaxPool, at: Computing) -> Results:
    return (at.give(at.take("... (space)").max(-1), "..."),)


@computes(GlobalAveragePool)
def global_average_pool(op: GlobalAveragePool, at: Computing) -> Results:
    return (at.give(at.take("... (space)").mean(-1), "..."),)


@computes(GlobalSumPool)
def global_sum_pool(op: GlobalSumPool, at: Computing) -> Results:
    return (at.give(at.take("... (space)").sum(-1), "..."),)


@computes(GlobalProductPool)
def global_product_pool(op: GlobalProductPool, at: Computing) -> Results:
    return (at.give(at.take("... (space)").prod(-1), "..."),)


@computes(MaskedAveragePool)
def masked_average_pool(op: MaskedAveragePool, at: Computing) -> Results:
    x, mask = at.take("(batch) time (features)"), at.take("(batch) time", 1).astype(at.dtype)
    y = np.einsum("ntf,nt->nf", x, mask) / mask.sum(-1, keepdims=True)
    return (at.give(y, "(batch) (features)"),)


@computes(ZeroPad)
def zero_pad(op: ZeroPad, at: Computing) -> Results:
    return (at.give(pad(at.take(_IN), op.padding), _OUT),)


@computes(Crop)
def crop(op: Crop, at: Computing) -> Results:
    cut = tuple((-before, -after) for before, after in op.cropping)
    return (at.give(pad(at.take(_IN), cut), _OUT),)


@computes(Resample)
def resample(op: Resample, at: Computing) -> Results:
    y = at.take(_IN)
    for axis, wanted in enumerate(op.size, 1):
        weights = np.array(op.weights(y.shape[axis], wanted), at.dtype)
        y = np.moveaxis(np.tensordot(weights, y, (1, axis)), 0, axis)
    return (at.give(y, _OUT),)


@computes(AdaptivePool)
def adaptive_pool(op: AdaptivePool, at: Computing) -> Results:
    y = at.take(_IN)
    for axis, count in enumerate(op.size, 1):
        parts = [y.take(range(first, end), axis) for first, end in op.windows(y.shape[axis], count)]
        whole = [part.max(axis) if op.largest else part.mean(axis) for part in parts]
        y = np.stack(whole, axis)
    return (at.give(y, _OUT),)


@computes(UpSample)
def up_sample(op: UpSample, at: Computing) -> Results:
    y = at.take(_IN)
    for axis, factor in enumerate(op.size, 1):
        y = _RESAMPLE[op.interpolation](y, axis, factor)
    return (at.give(y, _OUT),)


def _half_pixel(y: Array, axis: int, factor: int) -> Array:
    centres = (np.arange(y.shape[axis] * factor) + 0.5) / factor - 0.5
    return _linear(y, axis, centres)


def _corner(y: Array, axis: int, factor: int) -> Array:
    return _linear(y, axis, np.arange(y.shape[axis] * factor) / factor)


def _linear(y: Array, axis: int, places: Array) -> Array:
    """The array at fractional places along an axis, constant beyond its first and last."""
    places = np.clip(places, 0, y.shape[axis] - 1)
    low = np.floor(places).astype(np.intp)
    high = np.minimum(low + 1, y.shape[axis] - 1)
    shape = [-1 if at == axis else 1 for at in range(y.ndim)]
    share = (places - low).astype(y.dtype).reshape(shape)
    between: Array = y.take(low, axis) * (1 - share) + y.take(high, axis) * share
    return between


def _nearest(y: Array, axis: int, factor: int) -> Array:
    return np.repeat(y, factor, axis)


_RESAMPLE: Mapping[str, Callable[[Array, int, int], Array]] = {
    "nearest": _nearest,
    "bilinear": _half_pixel,
    "bilinear_corner": _corner,
}
