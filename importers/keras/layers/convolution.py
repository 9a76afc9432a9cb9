"""Convolutions: plain, dilated, grouped, depthwise, separable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ....eras import padding as rules
from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, Layout, Term, Terms, fuse, size_of
from ....ir.op import Op
from ....ir.ops.convolution import (
    Conv,
    DepthwiseConv,
    GroupedConv,
    Padding,
    SeparableConv,
    conv_extent,
)
from ....ir.ops.shape import Reshape
from ..call import SPACE, LayerCall, Ports, one_or_many
from ..registry import Config, Slot, translates
from .activation import activate
from .factor import parted

Numbers = int | tuple[int, ...]


class ConvConfig(Config, frozen=True, kw_only=True):
    """What Conv1D, 2D and 3D read."""

    filters: int
    kernel_size: Numbers
    strides: Numbers = 1
    dilation_rate: Numbers = 1
    padding: Literal["valid", "same", "causal", "half", "full"] = "valid"
    data_format: str | None = None
    groups: int = 1
    use_bias: bool = True
    activation: Any = None


class DepthwiseConfig(Config, frozen=True, kw_only=True):
    """What DepthwiseConv2D reads; Keras 2.2 writes `filters: null` beside it."""

    kernel_size: Numbers
    strides: Numbers = 1
    dilation_rate: Numbers = 1
    padding: Literal["valid", "same"] = "valid"
    data_format: str | None = None
    depth_multiplier: int = 1
    use_bias: bool = True
    activation: Any = None
    filters: int | None = None
    groups: int | None = None


class SeparableConfig(Config, frozen=True, kw_only=True):
    """What SeparableConv1D and 2D read."""

    filters: int
    kernel_size: Numbers
    strides: Numbers = 1
    dilation_rate: Numbers = 1
    padding: Literal["valid", "same", "causal"] = "valid"
    data_format: str | None = None
    depth_multiplier: int = 1
    use_bias: bool = True
    activation: Any = None
    groups: int = 1


def kernel_bias(config: Any, era: str) -> Sequence[Slot]:
    """A kernel, and a bias if there is one."""
    return (Slot("kernel"), Slot("bias")) if config.use_bias else (Slot("kernel"),)


def separable_slots(config: Any, era: str) -> Sequence[Slot]:
    """Two kernels, and a bias if there is one."""
    kernels = (Slot("depthwise_kernel"), Slot("pointwise_kernel"))
    return (*kernels, Slot("bias")) if config.use_bias else kernels


class Window:
    """The geometry of a layer that slides a kernel over space.

    Attributes:
        rank: Spatial axes.
        ports: The input's axes.
        taps: The kernel's spatial axes.
        strides: Per spatial axis.
        dilation: Per spatial axis.
        padding: Elements before and after, or `same_upper` while they are not known.
        space: The result's spatial axes.
    """

    def __init__(
        self,
        call: LayerCall,
        x: Value,
        config: Any,
        rank: int,
        same: Mapping[str, rules.Rule] | None = None,
    ) -> None:
        self.rank = rank
        self.ports: Ports = call.spatial(x, form_of(config, rank), rank)
        kernel = one_or_many(config.kernel_size, rank, "kernel_size")
        self.strides = one_or_many(config.strides, rank, "strides")
        self.dilation = one_or_many(getattr(config, "dilation_rate", 1), rank, "dilation_rate")
        self.taps: Terms = tuple(Axis(r, n) for r, n in zip(SPACE[rank], kernel, strict=True))
        sizes = [size_of(term) for term in self.ports.space]
        if same is None:
            rule = rules.conv_rule(call.era.same, call.era.version, rank)
        else:
            rule = same[call.era.same]
        self.padding, extents = _padded(config.padding, rule, sizes, kernel, self)
        if any(extent is not None and extent < 1 for extent in extents):
            raise ConfigError(f"a kernel of {kernel} does not fit an input {x.layout}")
        self.space: Terms = tuple(Axis(r, n) for r, n in zip(SPACE[rank], extents, strict=True))

    def bindings(self, **own: Sequence[Term]) -> dict[str, Terms]:
        """The op's bindings: the input's, the kernel's, the result's and the layer's own."""
        return {
            **self.ports.bindings(),
            "kernel_space": self.taps,
            "out_space": self.space,
            **{name: tuple(terms) for name, terms in own.items()},
        }


def form_of(config: Any, rank: int) -> str | None:
    """A layer's data format as it states it; of one dimension, channels_last where it does not."""
    # Keras 1's Conv1D is channels_last and does not say so
    return (config.data_format or "channels_last") if rank == 1 else config.data_format


def _padded(
    mode: str,
    rule: rules.Rule,
    sizes: Sequence[int | None],
    kernel: tuple[int, ...],
    window: Window,
) -> tuple[Padding, list[int | None]]:
    pads: list[tuple[int, int]] = []
    strides, dilation = window.strides, window.dilation
    for size, k, s, d in zip(sizes, kernel, strides, dilation, strict=True):
        reach = (k - 1) * d
        found: tuple[int, int] | None
        if mode == "valid":
            found = (0, 0)
        elif mode == "causal":
            found = rules.causal(k, d)
        elif mode == "full":
            found = (reach, reach)
        elif mode == "half":
            found = ((reach + 1) // 2, (reach + 1) // 2)
        else:
            found = rule(size, k, s, d)
        if found is None:
            return "same_upper", [
                None if n is None else -(-n // t) for n, t in zip(sizes, strides, strict=True)
            ]
        pads.append(found)
    extents = [
        conv_extent(n, k, s, d, p)
        for n, k, s, d, p in zip(sizes, kernel, strides, dilation, pads, strict=True)
    ]
    return tuple(pads), extents


@translates("Conv1D", config=ConvConfig, slots=kernel_bias)
def conv1d(call: LayerCall, x: Value) -> Value:
    """Conv1D, and Keras 1's Convolution1D and AtrousConvolution1D."""
    return convolved(call, x, 1)


@translates("Conv2D", config=ConvConfig, slots=kernel_bias)
def conv2d(call: LayerCall, x: Value) -> Value:
    """Conv2D, and Keras 1's Convolution2D and AtrousConvolution2D."""
    return convolved(call, x, 2)


@translates("Conv3D", config=ConvConfig, slots=kernel_bias)
def conv3d(call: LayerCall, x: Value) -> Value:
    """Conv3D, and Keras 1's Convolution3D."""
    return convolved(call, x, 3)


def convolved(call: LayerCall, x: Value, rank: int) -> Value:
    """A convolution, in groups or not, by the kernel that the call has."""
    config: ConvConfig = call.config  # type: ignore[assignment]
    window = Window(call, x, config, rank)
    if config.groups > 1:
        alone = config.groups == size_of(window.ports.channels)
        return (_each_alone if alone else _grouped)(call, x, config, window)
    filters = Axis("C", config.filters)
    axes = window.bindings(filters=(filters,))
    op = Conv(strides=window.strides, dilation=window.dilation, padding=window.padding)
    return _finish(call, x, op, axes, window, filters, config)


def _in_groups(channels: int | None, config: ConvConfig) -> tuple[int, int]:
    """How many channels and filters a group has.

    Raises:
        ConfigError: The groups do not come out even.
    """
    if not channels or channels % config.groups or config.filters % config.groups:
        raise ConfigError(
            f"{channels} channels and {config.filters} filters in {config.groups} groups"
        )
    return channels // config.groups, config.filters // config.groups


def _each_alone(call: LayerCall, x: Value, config: ConvConfig, window: Window) -> Value:
    """As many groups as channels: a depthwise convolution, whose kernel lies as a grouped one's."""
    channels = window.ports.channels
    multiplier = Axis("M", _in_groups(size_of(channels), config)[1])
    axes = window.bindings(multiplier=(multiplier,))
    op = DepthwiseConv(strides=window.strides, dilation=window.dilation, padding=window.padding)
    made = fuse((channels, multiplier))
    params = {"kernel": call.tagged("kernel", [Layout((*window.taps, Axis("X", 1), made))])}
    if config.use_bias:
        params["bias"] = call.tagged("bias", [Layout((made,))])
    result = window.ports.placed(made, window.space)
    y = call.add(op, [x], result, axes=axes, params=params).result
    return activate(call, y, config.activation)


def _grouped(call: LayerCall, x: Value, config: ConvConfig, window: Window) -> Value:
    """A convolution in groups, whose results are a run of filters for each.

    Channels that are made of others groups are first seen as one axis, in the author's order.
    """
    own, filters_each = _in_groups(size_of(window.ports.channels), config)
    parts = parted(call.builder.splits, window.ports.channels, config.groups)
    if parts is None:
        plain = Axis("C", config.groups * own)
        axes = window.ports.placed(plain, window.ports.space)
        x = call.add(Reshape(), [x], axes, part="channels").result
        window = Window(call, x, config, len(window.ports.space))
        parts = parted(call.builder.splits, plain, config.groups)
        assert parts is not None  # of one axis
    groups, inner = parts
    filters = Axis("C", filters_each)
    axes_of = window.bindings(groups=groups, in_group=inner, filters=(filters,))
    op = GroupedConv(strides=window.strides, dilation=window.dilation, padding=window.padding)
    return _finish(call, x, op, axes_of, window, fuse((*groups, filters)), config)


def depthwise_slots(config: Any, era: str) -> Sequence[Slot]:
    """A kernel, and a bias if there is one."""
    kernel = Slot("depthwise_kernel")
    return (kernel, Slot("bias")) if config.use_bias else (kernel,)


@translates("DepthwiseConv1D", config=DepthwiseConfig, slots=depthwise_slots)
def depthwise_conv1d(call: LayerCall, x: Value) -> Value:
    """DepthwiseConv1D (tf.keras and Keras 3)."""
    return convolved_depthwise(call, x, 1)


@translates("DepthwiseConv2D", config=DepthwiseConfig, slots=depthwise_slots)
def depthwise_conv2d(call: LayerCall, x: Value) -> Value:
    """DepthwiseConv2D."""
    return convolved_depthwise(call, x, 2)


def convolved_depthwise(call: LayerCall, x: Value, rank: int) -> Value:
    """A depthwise convolution by the kernel that the call has."""
    config: DepthwiseConfig = call.config  # type: ignore[assignment]
    window = Window(call, x, config, rank)
    multiplier = Axis("M", config.depth_multiplier)
    axes = window.bindings(multiplier=(multiplier,))
    op = DepthwiseConv(strides=window.strides, dilation=window.dilation, padding=window.padding)
    channels = fuse((window.ports.channels, multiplier))
    return _finish(call, x, op, axes, window, channels, config, kernel="depthwise_kernel")


@translates("SeparableConv1D", config=SeparableConfig, slots=separable_slots)
def separable_conv1d(call: LayerCall, x: Value) -> Value:
    """SeparableConv1D."""
    return convolved_separably(call, x, 1)


@translates("SeparableConv2D", config=SeparableConfig, slots=separable_slots)
def separable_conv2d(call: LayerCall, x: Value) -> Value:
    """SeparableConv2D, and Keras 1's SeparableConvolution2D."""
    return convolved_separably(call, x, 2)


def convolved_separably(call: LayerCall, x: Value, rank: int) -> Value:
    """A separable convolution by the two kernels that the call has."""
    config: SeparableConfig = call.config  # type: ignore[assignment]
    window = Window(call, x, config, rank, rules.SEPARABLE)
    multiplier, filters = Axis("M", config.depth_multiplier), Axis("C", config.filters)
    axes = window.bindings(multiplier=(multiplier,), filters=(filters,))
    op = SeparableConv(strides=window.strides, dilation=window.dilation, padding=window.padding)
    form = form_of(config, rank)
    params = {
        port: call.param(SeparableConv, port, axes, rank=rank, data_format=form)
        for port in ("depthwise_kernel", "pointwise_kernel", "bias")
    }
    result = window.ports.placed(filters, window.space)
    y = call.add(op, [x], result, axes=axes, params=params).result
    return activate(call, y, config.activation)


def _finish(
    call: LayerCall,
    x: Value,
    op: Op,
    axes: Mapping[str, Terms],
    window: Window,
    channels: Term,
    config: Any,
    kernel: str = "kernel",
) -> Value:
    """The node of a convolution with one kernel, its bias, and the activation behind it."""
    form = form_of(config, window.rank)
    params = {
        "kernel": call.param(
            type(op), "kernel", axes, rank=window.rank, data_format=form, slot=kernel
        ),
        "bias": call.param(type(op), "bias", axes, rank=window.rank, data_format=form),
    }
    result = window.ports.placed(channels, window.space)
    y = call.add(op, [x], result, axes=axes, params=params).result
    return activate(call, y, config.activation)
