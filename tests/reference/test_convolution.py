"""Convolutions against loops written from the formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from loops import Pads, at, conv_loops, extents, met
from one_op import Array, OneOp, numbers

from kerasir.ir.ops.convolution import (
    Conv,
    ConvTranspose,
    DepthwiseConv,
    GroupedConv,
    LocallyConnected,
    SeparableConv,
)

# rank, space, kernel, strides, dilation, pads
GEOMETRIES: list[Any] = [
    ((7,), (3,), (2,), (1,), ((1, 0),)),
    ((9,), (2,), (1,), (3,), ((2, 3),)),
    ((6, 5), (2, 3), (1, 1), (1, 1), ((0, 0), (0, 0))),
    ((5, 8), (3, 2), (2, 3), (2, 1), ((2, 1), (0, 3))),
    ((4, 3, 5), (2, 3, 1), (1, 2, 3), (1, 1, 2), ((0, 1), (1, 1), (2, 0))),
]
ORDERS = [(1, False), (1, True), (2, False), (2, True)]
geometries = pytest.mark.parametrize("geometry", GEOMETRIES, ids=lambda g: "x".join(map(str, g[0])))
orders = pytest.mark.parametrize(("batches", "last"), ORDERS)


def depthwise_loops(x: Array, kernel: Array, strides: Any, dilation: Any, pads: Pads) -> Array:
    """`n (c m) p`, from a kernel `k c m`."""
    *taps, channels, multiplier = kernel.shape
    out = extents(x.shape[2:], taps, strides, dilation, pads)
    y = np.zeros((len(x), channels * multiplier, *out))
    for n, c, m, *p in np.ndindex(len(x), channels, multiplier, *out):
        for k in np.ndindex(*taps):
            place = met(tuple(p), k, strides, dilation, pads)
            y[n, c * multiplier + m, *p] += at(x, n, c, place) * kernel[*k, c, m]
    return y


def biased(y: Array, bias: Array) -> Array:
    return y + bias.reshape(1, -1, *(1,) * (y.ndim - 2))


def batch_of(batches: int) -> tuple[tuple[int | None, ...], tuple[int, ...]]:
    """Sizes as the graph knows them, and as they are."""
    return ((None,), (2,)) if batches == 1 else ((None, 3), (2, 3))


def compare(one: OneOp, x: Array, y: Array, batch: tuple[int, ...]) -> None:
    one.gives(y.reshape(*batch, *y.shape[1:]), of=[x.reshape(*batch, *x.shape[1:])])


@geometries
@orders
def test_conv(geometry: Any, batches: int, last: bool) -> None:
    space, taps, strides, dilation, pads = geometry
    known, batch = batch_of(batches)
    x = numbers(int(np.prod(batch)), 3, *space)
    kernel, bias = numbers(*taps, 3, 4), numbers(4)
    y = biased(conv_loops(x, kernel, strides, dilation, pads), bias)
    sizes = {
        "batch": known, "channels": (3,), "space": space, "kernel_space": taps,
        "filters": (4,), "out_space": y.shape[2:],
    }  # fmt: skip
    op = Conv(strides=strides, dilation=dilation, padding=pads)
    compare(OneOp(op, sizes, {"kernel": kernel, "bias": bias}, last=last), x, y, batch)


@geometries
@orders
def test_grouped_conv(geometry: Any, batches: int, last: bool) -> None:
    space, taps, strides, dilation, pads = geometry
    known, batch = batch_of(batches)
    groups, inner, filters = 2, 3, 4
    x = numbers(int(np.prod(batch)), groups * inner, *space)
    kernel, bias = numbers(*taps, inner, groups * filters), numbers(groups * filters)
    halves = [
        conv_loops(
            x[:, g * inner : (g + 1) * inner],
            kernel[..., g * filters : (g + 1) * filters],
            strides, dilation, pads,
        )
        for g in range(groups)
    ]  # fmt: skip
    y = biased(np.concatenate(halves, 1), bias)
    sizes = {
        "batch": known, "groups": (groups,), "in_group": (inner,), "space": space,
        "kernel_space": taps, "filters": (filters,), "out_space": y.shape[2:],
    }  # fmt: skip
    op = GroupedConv(strides=strides, dilation=dilation, padding=pads)
    compare(OneOp(op, sizes, {"kernel": kernel, "bias": bias}, last=last), x, y, batch)


@geometries
@orders
def test_depthwise_conv(geometry: Any, batches: int, last: bool) -> None:
    space, taps, strides, dilation, pads = geometry
    known, batch = batch_of(batches)
    x = numbers(int(np.prod(batch)), 3, *space)
    kernel, bias = numbers(*taps, 3, 2), numbers(6)
    y = biased(depthwise_loops(x, kernel, strides, dilation, pads), bias)
    sizes = {
        "batch": known, "channels": (3,), "multiplier": (2,), "space": space,
        "kernel_space": taps, "out_space": y.shape[2:],
    }  # fmt: skip
    op = DepthwiseConv(strides=strides, dilation=dilation, padding=pads)
    compare(OneOp(op, sizes, {"kernel": kernel, "bias": bias}, last=last), x, y, batch)


@geometries
@orders
def test_separable_conv(geometry: Any, batches: int, last: bool) -> None:
    space, taps, strides, dilation, pads = geometry
    known, batch = batch_of(batches)
    x = numbers(int(np.prod(batch)), 3, *space)
    depthwise, pointwise, bias = numbers(*taps, 3, 2), numbers(6, 5), numbers(5)
    between = depthwise_loops(x, depthwise, strides, dilation, pads)
    rank = len(space)
    one = pointwise.reshape(*(1,) * rank, 6, 5)
    y = biased(conv_loops(between, one, (1,) * rank, (1,) * rank, ((0, 0),) * rank), bias)
    sizes = {
        "batch": known, "channels": (3,), "multiplier": (2,), "filters": (5,), "space": space,
        "kernel_space": taps, "out_space": y.shape[2:],
    }  # fmt: skip
    params = {"depthwise_kernel": depthwise, "pointwise_kernel": pointwise, "bias": bias}
    op = SeparableConv(strides=strides, dilation=dilation, padding=pads)
    compare(OneOp(op, sizes, params, last=last), x, y, batch)


def transpose_loops(x: Array, kernel: Array, strides: Any, dilation: Any, crop: Pads) -> Array:
    """Each input element adds its scaled kernel; then cropped, a negative crop lengthens."""
    *taps, _, filters = kernel.shape
    full = [
        (n - 1) * s + (k - 1) * d + 1
        for n, k, s, d in zip(x.shape[2:], taps, strides, dilation, strict=True)
    ]
    out = [size - sum(ends) for size, ends in zip(full, crop, strict=True)]
    y = np.zeros((len(x), filters, *out))
    for n, c, *p in np.ndindex(x.shape):
        for *k, o in np.ndindex(*taps, filters):
            place = tuple(
                i * s + j * d - before
                for i, j, s, d, (before, _) in zip(p, k, strides, dilation, crop, strict=True)
            )
            if all(0 <= i < size for i, size in zip(place, out, strict=True)):
                y[n, o, *place] += x[n, c, *p] * kernel[*k, c, o]
    return y


@pytest.mark.parametrize(
    ("space", "taps", "strides", "dilation", "crop"),
    [
        ((5,), (3,), (2,), (1,), ((1, 0),)),
        ((4, 3), (2, 3), (1, 2), (1, 1), ((0, 0), (1, 1))),
        ((3, 4), (2, 2), (3, 1), (1, 2), ((0, -1), (1, 0))),
        ((2, 3, 4), (2, 3, 1), (2, 1, 3), (1, 1, 1), ((1, 0), (0, 2), (0, -2))),
    ],
)
@orders
def test_conv_transpose(
    space: Any, taps: Any, strides: Any, dilation: Any, crop: Pads, batches: int, last: bool
) -> None:
    known, batch = batch_of(batches)
    x = numbers(int(np.prod(batch)), 3, *space)
    kernel, bias = numbers(*taps, 3, 4), numbers(4)
    y = biased(transpose_loops(x, kernel, strides, dilation, crop), bias)
    sizes = {
        "batch": known, "channels": (3,), "space": space, "kernel_space": taps,
        "filters": (4,), "out_space": y.shape[2:],
    }  # fmt: skip
    op = ConvTranspose(strides=strides, dilation=dilation, cropping=crop)
    compare(OneOp(op, sizes, {"kernel": kernel, "bias": bias}, last=last), x, y, batch)


@pytest.mark.parametrize(
    ("space", "taps", "strides"),
    [((7,), (3,), (2,)), ((5, 4), (2, 3), (1, 1)), ((7, 5), (3, 2), (2, 3))],
)
@orders
def test_locally_connected(space: Any, taps: Any, strides: Any, batches: int, last: bool) -> None:
    known, batch = batch_of(batches)
    rank = len(space)
    out = extents(space, taps, strides, (1,) * rank, ((0, 0),) * rank)
    x = numbers(int(np.prod(batch)), 3, *space)
    kernel, bias = numbers(*out, *taps, 3, 4), numbers(*out, 4)
    y = np.zeros((len(x), 4, *out))
    for n, o, *p in np.ndindex(y.shape):
        y[n, o, *p] = bias[*p, o]
        for *k, c in np.ndindex(*taps, 3):
            place = tuple(i * s + j for i, j, s in zip(p, k, strides, strict=True))
            y[n, o, *p] += x[n, c, *place] * kernel[*p, *k, c, o]
    sizes = {
        "batch": known, "channels": (3,), "space": space, "kernel_space": taps,
        "filters": (4,), "out_space": out,
    }  # fmt: skip
    op = LocallyConnected(strides=strides)
    compare(OneOp(op, sizes, {"kernel": kernel, "bias": bias}, last=last), x, y, batch)


@pytest.mark.parametrize(
    ("size", "taps", "stride", "dilation", "pads"),
    [
        (6, 3, 2, 1, (0, 1)),
        (7, 3, 2, 1, (1, 1)),
        (6, 2, 1, 1, (0, 1)),
        (8, 3, 3, 2, (1, 2)),
        (5, 1, 3, 1, (0, 0)),
    ],
)
def test_same_upper_pads_as_little_as_possible_the_odd_element_after(
    size: int, taps: int, stride: int, dilation: int, pads: tuple[int, int]
) -> None:
    """The pads are those that TensorFlow's documentation works out for `SAME`."""
    x, kernel = numbers(2, 3, size), numbers(taps, 3, 4)
    y = conv_loops(x, kernel, (stride,), (dilation,), (pads,))
    assert y.shape[2] == -(-size // stride)
    sizes = {
        "batch": (None,), "channels": (3,), "space": (None,), "kernel_space": (taps,),
        "filters": (4,), "out_space": (None,),
    }  # fmt: skip
    op = Conv(strides=(stride,), dilation=(dilation,), padding="same_upper")
    OneOp(op, sizes, {"kernel": kernel}).gives(y, of=[x])
