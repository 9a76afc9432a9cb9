"""Convolutions: ONNX' `Conv` and `ConvTranspose`, kernels `filters channels space`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from ....ir.ops.convolution import (
    Conv,
    ConvTranspose,
    DepthwiseConv,
    GroupedConv,
    LocallyConnected,
    Pads,
    SeparableConv,
)
from ..dims import Shape, longer, product
from ..draft import Edge
from ..emitting import Emitting
from ..registry import emits
from ..spatial import folded, folded_result, padded, pads, unfolded, window

Sliding = Conv | GroupedConv | DepthwiseConv | SeparableConv


@emits(Conv)
def conv(op: Conv, at: Emitting) -> Edge:
    kernel = at.param("kernel", "filters channels kernel_space")
    return _convolved(op, at, kernel, at.optional("bias"))


@emits(GroupedConv)
def grouped_conv(op: GroupedConv, at: Emitting) -> Edge:
    kernel = at.param("kernel", "(groups filters) in_group kernel_space")
    return _convolved(op, at, kernel, at.optional("bias"), group=at.size("groups"))


@emits(DepthwiseConv)
def depthwise_conv(op: DepthwiseConv, at: Emitting) -> Edge:
    """A convolution in as many groups as there are channels."""
    kernel = at.param("kernel", "(channels multiplier) 1 kernel_space")
    return _convolved(op, at, kernel, at.optional("bias"), group=at.size("channels"))


@emits(SeparableConv)
def separable_conv(op: SeparableConv, at: Emitting) -> Edge:
    """The depthwise convolution, then one whose kernel has one tap."""
    kernel = at.param("depthwise_kernel", "(channels multiplier) 1 kernel_space")
    shape = folded_result(at)
    wide = (shape[0], kernel.shape[0], *shape[2:])
    deep = slide(at, folded(at), kernel, None, wide, group=at.size("channels"), **_window(op))
    rank = len(op.strides)
    point = at.param("pointwise_kernel", f"filters (channels multiplier) {'1 ' * rank}")
    return unfolded(at, slide(at, deep, point, at.optional("bias"), shape))


def _convolved(
    op: Sliding, at: Emitting, kernel: Edge, bias: Edge | None, group: int | None = None
) -> Edge:
    """One `Conv` for the whole op."""
    y = slide(at, folded(at), kernel, bias, folded_result(at), group=group, **_window(op))
    return unfolded(at, y)


def slide(
    at: Emitting, x: Edge, kernel: Edge, bias: Edge | None, shape: Shape, **attributes: Any
) -> Edge:
    """A `Conv`; its kernel's extents are said, since readers need not look into a weight."""
    return at.add("Conv", x, kernel, bias, shape=shape, kernel_shape=kernel.shape[2:], **attributes)


def _window(op: Sliding) -> dict[str, Any]:
    return window(op.padding, op.strides, op.dilation)


# ---- transposed ----------------------------------------------------------------------------


@emits(ConvTranspose)
def conv_transpose(op: ConvTranspose, at: Emitting) -> Edge:
    """What is cut off are `pads`; missing rows behind are `output_padding`, or zeros put there.

    ONNX allows an `output_padding` below the stride only. Rows beyond that hold nothing but the
    bias, which is then added at the end.
    """
    kernel, bias = at.param("kernel", "channels filters kernel_space"), at.optional("bias")
    cut: Pads = tuple((max(before, 0), max(after, 0)) for before, after in op.cropping)
    more: Pads = tuple((max(-before, 0), max(-after, 0)) for before, after in op.cropping)
    fits = all(
        before == 0 and after < stride
        for (before, after), stride in zip(more, op.strides, strict=True)
    )
    shape = folded_result(at)
    attributes: dict[str, Any] = {
        "kernel_shape": kernel.shape[2:],
        "strides": op.strides,
        "pads": pads(cut),
        "dilations": op.dilation if any(step != 1 for step in op.dilation) else None,
    }
    if fits:
        extra = tuple(after for _, after in more)
        attributes["output_padding"] = extra if any(extra) else None
        y = at.add("ConvTranspose", folded(at), kernel, bias, shape=shape, **attributes)
        return unfolded(at, y)
    space = tuple(longer(dim, -sum(pair)) for dim, pair in zip(shape[2:], more, strict=True))
    y = at.add("ConvTranspose", folded(at), kernel, shape=(*shape[:2], *space), **attributes)
    y = padded(at, y, more)
    if bias is not None:
        ones = " 1" * len(op.strides)
        y = at.add("Add", y, at.param("bias", f"filters{ones}"))
    return unfolded(at, y)


# ---- locally connected ---------------------------------------------------------------------


@emits(LocallyConnected)
def locally_connected(op: LocallyConnected, at: Emitting) -> Edge:
    """Each position's patch by `Gather`, times that position's kernel by a batched `MatMul`.

    The filters come out last, so one Transpose brings them in front of the positions.
    """
    x = folded(at)
    patches = _patches(op, at)
    kernel = at.param("kernel", "(out_space) (channels kernel_space) filters")
    positions, patch, filters = (int(size) for size in kernel.shape)
    flat = at.reshape(x, (x.shape[0], product(x.shape[1:])))
    indices = at.constant(patches, shape=(positions, 1, patch), wish="patches")
    y = at.add("Gather", flat, indices, shape=(x.shape[0], positions, 1, patch), axis=1)
    y = at.add("MatMul", y, kernel, shape=(x.shape[0], positions, 1, filters))
    y = at.squeeze(y, 2)
    if at.has("bias"):
        y = at.add("Add", y, at.param("bias", "(out_space) filters"))
    return at.reshape(at.permuted(y, (0, 2, 1)), at.result_shape())


def _patches(op: LocallyConnected, at: Emitting) -> list[int]:
    """Where the elements of each patch lie in `(channels space)`: by position, channel and tap."""
    sizes = [_size(dim) for dim in at.extent("space")]
    taps = [_size(dim) for dim in at.extent("kernel_space")]
    spans = [range(_size(dim)) for dim in at.extent("out_space")]
    within = [_offset(tap, sizes) for tap in itertools.product(*map(range, taps))]
    room = math.prod(sizes)
    inside = [c * room + tap for c in range(at.size("channels")) for tap in within]
    corners = (
        _offset([p * s for p, s in zip(position, op.strides, strict=True)], sizes)
        for position in itertools.product(*spans)
    )
    return [corner + place for corner in corners for place in inside]


def _offset(index: Sequence[int], sizes: Sequence[int]) -> int:
    """The place of an index in a row-major array."""
    place = 0
    for number, size in zip(index, sizes, strict=True):
        place = place * size + number
    return place


def _size(dim: int | str) -> int:
    assert isinstance(dim, int)  # a kernel for each position: their number is known
    return dim
