"""Transposed convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ....eras import padding as rules
from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, Terms, size_of
from ....ir.ops.convolution import ConvTranspose
from ..call import SPACE, LayerCall, Ports, one_or_many
from ..registry import Config, translates
from .activation import activate
from .convolution import Numbers, kernel_bias

STAND_IN = 64
"""An extent to compute with where the input's is open."""


class TransposedConfig(Config, frozen=True, kw_only=True):
    """What Conv2DTranspose and Conv3DTranspose read, and Keras 1's Deconvolution2D."""

    filters: int
    kernel_size: Numbers
    strides: Numbers = 1
    dilation_rate: Numbers = 1
    padding: Literal["valid", "same"] = "valid"
    output_padding: Numbers | None = None
    output_shape: tuple[int | None, ...] | None = None
    data_format: str | None = None
    use_bias: bool = True
    activation: Any = None
    groups: int = 1


@translates("Conv1DTranspose", config=TransposedConfig, slots=kernel_bias)
def conv1d_transpose(call: LayerCall, x: Value) -> Value:
    """Conv1DTranspose (tf.keras and Keras 3)."""
    return convolved_back(call, x, 1)


@translates("Conv2DTranspose", config=TransposedConfig, slots=kernel_bias)
def conv2d_transpose(call: LayerCall, x: Value) -> Value:
    """Conv2DTranspose, and Keras 1's Deconvolution2D."""
    return convolved_back(call, x, 2)


@translates("Conv3DTranspose", config=TransposedConfig, slots=kernel_bias)
def conv3d_transpose(call: LayerCall, x: Value) -> Value:
    """Conv3DTranspose."""
    return convolved_back(call, x, 3)


def convolved_back(call: LayerCall, x: Value, rank: int) -> Value:
    """A transposed convolution by the kernel that the call has."""
    config: TransposedConfig = call.config  # type: ignore[assignment]
    ports = call.spatial(x, config.data_format, rank)
    kernel = one_or_many(config.kernel_size, rank, "kernel_size")
    strides = one_or_many(config.strides, rank, "strides")
    dilation = one_or_many(config.dilation_rate, rank, "dilation_rate")
    known = [size_of(term) for term in ports.space]
    if config.output_shape is not None and None in known:
        raise ConfigError(
            f"a transposed convolution with an output_shape over an input {x.layout}",
            hint="state the extents in the model's input",
        )
    # what is cut is the same for every extent: that of the result grows by one stride with it
    sizes = [STAND_IN if size is None else size for size in known]
    wanted = _extents(config, ports, sizes, kernel, strides, dilation)
    cropping = tuple(
        rules.transposed_crop(n, k, s, d, config.padding, out, call.era.same)
        for n, k, s, d, out in zip(sizes, kernel, strides, dilation, wanted, strict=True)
    )
    taps: Terms = tuple(Axis(r, n) for r, n in zip(SPACE[rank], kernel, strict=True))
    made = [out if n is not None else None for n, out in zip(known, wanted, strict=True)]
    space: Terms = tuple(Axis(r, n) for r, n in zip(SPACE[rank], made, strict=True))
    filters = Axis("C", config.filters)
    axes = {
        **ports.bindings(), "kernel_space": taps, "out_space": space, "filters": (filters,),
    }  # fmt: skip
    params = {
        port: call.param(ConvTranspose, port, axes, rank=rank, data_format=config.data_format)
        for port in ("kernel", "bias")
    }
    op = ConvTranspose(strides=strides, dilation=dilation, cropping=cropping)
    y = call.add(op, [x], ports.placed(filters, space), axes=axes, params=params).result
    return activate(call, y, config.activation)


def _extents(
    config: TransposedConfig,
    ports: Ports,
    sizes: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
) -> list[int]:
    """Extents of the result: stated by Keras 1, else by the rule of Keras 2."""
    if config.output_shape is not None:
        stated = config.output_shape[1:]
        inner = stated[1:] if ports.channels_first else stated[:-1]
        if len(inner) != len(sizes) or any(n is None for n in inner):
            raise ConfigError(f"output_shape is {config.output_shape!r}")
        return [int(n or 0) for n in inner]
    extra = config.output_padding
    if extra is None:
        return [
            rules.transposed_extent(n, (k - 1) * d + 1, s, config.padding) or 0
            for n, k, s, d in zip(sizes, kernel, strides, dilation, strict=True)
        ]
    more = tuple(extra) if isinstance(extra, tuple) else (extra,) * len(sizes)
    if len(more) != len(sizes):
        raise ConfigError(f"output_padding is {extra!r}")
    found = []
    for n, k, s, d, o in zip(sizes, kernel, strides, dilation, more, strict=True):
        reach = (k - 1) * d + 1
        pad = reach // 2 if config.padding == "same" else 0
        found.append((n - 1) * s + reach - 2 * pad + o)
    return found
