"""Layers that multiply and add what is not learnt: Rescaling, Normalization; and LayerScale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, Layout, Term, Terms, size_of
from ....ir.ops.activation import Affine
from ....ir.ops.merge import Add
from ....ir.ops.normalization import BatchNorm
from ....ir.source import ConstantSource, MappedSource, Source
from ....ir.tensor import Param, Stored, Weight
from ..call import LayerCall, learn_sizes
from ..constants import array, number
from ..registry import Config, Slot, translates
from .merge import merged

SMALLEST_DEVIATION = 1e-7
"""What Normalization divides by at least: the `epsilon` of the backend."""


class RescalingConfig(Config, frozen=True, kw_only=True):
    """What Rescaling reads."""

    scale: Any
    offset: Any = 0.0


class NormalizationConfig(Config, frozen=True, kw_only=True):
    """What Normalization reads; mean and variance are stored unless they are stated."""

    axis: int | tuple[int, ...] | None = -1
    mean: Any = None
    variance: Any = None
    invert: bool = False


class ResidualConfig(Config, frozen=True, kw_only=True):
    """What CustomScaleLayer of InceptionResNetV2 reads."""

    scale: float


class LayerScaleConfig(Config, frozen=True, kw_only=True):
    """What LayerScale of ConvNeXt reads."""

    projection_dim: int
    init_values: Any = None


def affine(call: LayerCall, x: Value, scale: Any, offset: Any, part: str = "") -> Value:
    """The node for scale * x + offset, as NumPy broadcasts them; constants as configurations say.

    Raises:
        ConfigError: They are no numbers, or do not broadcast to the input's shape.
    """
    a, b = number(scale), number(offset)
    dtypes = ("float32",)
    if a is not None and b is not None:
        op = Affine(scale=a, offset=b)
        return call.add(op, [x], call.axes(x), part=part, dtypes=dtypes).result
    sources = {
        name: array(value) for name, value, one in (("gamma", scale, a), ("beta", offset, b))
        if one is None
    }  # fmt: skip
    spans = {name: _span(call, x, source.shape) for name, source in sources.items()}
    if len(set(spans.values())) > 1:
        raise ConfigError("a scale and an offset along different axes")
    span = next(iter(spans.values()))
    params = {name: _constant(call, name, span, source) for name, source in sources.items()}
    if a not in (None, 1.0) or b not in (None, 0.0):
        fixed = {"gamma": a, "beta": b}
        params |= {k: _filled(call, k, span, v) for k, v in fixed.items() if v is not None}
    return _scaled(call, x, span, params, part)


def _span(call: LayerCall, x: Value, shape: Sequence[int]) -> Terms:
    """The axes of an input that an array of this shape runs along."""
    axes = call.axes(x)
    if len(shape) > len(axes):
        raise ConfigError(f"a constant of shape {tuple(shape)} for an input {x.layout}")
    found: list[Term] = []
    for term, extent in zip(reversed(axes), reversed(shape), strict=False):
        if extent == 1:
            continue
        if size_of(term) != extent:
            raise ConfigError(f"a constant of shape {tuple(shape)} for an input {x.layout}")
        found.append(term)
    return tuple(reversed(found))


def _scaled(
    call: LayerCall, x: Value, span: Terms, params: dict[str, Param], part: str = ""
) -> Value:
    """A normalization by a mean of 0 and a variance of 1 where no others are given."""
    params.setdefault("mean", _filled(call, "mean", span, 0.0))
    params.setdefault("variance", _filled(call, "variance", span, 1.0))
    op = BatchNorm(epsilon=0.0)
    node = call.add(
        op, [x], call.axes(x), axes={"axis": span}, params=params, part=part, dtypes=("float32",)
    )
    return node.result


def _filled(call: LayerCall, name: str, span: Terms, value: float) -> Param:
    shape = tuple(size_of(term) or 0 for term in span)
    return _constant(call, name, span, ConstantSource(value, shape))


def _constant(call: LayerCall, name: str, span: Terms, source: Source) -> Param:
    weight = Weight(f"{call.name}/{name}", (source,), trainable=False)
    return Param(weight, (Stored(Layout(span)),))


@translates("Rescaling", config=RescalingConfig)
def rescaling(call: LayerCall, x: Value) -> Value:
    """Rescaling; a scale of several numbers runs along the channels.

    Source: Keras 3.15 `layers/preprocessing/rescaling.py`: a scale is shaped to stand before the
    spatial axes where channels_first is in force, an offset never is.
    """
    config: RescalingConfig = call.config  # type: ignore[assignment]
    scale = config.scale
    if isinstance(scale, (list, tuple)) and call.era.ordering == "channels_first":
        behind = 3 - len(array(scale).shape)
        for _ in range(behind):
            scale = _each_alone(scale)
    return affine(call, x, scale, config.offset)


def _each_alone(value: Any) -> Any:
    """Nested lists with one more axis of size one behind the others."""
    return [_each_alone(item) for item in value] if isinstance(value, (list, tuple)) else [value]


def _stored_statistics(config: Any, era: str) -> Sequence[Slot]:
    names = ("mean", "variance", "count") if config.mean is None else ()
    return tuple(Slot(name, trainable=False) for name in names)


@translates("Normalization", config=NormalizationConfig, slots=_stored_statistics)
def normalization(call: LayerCall, x: Value) -> Value:
    """Normalization: (x - mean) / max(sqrt(variance), 1e-7), or the other way round.

    Source: Keras 3.15 `layers/preprocessing/normalization.py` `call`.
    """
    config: NormalizationConfig = call.config  # type: ignore[assignment]
    if number(config.mean) is not None:
        return _by_one_number(call, x, config)
    stated = config.axis if isinstance(config.axis, tuple) else (config.axis,)
    stated = () if config.axis is None else stated
    numbers = sorted(n % len(call.axes(x)) for n in stated if n is not None)
    span = tuple(call.axis(x, n) for n in numbers)
    sources: dict[str, Source] = (
        {name: call.stored[name].source for name in ("mean", "variance")}
        if config.mean is None
        else {"mean": array(config.mean), "variance": array(config.variance)}
    )
    params = {}
    for name, source in sources.items():
        flat = Layout(span)
        kept = tuple(n for n in source.shape if n != 1)
        if not learn_sizes(flat, source.shape) and not learn_sizes(flat, kept):
            raise ConfigError(f"{name} of shape {source.shape} along {flat} of an input {x.layout}")
        params[name] = _constant(call, name, span, source)
    if config.invert:
        deviation = MappedSource(sources["variance"], _deviation)
        scale = _constant(call, "gamma", span, deviation)
        return _scaled(call, x, span, {"gamma": scale, "beta": params["mean"]})
    clipped = MappedSource(sources["variance"], _at_least)
    params["variance"] = _constant(call, "variance", span, clipped)
    return _scaled(call, x, span, params)


def _deviation(variance: Any) -> Any:
    return variance.clip(0) ** 0.5


def _at_least(variance: Any) -> Any:
    return variance.clip(SMALLEST_DEVIATION**2)


def _by_one_number(call: LayerCall, x: Value, config: NormalizationConfig) -> Value:
    mean, variance = number(config.mean), number(config.variance)
    if mean is None or variance is None:
        raise ConfigError("Normalization by statistics of the whole input that the file holds")
    deviation = max(variance**0.5, SMALLEST_DEVIATION)
    if config.invert:
        return affine(call, x, deviation, mean)
    return affine(call, x, 1 / deviation, -mean / deviation)


@translates("LayerScale", config=LayerScaleConfig, slots=lambda config, era: (Slot("gamma"),))
def layer_scale(call: LayerCall, x: Value) -> Value:
    """LayerScale of ConvNeXt (`applications/convnext.py`): a factor for each channel."""
    span = (call.axis(x, -1),)
    gamma = call.param(BatchNorm, "gamma", {"axis": span})
    if gamma is None or not isinstance(span[0], Axis):
        raise ConfigError(f"LayerScale over an input {x.layout}")
    return _scaled(call, x, span, {"gamma": gamma})


@translates("CustomScaleLayer", config=ResidualConfig)
def custom_scale(call: LayerCall, x: Value, residual: Value) -> Value:
    """CustomScaleLayer (`applications/inception_resnet_v2.py`): x + scale * residual."""
    config: ResidualConfig = call.config  # type: ignore[assignment]
    return merged(call, Add(), (x, affine(call, residual, config.scale, 0.0, "scaled")))
