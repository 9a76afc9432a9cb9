"""Operations that compute what layers compute: pools and normalizations, with what they are told.

One function for each kind, of its operands and its other arguments, which are called as Keras 3
calls them. Source of each formula: Keras 3.15 `ops/nn.py`; `tf.image`, `tf.nn` of TensorFlow 2.21.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import size_of
from ....ir.ops.activation import Power
from ....ir.ops.pooling import AveragePool, MaxPool
from ..call import SPACE, LayerCall, one_or_many
from ..constants import number
from . import tensors
from .adaptive import adapted
from .arithmetic import combined
from .composed_places import floating
from .operands import Arguments, Kind, Operation, kind, numbers, tensor
from .pooling import pooled
from .scaling import affine

FUZZ = 1e-7
"""What Keras 3 takes for an epsilon that is not stated (3.15 `backend/config.py`)."""


def _rank(call: LayerCall, x: Value) -> int:
    """How many axes of space an image has.

    Raises:
        ConfigError: It has none, or too many.
    """
    rank = len(call.axes(x)) - call.batch - 1
    if rank not in SPACE:
        raise ConfigError(f"a pool over an input {x.layout}")
    return rank


def _pool(largest: type[MaxPool | AveragePool]) -> Operation:
    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        x = floating(call, tensor(operands))
        rank, padding = _rank(call, x), str(arguments.get("padding") or "valid").lower()
        window = one_or_many(_single(numbers(arguments.get("pool_size"), ())), rank, "pool_size")
        stated = numbers(arguments.get("strides"))
        steps = window if stated is None else one_or_many(_single(stated), rank, "strides")
        if padding not in {"valid", "same"}:
            raise ConfigError(f"a pool padded by {padding!r:.80}")
        ports = call.spatial(x, arguments.get("data_format") or "channels_last", rank)
        return pooled(call, x, largest, window, steps, padding, ports)  # type: ignore[arg-type]

    return translate


def _single(stated: tuple[int, ...]) -> Any:
    """One number for all axes as such."""
    return stated[0] if len(stated) == 1 else stated


def _adaptive(*, largest: bool) -> Operation:
    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        x = floating(call, tensor(operands))
        size = _single(numbers(arguments.get("output_size"), ()))
        return adapted(call, x, size, arguments.get("data_format"), _rank(call, x), largest=largest)

    return translate


# ---- normalizations ------------------------------------------------------------------------------


def _root(call: LayerCall, x: Value, least: float) -> Value:
    """The root of a number and an epsilon."""
    raised = affine(call, x, 1.0, least)
    return call.add(Power(exponent=0.5), [raised], call.axes(raised), part="root").result


def _told(call: LayerCall, y: Value, name: str, by: Any) -> Value:
    return y if by is None else combined(call, name, y, by)


def _of_each(*, centred: bool) -> Operation:
    """`layer_normalization` and `rms_normalization`, along the last axes."""

    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        x, *told = operands
        epsilon, axes = number(arguments.get("epsilon")), numbers(arguments.get("axis"), (-1,))
        if not isinstance(x, Value) or arguments.get("rms_scaling"):
            raise ConfigError("a normalization of a constant, or of another kind")
        scale, offset = (*told, arguments.get("gamma", arguments.get("scale")), None)[:2]
        offset = arguments.get("beta") if offset is None else offset
        rank = len(call.axes(x))
        if sorted(n % rank for n in axes) != list(range(rank - len(axes), rank)):
            raise ConfigError("a normalization along other axes than the last")
        x = floating(call, x)
        if centred:
            mean = tensors.reduced(call, x, "mean", axes, keepdims=True, part="mean")
            x = combined(call, "subtract", x, mean)
        square = combined(call, "multiply", x, x)
        size = tensors.reduced(call, square, "mean", axes, keepdims=True, part="size")
        y = combined(call, "divide", x, _root(call, size, FUZZ if epsilon is None else epsilon))
        return _told(call, _told(call, y, "multiply", scale), "add", offset)

    return translate


def _of_all(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """`batch_normalization`, along the last axis, by statistics that are told."""
    keys = ("mean", "variance", "offset", "scale")
    x, *told = operands
    mean, variance, offset, scale = (
        told[n] if n < len(told) else arguments.get(key) for n, key in enumerate(keys)
    )
    epsilon = number(arguments.get("epsilon"))
    if not isinstance(x, Value) or mean is None or not isinstance(variance, list):
        raise ConfigError("a batch_normalization by other statistics than are stated")
    if numbers(arguments.get("axis"), (-1,)) not in {(-1,), (len(call.axes(x)) - 1,)}:
        raise ConfigError("a batch_normalization along another axis than the last")
    least = 1e-3 if epsilon is None else epsilon
    roots = [math.sqrt(float(one) + least) for one in variance]
    y = combined(call, "divide", combined(call, "subtract", floating(call, x), mean), roots)
    return _told(call, _told(call, y, "multiply", scale), "add", offset)


def _standard(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """`tf.image.per_image_standardization`: the deviation counts as a least one, too."""
    x = floating(call, tensor(operands))
    sizes = [size_of(term) for term in call.axes(x)[-3:]]
    if len(sizes) < 3 or None in sizes:
        raise ConfigError("an image of unknown size")
    count = math.prod(size or 0 for size in sizes)
    axes = (-3, -2, -1)
    mean = tensors.reduced(call, x, "mean", axes, keepdims=True, part="mean")
    apart = tensors.reduced(call, x, "std", axes, keepdims=True, part="deviation")
    least = combined(call, "maximum", apart, 1 / math.sqrt(count))
    return combined(call, "divide", combined(call, "subtract", x, mean), least)


_WINDOW = ("pool_size", "strides", "padding", "data_format")

COMPOSED_LAYERS: Mapping[str, Kind] = {
    "pool_mean": kind(_pool(AveragePool), *_WINDOW),
    "pool_largest": kind(_pool(MaxPool), *_WINDOW),
    "adaptive_mean": kind(_adaptive(largest=False), "output_size", "data_format"),
    "adaptive_largest": kind(_adaptive(largest=True), "output_size", "data_format"),
    "layer_norm": kind(_of_each(centred=True), "axis", "epsilon", "rms_scaling", "gamma", "beta"),
    "rms_norm": kind(_of_each(centred=False), "axis", "epsilon", "scale"),
    "batch_norm": kind(_of_all, "axis", "epsilon", "mean", "variance", "offset", "scale"),
    "standardize_image": kind(_standard),
}
"""By the name that the tables of `eras` use."""
