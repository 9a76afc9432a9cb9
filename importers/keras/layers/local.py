"""LocallyConnected1D and 2D: convolutions whose kernel differs from place to place."""

from __future__ import annotations

import math
from typing import Any, Literal

from msgspec.structs import replace

from ....errors import ConfigError
from ....ir.connections import Connections
from ....ir.graph import Value
from ....ir.layout import Axis, Layout, Terms, fuse, size_of
from ....ir.ops.convolution import LocallyConnected, Pads
from ....ir.ops.pooling import ZeroPad
from ....ir.source import GatheredSource
from ....ir.tensor import Param, Stored
from ..call import SPACE, LayerCall, one_or_many
from ..registry import Config, translates
from .activation import activate
from .convolution import Numbers, Window, form_of, kernel_bias

DENSE = 2
"""The `implementation` that stores all pairs of an input and an output."""


class LocalConfig(Config, frozen=True, kw_only=True):
    """What LocallyConnected1D and 2D read.

    `implementation`, of tf.keras, says how the kernel is stored: see `ir.connections`.
    """

    filters: int
    kernel_size: Numbers
    strides: Numbers = 1
    padding: Literal["valid", "same"] = "valid"
    data_format: str | None = None
    use_bias: bool = True
    activation: Any = None
    implementation: Literal[1, 2, 3] = 1


@translates("LocallyConnected1D", config=LocalConfig, slots=kernel_bias)
def locally_connected1d(call: LayerCall, x: Value) -> Value:
    """LocallyConnected1D."""
    return _local(call, x, 1)


@translates("LocallyConnected2D", config=LocalConfig, slots=kernel_bias)
def locally_connected2d(call: LayerCall, x: Value) -> Value:
    """LocallyConnected2D."""
    return _local(call, x, 2)


def _local(call: LayerCall, x: Value, rank: int) -> Value:
    """The patch is `(channels kernel_space)` in channels_first, else `(kernel_space channels)`."""
    config: LocalConfig = call.config  # type: ignore[assignment]
    pads = ((0, 0),) * rank
    if config.padding == "same":
        x, pads = _padded(call, x, config, rank)
    window = Window(call, x, replace(config, padding="valid"), rank)
    filters = Axis("C", config.filters)
    channels, taps, space = window.ports.channels, window.taps, window.space
    first = window.ports.channels_first
    patch = fuse((channels, *taps) if first else (*taps, channels))
    whole = Layout((fuse(space), patch, filters))
    y = call.add(
        LocallyConnected(strides=window.strides),
        [x],
        window.ports.placed(filters, space),
        axes=window.bindings(filters=(filters,)),
        params={
            "kernel": call.tagged("kernel", [whole])
            if config.implementation == 1
            else _gathered(call, config.implementation, whole, _connections(window, pads, filters)),
            "bias": _bias(call, space, filters, first) if config.use_bias else None,
        },
    ).result
    return activate(call, y, config.activation)


def _padded(call: LayerCall, x: Value, config: LocalConfig, rank: int) -> tuple[Value, Pads]:
    """The input between zeros, so that as many windows fit as there are strides in it.

    Half of a kernel stands before the input, whatever the strides, unlike in a convolution
    (tf-keras 2.21 `utils/conv_utils.py`, `conv_connected_inputs`).
    """
    ports = call.spatial(x, form_of(config, rank), rank)
    kernel = one_or_many(config.kernel_size, rank, "kernel_size")
    strides = one_or_many(config.strides, rank, "strides")
    pads, space = [], []
    for role, size, k, stride in zip(
        SPACE[rank], _sizes(ports.space), kernel, strides, strict=True
    ):
        before = k // 2
        reached = (-(-size // stride) - 1) * stride + k
        pads.append((before, max(0, reached - before - size)))
        space.append(Axis(role, size + sum(pads[-1])))
    axes = {**ports.bindings(), "out_space": tuple(space)}
    placed = ports.placed(ports.channels, space)
    node = call.add(ZeroPad(padding=tuple(pads)), [x], placed, axes=axes, part="padding")
    return node.result, tuple(pads)


def _sizes(space: Terms) -> tuple[int, ...]:
    """Extents along space.

    Raises:
        ConfigError: One is not known.
    """
    sizes = tuple(size for term in space if (size := size_of(term)) is not None)
    if len(sizes) < len(space):
        raise ConfigError("a locally connected layer over an extent that is not known")
    return sizes


def _connections(window: Window, pads: Pads, filters: Axis) -> Connections:
    inputs = zip(_sizes(window.ports.space), pads, strict=True)
    return Connections(
        inputs=tuple(size - sum(more) for size, more in inputs),
        outputs=_sizes(window.space),
        taps=_sizes(window.taps),
        strides=window.strides,
        before=tuple(before for before, _ in pads),
        channels=_sizes((window.ports.channels,))[0],
        filters=filters.size or 0,
        channels_first=window.ports.channels_first,
    )


def _gathered(call: LayerCall, implementation: int, whole: Layout, connected: Connections) -> Param:
    """A kernel that is stored as a matrix, dense or sparse, as the layer's kernel.

    Raises:
        WeightError: The array has another shape.
    """
    dense = implementation == DENSE
    stored = call.stored["kernel"]
    if math.prod(connected.outputs) > math.prod(stored.source.shape):  # each has an input at least
        raise call.misfit("kernel", whole)
    shape = connected.dense_shape if dense else (connected.count,)
    if stored.source.shape != shape:
        raise call.misfit("kernel", Layout(tuple(Axis("K", size) for size in shape)))
    places = connected.dense if dense else connected.sparse
    source = GatheredSource(stored.source, connected.shape, places)
    return Param(call.made("kernel", "kernel", [source], [stored.name]), (Stored(whole),))


def _bias(call: LayerCall, space: Terms, filters: Axis, channels_first: bool) -> Param:
    """In channels_first it is stored under a shape that lies: its numbers are `filters out_space`.

    Source: Keras 1.2.2 and 2.2.4 `LocallyConnected2D.call`, tf-keras 2.21 `backend.bias_add`.
    """
    shown = Layout((*space, filters))
    if not channels_first:
        return call.tagged("bias", [shown])
    if call.stored["bias"].source.shape != shown.shape:
        raise call.misfit("bias", shown)
    return Param(call.weight("bias", ("bias",)), (Stored(Layout((filters, *space))),))
