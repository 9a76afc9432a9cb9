"""Convolutions. Kernels are cross-correlation kernels over `space I O`, pads are explicit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from ..op import Op, op
from ..signature import Port, ports

Pads = tuple[tuple[int, int], ...]
Padding = Pads | Literal["same_upper"]
"""Elements of padding before and after each spatial axis. Only TensorFlow's `same` may stay
symbolic (ONNX `SAME_UPPER`: as little as possible, the odd element after), while sizes are
unknown and a stride is above one."""

_SPATIAL_IN = ports("x: batch channels space", order="spatial")
_SPATIAL_OUT = ports("y: batch filters out_space", order="spatial")
_LETTERS = {"channels": "I", "filters": "O"}


@op
class Conv(Op, frozen=True, kw_only=True):
    """Cross-correlation over one, two or three spatial axes.

    y[n, o, p] = bias[o] + sum over k, c of x[n, c, p * stride + k * dilation - before] *
    kernel[k, c, o], zeros outside.

    Attributes:
        strides: Steps in input elements, per spatial axis.
        dilation: Distance of kernel taps in input elements.
        padding: Zeros before and after.
    """

    family: ClassVar[str] = "convolution"
    inputs: ClassVar[tuple[Port, ...]] = _SPATIAL_IN
    params: ClassVar[tuple[Port, ...]] = ports(
        "kernel: kernel_space channels filters", "bias?: filters"
    )
    results: ClassVar[tuple[Port, ...]] = _SPATIAL_OUT
    letters: ClassVar[Mapping[str, str]] = _LETTERS

    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: Padding


@op
class GroupedConv(Op, frozen=True, kw_only=True):
    """Cross-correlation in groups: each group of filters sees its own channels only.

    Attributes:
        strides: Steps in input elements, per spatial axis.
        dilation: Distance of kernel taps in input elements.
        padding: Zeros before and after.
    """

    family: ClassVar[str] = "convolution"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: batch (groups in_group) space", order="spatial")
    params: ClassVar[tuple[Port, ...]] = ports(
        "kernel: kernel_space in_group (groups filters)", "bias?: (groups filters)"
    )
    results: ClassVar[tuple[Port, ...]] = ports(
        "y: batch (groups filters) out_space", order="spatial"
    )
    letters: ClassVar[Mapping[str, str]] = {"in_group": "I", "filters": "O"}

    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: Padding


@op
class DepthwiseConv(Op, frozen=True, kw_only=True):
    """Each channel correlated with kernels of its own; results ordered `(channels multiplier)`.

    Attributes:
        strides: Steps in input elements, per spatial axis.
        dilation: Distance of kernel taps in input elements.
        padding: Zeros before and after.
    """

    family: ClassVar[str] = "convolution"
    inputs: ClassVar[tuple[Port, ...]] = _SPATIAL_IN
    params: ClassVar[tuple[Port, ...]] = ports(
        "kernel: kernel_space channels multiplier", "bias?: (channels multiplier)"
    )
    results: ClassVar[tuple[Port, ...]] = ports(
        "y: batch (channels multiplier) out_space", order="spatial"
    )
    letters: ClassVar[Mapping[str, str]] = {"channels": "I", "multiplier": "M"}

    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: Padding


@op
class SeparableConv(Op, frozen=True, kw_only=True):
    """A depthwise convolution, then one over its channels by a kernel of extent one.

    Attributes:
        strides: Steps of the depthwise part in input elements, per spatial axis.
        dilation: Distance of the depthwise kernel's taps in input elements.
        padding: Zeros before and after, for the depthwise part.
    """

    family: ClassVar[str] = "convolution"
    inputs: ClassVar[tuple[Port, ...]] = _SPATIAL_IN
    params: ClassVar[tuple[Port, ...]] = ports(
        "depthwise_kernel: kernel_space channels multiplier",
        "pointwise_kernel: (channels multiplier) filters",
        "bias?: filters",
    )
    results: ClassVar[tuple[Port, ...]] = _SPATIAL_OUT
    letters: ClassVar[Mapping[str, str]] = {"channels": "I", "multiplier": "M", "filters": "O"}

    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: Padding


@op
class ConvTranspose(Op, frozen=True, kw_only=True):
    """The transpose (gradient) of `Conv`: each input element adds a scaled kernel to the output.

    full[n, o, p * stride + k * dilation] += x[n, c, p] * kernel[k, c, o]; then cropped, plus bias.

    Attributes:
        strides: Steps in output elements, per spatial axis.
        dilation: Distance of kernel taps in output elements.
        cropping: Elements cut from the full result before and after; negative after means rows
            that only the bias reaches.
    """

    family: ClassVar[str] = "convolution"
    inputs: ClassVar[tuple[Port, ...]] = _SPATIAL_IN
    params: ClassVar[tuple[Port, ...]] = ports(
        "kernel: kernel_space channels filters", "bias?: filters"
    )
    results: ClassVar[tuple[Port, ...]] = _SPATIAL_OUT
    letters: ClassVar[Mapping[str, str]] = _LETTERS

    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    cropping: Pads


@op
class LocallyConnected(Op, frozen=True, kw_only=True):
    """A convolution whose kernel differs at each position; no padding.

    Attributes:
        strides: Steps in input elements, per spatial axis.
    """

    family: ClassVar[str] = "convolution"
    inputs: ClassVar[tuple[Port, ...]] = _SPATIAL_IN
    params: ClassVar[tuple[Port, ...]] = ports(
        "kernel: out_space kernel_space channels filters", "bias?: out_space filters"
    )
    results: ClassVar[tuple[Port, ...]] = _SPATIAL_OUT
    letters: ClassVar[Mapping[str, str]] = _LETTERS

    strides: tuple[int, ...]


def conv_extent(
    size: int | None, kernel: int, stride: int, dilation: int, pads: tuple[int, int]
) -> int | None:
    """Extent of a convolution's or a pool's result along one axis; None if the input's is."""
    if size is None:
        return None
    return (size + sum(pads) - ((kernel - 1) * dilation + 1)) // stride + 1
