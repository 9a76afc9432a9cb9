"""Convolutions, tap by tap: what a kernel element meets, times that element, summed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from ..ir.ops.convolution import (
    Conv,
    ConvTranspose,
    DepthwiseConv,
    GroupedConv,
    LocallyConnected,
    Padding,
    SeparableConv,
)
from ..ir.source import Array
from .computing import Computing, Results
from .registry import computes
from .windows import Windows, every, pad

_IN = "(batch) space channels"
_OUT = "(batch) out_space filters"


@computes(Conv)
def conv(op: Conv, at: Computing) -> Results:
    y = correlate(at.take(_IN), at.param("kernel"), op.strides, op.dilation, op.padding)
    return (at.give(_biased(y, at), _OUT),)


def correlate(
    x: Array,
    kernel: Array,
    strides: Sequence[int],
    dilation: Sequence[int],
    padding: Padding,
) -> Array:
    """`batch windows filters` from `batch space channels` and a kernel `space channels filters`.

    Filters may be of any number of dimensions.
    """
    rank = x.ndim - 2
    windows = Windows(x.shape[1:-1], kernel.shape[:rank], strides, dilation, padding)
    y = np.zeros((len(x), *windows.extents, *kernel.shape[rank + 1 :]), x.dtype)
    for tap, here in windows.over(x):
        y += np.tensordot(here, kernel[tap], 1)
    return y


@computes(GroupedConv)
def grouped_conv(op: GroupedConv, at: Computing) -> Results:
    x = at.take("(batch) space (groups in_group)")
    kernel = at.param("kernel", "kernel_space in_group groups filters")
    taps, (inner, groups, filters) = kernel.shape[:-3], kernel.shape[-3:]
    windows = Windows(x.shape[1:-1], taps, op.strides, op.dilation, op.padding)
    y = np.zeros((len(x), *windows.extents, groups, filters), at.dtype)
    for tap, here in windows.over(x):
        y += np.einsum("...gi,igo->...go", here.reshape(*y.shape[:-1], inner), kernel[tap])
    y = _biased(y.reshape(*y.shape[:-2], groups * filters), at)
    return (at.give(y, "(batch) out_space (groups filters)"),)


@computes(DepthwiseConv)
def depthwise_conv(op: DepthwiseConv, at: Computing) -> Results:
    y = _biased(_depthwise(op, at.take(_IN), at.param("kernel")), at)
    return (at.give(y, "(batch) out_space (channels multiplier)"),)


@computes(SeparableConv)
def separable_conv(op: SeparableConv, at: Computing) -> Results:
    y = _depthwise(op, at.take(_IN), at.param("depthwise_kernel"))
    y = np.tensordot(y, at.param("pointwise_kernel"), 1)
    return (at.give(_biased(y, at), _OUT),)


@computes(ConvTranspose)
def conv_transpose(op: ConvTranspose, at: Computing) -> Results:
    x, kernel = at.take(_IN), at.param("kernel")
    sizes, taps = x.shape[1:-1], kernel.shape[:-2]
    extents = [
        (size - 1) * stride + (k - 1) * dilation + 1
        for size, k, stride, dilation in zip(sizes, taps, op.strides, op.dilation, strict=True)
    ]
    y = np.zeros((len(x), *extents, kernel.shape[-1]), at.dtype)
    for tap in itertools.product(*map(range, taps)):
        starts = [i * d for i, d in zip(tap, op.dilation, strict=True)]
        y[:, *every(starts, sizes, op.strides)] += np.tensordot(x, kernel[tap], 1)
    y = pad(y, tuple((-before, -after) for before, after in op.cropping))
    return (at.give(_biased(y, at), _OUT),)


@computes(LocallyConnected)
def locally_connected(op: LocallyConnected, at: Computing) -> Results:
    x, kernel = at.take(_IN), at.param("kernel")
    rank = len(op.strides)
    extents, taps = kernel.shape[:rank], kernel.shape[rank : 2 * rank]
    windows = Windows(x.shape[1:-1], taps, op.strides, (1,) * rank, ((0, 0),) * rank)
    y = np.zeros((len(x), *extents, kernel.shape[-1]), at.dtype)
    for tap, here in windows.over(x):
        y += np.einsum("n...i,...io->n...o", here, kernel[(slice(None),) * rank + tap])
    return (at.give(_biased(y, at), _OUT),)


def _depthwise(op: DepthwiseConv | SeparableConv, x: Array, kernel: Array) -> Array:
    """`batch space (channels multiplier)` from a kernel `space channels multiplier`."""
    taps, (channels, multiplier) = kernel.shape[:-2], kernel.shape[-2:]
    windows = Windows(x.shape[1:-1], taps, op.strides, op.dilation, op.padding)
    y = np.zeros((len(x), *windows.extents, channels, multiplier), x.dtype)
    for tap, here in windows.over(x):
        y += here[..., None] * kernel[tap]
    return y.reshape(*y.shape[:-2], channels * multiplier)


def _biased(y: Array, at: Computing) -> Array:
    """With the bias added, whose terms are the last ones of `y`."""
    return y + at.param("bias") if at.has("bias") else y
