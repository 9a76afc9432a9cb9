"""Convolutions as operations: the layers of that name, with constants for their weights.

Kernels lie in every function as in the layer: the taps first, then the channels of the input, then
those of the result (a transposed one has these two the other way round). Sources: TensorFlow 2.21
`python/ops/nn_ops.py`, `nn_impl.py`; Keras 3.15 `ops/nn.py` (`Conv`, `DepthwiseConv`,
`SeparableConv`, whose `ConvTranspose` fails wherever a model runs it); genuine runs of both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import size_of
from ....ir.ops.convolution import Pads
from ....ir.source import Source
from ..archive.record import StoredWeight
from ..call import SPACE, LayerCall
from ..constants import MOST, array, number
from ..slots import Config, Slot
from . import tensors
from .arrangement import padded
from .composed_places import floating
from .convolution import (
    ConvConfig,
    DepthwiseConfig,
    SeparableConfig,
    convolved,
    convolved_depthwise,
    convolved_separably,
)
from .operands import Arguments, Kind, data_format, for_space, kind, numbers, tensor
from .pooling import zero_padded
from .transposed import TransposedConfig, convolved_back


class Filter:
    """What a convolution as an operation is told.

    Attributes:
        x: Its image, padded where the file says how far.
        kernels: The constants, in order.
        rank: Axes of space.
        told: What every such layer's configuration says.
    """

    def __init__(
        self, call: LayerCall, operands: Sequence[Any], arguments: Arguments, count: int
    ) -> None:
        x, *constants = operands
        if not isinstance(x, Value) or any(isinstance(one, Value) for one in constants):
            raise ConfigError("a convolution by a kernel that is computed")
        if len(constants) != count:
            raise ConfigError(f"a convolution by {len(constants)} kernels")
        self.rank = len(call.axes(x)) - call.batch - 1
        self.kernels = [array(one) for one in constants]
        if self.rank not in SPACE or any(len(k.shape) != self.rank + 2 for k in self.kernels):
            raise ConfigError(f"kernels of {[k.shape for k in self.kernels]} over {x.layout}")
        form, x = data_format(arguments), floating(call, x)
        self.ports = call.spatial(x, form, self.rank)
        stated = arguments.get("padding") or "valid"
        if isinstance(stated, list):
            pads = _around(stated, self.rank, channels_first=self.ports.channels_first)
            x, stated = zero_padded(call, x, pads, self.ports, "padded"), "valid"
            self.ports = call.spatial(x, form, self.rank)
        padding = str(stated).lower()
        if padding not in {"valid", "same"}:
            raise ConfigError(f"a convolution padded {stated!r:.80}")
        self.x = x
        strides, dilation = (
            for_space(
                arguments.get(name), self.rank, (1,), channels_first=self.ports.channels_first
            )
            for name in ("strides", "dilation_rate")
        )
        self.told: dict[str, Any] = {
            "kernel_size": self.kernels[0].shape[: self.rank],
            "strides": strides,
            "dilation_rate": dilation,
            "padding": padding,
            "data_format": form,
            "use_bias": False,
        }

    @property
    def channels(self) -> int:
        """How many the image has.

        Raises:
            ConfigError: That is open.
        """
        found = size_of(self.ports.channels)
        if not found:
            raise ConfigError(f"a convolution over an input {self.x.layout}")
        return found


def _around(stated: Sequence[Any], rank: int, *, channels_first: bool) -> Pads:
    """Zeros around the space, as TensorFlow states them: a pair for every axis.

    Raises:
        ConfigError: They are no such pairs, or there are some for the batch or the channels.
    """
    pairs = tuple(tuple(numbers(pair, ())) for pair in stated)
    if len(pairs) != rank + 2 or any(len(pair) != 2 or min(pair) < 0 for pair in pairs):
        raise ConfigError(f"a convolution padded {stated!r:.80}")
    lead = 2 if channels_first else 1
    if any(map(any, pairs[:lead] + pairs[lead + rank :])):
        raise ConfigError(f"a convolution padded {pairs}, over more than the space")
    return tuple((pair[0], pair[1]) for pair in pairs[lead : lead + rank])


def _layer(call: LayerCall, config: Config, **kernels: Source) -> LayerCall:
    """The same call as of a layer that has these kernels, which no training changes."""
    found = call.inner(call.layer)
    found.config = config
    found.slots = tuple(Slot(name, trainable=False) for name in kernels)
    found.stored = {name: StoredWeight(name, name, source) for name, source in kernels.items()}
    return found


def _conv(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """`conv`: in groups where the kernel has fewer channels than the image."""
    found = Filter(call, operands, arguments, 1)
    (kernel,) = found.kernels
    *_, own, filters = kernel.shape
    config = ConvConfig(filters=filters, groups=found.channels // max(own, 1), **found.told)
    return convolved(_layer(call, config, kernel=kernel), found.x, found.rank)


def _depthwise(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    found = Filter(call, operands, arguments, 1)
    (kernel,) = found.kernels
    config = DepthwiseConfig(depth_multiplier=kernel.shape[-1], **found.told)
    layer = _layer(call, config, depthwise_kernel=kernel)
    return convolved_depthwise(layer, found.x, found.rank)


def _separable(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    found = Filter(call, operands, arguments, 2)
    depthwise, pointwise = found.kernels
    config = SeparableConfig(
        filters=pointwise.shape[-1], depth_multiplier=depthwise.shape[-1], **found.told
    )
    layer = _layer(call, config, depthwise_kernel=depthwise, pointwise_kernel=pointwise)
    return convolved_separably(layer, found.x, found.rank)


def _transposed(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """`conv2d_transpose` of TensorFlow, which is told the shape of its result."""
    found = Filter(call, operands, arguments, 1)
    (kernel,) = found.kernels
    stated: Any = arguments.get("output_shape")
    if not isinstance(stated, list):
        raise ConfigError("a transposed convolution to a shape that is computed")
    shape = (None, *stated[1:])
    config = TransposedConfig(filters=kernel.shape[-2], output_shape=shape, **found.told)
    return convolved_back(_layer(call, config, kernel=kernel), found.x, found.rank)


# ---- filters of images ---------------------------------------------------------------------------


def _each_channel(
    call: LayerCall, x: Value, filters: Sequence[Any], padding: str, form: str
) -> Value:
    """Each channel by the same small square filters, each a list of rows."""
    channels = size_of(call.spatial(x, form, 2).channels)
    if not channels or channels * len(filters) * len(filters[0]) ** 2 > MOST:
        raise ConfigError(f"a filter over each channel of an image {x.layout}")
    rows = (zip(*each, strict=True) for each in zip(*filters, strict=True))
    kernel = [[[list(taps)] * channels for taps in row] for row in rows]
    told = {"padding": padding, "data_format": form}
    return _depthwise(call, (x, kernel), told)


def _bell(size: int, sigma: float) -> list[float]:
    """Heights of a normal distribution, of sum one."""
    powers = [-0.5 * ((n - (size - 1) / 2) / sigma) ** 2 for n in range(size)]
    heights = [math.exp(power - max(powers)) for power in powers]
    return [height / sum(heights) for height in heights]


def _blur(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """`gaussian_blur`: of unlike extents each backend of Keras makes another kernel."""
    x, sizes = tensor(operands), for_space(arguments.get("kernel_size"), 2, (3, 3))
    stated = arguments.get("sigma") or (1.0, 1.0)
    sigmas = [number(one) or 0.0 for one in stated] if isinstance(stated, (list, tuple)) else []
    least, most = DEVIATIONS
    if len(sigmas) != 2 or not all(least <= one <= most for one in sigmas):
        raise ConfigError(f"a blur by {stated!r:.80}")
    if not sizes[0] == sizes[1] <= MOST_TAPS:
        raise ConfigError(f"a blur of {sizes} pixels")
    across, down = (_bell(size, one) for size, one in zip(sizes, sigmas, strict=True))
    kernel = [[one * other for other in across] for one in down]
    return _each_channel(call, x, [kernel], "same", data_format(arguments))


MOST_TAPS = 1 << 8
"""Along one axis of a blur."""

DEVIATIONS = (1e-6, 1e6)
"""The least and the most of a blur, in pixels."""

SOBEL = (
    ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
)
"""Differences along rows and along columns (TensorFlow 2.21 `image_ops_impl.py` `sobel_edges`)."""


def _edges(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """`sobel_edges`: two numbers for each channel, on an axis of their own."""
    x, form = tensor(operands), data_format(arguments)
    if form != "channels_last" or call.batch != 1:
        raise ConfigError("edges of an image in channels_first")
    x = padded(call, x, [(0, 0), (1, 1), (1, 1), (0, 0)], "reflect")
    y = _each_channel(call, x, SOBEL, "valid", form)
    rows, columns, numbers_each = (size_of(term) for term in call.axes(y)[1:])
    if rows is None or columns is None or numbers_each is None:
        raise ConfigError(f"edges of an image {x.layout}")
    return tensors.reshaped(call, y, (rows, columns, numbers_each // 2, 2), "pairs")


_WINDOW = ("strides", "padding", "data_format", "dilation_rate")

OF_FILTERS: Mapping[str, Kind] = {
    "conv": kind(_conv, *_WINDOW),
    "depthwise_conv": kind(_depthwise, *_WINDOW),
    "separable_conv": kind(_separable, *_WINDOW),
    "conv_transpose": kind(_transposed, "output_shape", *_WINDOW),
    "gaussian_blur": kind(_blur, "kernel_size", "sigma", "data_format"),
    "sobel_edges": kind(_edges, "data_format"),
}
"""By the name that the tables of `eras` use."""
