"""Normalizations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ....eras.normalization import NEGLIGIBLE, SHORTEST
from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, Layout, Terms, size_of
from ....ir.op import Op
from ....ir.ops.activation import Affine, Power
from ....ir.ops.maths import Constant
from ....ir.ops.merge import Multiply
from ....ir.ops.normalization import (
    BatchNorm,
    BatchStatisticsNorm,
    GroupNorm,
    LayerNorm,
    RMSNorm,
    SampleNorm,
    UnitNorm,
)
from ....ir.ops.shape import Reshape
from ....ir.source import MappedSource
from ....ir.tensor import Param, Stored
from ..call import LayerCall, learn_sizes
from ..registry import Config, Slot, translates
from .factor import parted
from .merge import merged
from .tensors import reduced

MODES: Mapping[int, type[SampleNorm | BatchStatisticsNorm]] = {
    1: SampleNorm,
    2: BatchStatisticsNorm,
}
"""Keras 1's modes beside 0."""


class BatchNormConfig(Config, frozen=True, kw_only=True):
    """What BatchNormalization reads; `mode` is Keras 1's."""

    axis: int | tuple[int, ...] = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    mode: int = 0
    renorm: bool = False


class LayerNormConfig(Config, frozen=True, kw_only=True):
    """What LayerNormalization reads."""

    axis: int | tuple[int, ...] = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    rms_scaling: bool = False


class RMSNormConfig(Config, frozen=True, kw_only=True):
    """What RMSNormalization reads."""

    axis: int | tuple[int, ...] = -1
    epsilon: float = 1e-6


class GroupNormConfig(Config, frozen=True, kw_only=True):
    """What GroupNormalization reads."""

    groups: int = 32
    axis: int = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True


class UnitNormConfig(Config, frozen=True, kw_only=True):
    """What UnitNormalization reads."""

    axis: int | tuple[int, ...] = -1


def _learnt(config: Any, era: str) -> Sequence[Slot]:
    if getattr(config, "rms_scaling", False):
        return (Slot("gamma"),)
    return (*[Slot("gamma")] * config.scale, *[Slot("beta")] * config.center)


def _slots(config: Any, era: str) -> Sequence[Slot]:
    names, more = ["mean", "variance"], list[Slot]()
    if config.renorm:  # used in training alone; by TensorFlow 1.13 in four arrays
        names += ["stddev", "renorm_mean", "renorm_stddev"]
        more.append(Slot("renorm_weight", trainable=False, optional=True))
    return (*_learnt(config, era), *(Slot(name, trainable=False) for name in names), *more)


@translates("BatchNormalization", config=BatchNormConfig, slots=_slots)
def batch_normalization(call: LayerCall, x: Value) -> Value:
    """BatchNormalization with its moving statistics.

    Keras 1's "running_std" holds the variance (Keras 1.2.2 `BatchNormalization.call`), but not in
    its first releases: `eras.normalization.EARLY_STATISTICS`.
    """
    config: BatchNormConfig = call.config  # type: ignore[assignment]
    if call.training:
        config = msgspec.structs.replace(config, mode=2)
    if config.mode != 0:
        return _own_statistics(call, x, config)
    stated = config.axis if isinstance(config.axis, tuple) else (config.axis,)
    bound = {"axis": tuple(call.axis(x, index) for index in stated)}
    op = BatchNorm(epsilon=config.epsilon)
    if len(stated) > 1:
        return _along_several(call, x, bound["axis"], config.epsilon)
    params = _params(call, BatchNorm, bound, config.epsilon)
    if call.era.statistics.beside:
        op = BatchNorm(epsilon=0.0)
    return call.add(op, [x], call.axes(x), axes=bound, params=params).result


def _params(
    call: LayerCall, kind: type[Op], bound: Mapping[str, Terms], epsilon: float
) -> dict[str, Param | None]:
    params = {port: call.param(kind, port, bound) for port in ("gamma", "beta", "mean")}
    if call.era.statistics.beside:
        params["variance"] = _squared(call, bound["axis"], epsilon)
    else:
        params["variance"] = call.param(kind, "variance", bound)
    return params


def _along_several(call: LayerCall, x: Value, span: Terms, epsilon: float) -> Value:
    """Statistics along several axes, stored with 1 along the others.

    Source: tf-keras 2.21 `layers/normalization/batch_normalization.py` `build`.
    """
    axes = call.axes(x)
    wide = Layout(tuple(term if term in span else Axis("X", 1) for term in axes))
    layouts = [wide, Layout(tuple(term for term in axes if term in span))]
    ports = [port for port in ("gamma", "beta", "mean", "variance") if port in call.stored]
    params = {port: call.tagged(port, layouts) for port in ports}
    op = BatchNorm(epsilon=epsilon)
    return call.add(op, [x], axes, axes={"axis": span}, params=params).result


def _own_statistics(call: LayerCall, x: Value, config: BatchNormConfig) -> Value:
    """Keras 1's modes that normalize by the input's own statistics; the stored ones are unused.

    Of mode 2 is what a layer computes that is called with `training=True`, too. Source: Keras
    1.2.2 `layers/normalization.py` `BatchNormalization.call`.
    """
    stated = config.axis if isinstance(config.axis, tuple) else (config.axis,)
    if config.mode not in MODES or len(stated) != 1:
        raise ConfigError(f"BatchNormalization in mode {config.mode!r}")
    kind = MODES[config.mode]
    bound = {"axis": (call.axis(x, -1 if kind is SampleNorm else stated[0]),)}
    params = _params(call, kind, bound, config.epsilon)
    op: Op = kind(epsilon=config.epsilon)
    if isinstance(op, SampleNorm):
        op = msgspec.structs.replace(op, under_root=call.era.statistics.sample_root)
    elif call.era.statistics.batch_beside and config.epsilon > NEGLIGIBLE:
        raise ConfigError(
            f"BatchNormalization in mode 2 of Keras {call.era.version} adds its epsilon, "
            f"{config.epsilon}, to the deviation"
        )
    return call.add(op, [x], call.axes(x), axes=bound, params=params).result


def _squared(call: LayerCall, axis: Terms, epsilon: float) -> Param:
    """The variance that stands for a deviation with epsilon beside it: (x - m) / (s + epsilon).

    Source: Keras 0.3.3 `layers/normalization.py` `BatchNormalization.get_output`.
    """
    layout = Layout(axis)
    if not learn_sizes(layout, call.stored["variance"].source.shape):
        raise call.misfit("variance", layout)
    stored = call.stored["variance"]
    if call.era.statistics.deviation:
        source = MappedSource(stored.source, lambda s: (s + epsilon) ** 2)
    else:
        source = MappedSource(stored.source, lambda v: (v**0.5 + epsilon) ** 2)
    weight = call.made("variance", "variance", [source], [stored.name])
    return Param(weight, (Stored(layout),))


def _along(call: LayerCall, x: Value, stated: int | tuple[int, ...]) -> Terms:
    """The axes that a layer names, in the order in which they lie (Keras sorts them)."""
    numbers = stated if isinstance(stated, tuple) else (stated,)
    terms = {call.axis(x, number) for number in numbers}
    return tuple(term for term in call.axes(x) if term in terms)


@translates("LayerNormalization", config=LayerNormConfig, slots=_learnt)
def layer_normalization(call: LayerCall, x: Value) -> Value:
    """LayerNormalization."""
    config: LayerNormConfig = call.config  # type: ignore[assignment]
    if config.rms_scaling:
        return _by_deviation(call, x, config)
    bound = {"axis": _along(call, x, config.axis)}
    params = {port: call.param(LayerNorm, port, bound) for port in ("gamma", "beta")}
    op = LayerNorm(epsilon=config.epsilon)
    return call.add(op, [x], call.axes(x), axes=bound, params=params).result


def _by_deviation(call: LayerCall, x: Value, config: LayerNormConfig) -> Value:
    """`rms_scaling`: x * gamma / sqrt(variance + epsilon), not centred for all that.

    Source: Keras 3.15 `ops/nn.py` `_layer_normalization`, which takes the variance.
    """
    axes, span = call.axes(x), _along(call, x, config.axis)
    numbers = [place for place, term in enumerate(axes) if term in span]
    variance = reduced(call, x, "var", numbers, keepdims=True, part="variance")
    terms = call.axes(variance)
    shifted = call.add(Affine(offset=config.epsilon), [variance], terms, part="shifted").result
    inverse = call.add(Power(exponent=-0.5), [shifted], terms, part="inverse").result
    y = merged(call, Multiply(), (x, inverse), part="normalized")
    gamma = call.tagged("gamma", [Layout(span)])
    own = tuple(Axis("X", size_of(term) if term in span else 1) for term in axes)
    params = {"value": Param(gamma.weight, (Stored(Layout(own)),))}
    bound = {"axes": own, "...": ()}
    scale = call.add(Constant(), [], own, axes=bound, params=params, part="gamma").result
    return merged(call, Multiply(), (y, scale))


@translates("RMSNormalization", config=RMSNormConfig, slots=lambda config, era: (Slot("scale"),))
def rms_normalization(call: LayerCall, x: Value) -> Value:
    """RMSNormalization (Keras 3)."""
    config: RMSNormConfig = call.config  # type: ignore[assignment]
    bound = {"axis": _along(call, x, config.axis)}
    params = {"scale": call.param(RMSNorm, "scale", bound)}
    op = RMSNorm(epsilon=config.epsilon)
    return call.add(op, [x], call.axes(x), axes=bound, params=params).result


@translates("GroupNormalization", config=GroupNormConfig, slots=_learnt)
def group_normalization(call: LayerCall, x: Value) -> Value:
    """GroupNormalization; -1 groups are as many as channels."""
    config: GroupNormConfig = call.config  # type: ignore[assignment]
    channels = call.axis(x, config.axis)
    size = size_of(channels)
    count = (size if config.groups == -1 else config.groups) or 0
    parts = parted(call.builder.splits, channels, count)
    if parts is None and size and count > 0 and size % count == 0:  # they are other groups
        plain = Axis("C", size)
        regrouped = [plain if term == channels else term for term in call.axes(x)]
        x, channels = call.add(Reshape(), [x], regrouped, part="channels").result, plain
        parts = parted(call.builder.splits, channels, count)
    if parts is None:
        raise ConfigError(f"{config.groups} groups of {channels!r} of an input {x.layout}")
    groups, inner = parts
    axes = call.axes(x)
    bound = {"batch": axes[: call.batch], "groups": groups, "in_group": inner}
    whole = call.axis(x, config.axis)
    rest = tuple(term for term in axes[call.batch :] if term != whole)
    params = {port: call.param(GroupNorm, port, bound) for port in ("gamma", "beta")}
    op = GroupNorm(epsilon=config.epsilon)
    return call.add(op, [x], axes, axes={**bound, "...": rest}, params=params).result


@translates("UnitNormalization", config=UnitNormConfig)
def unit_normalization(call: LayerCall, x: Value) -> Value:
    """UnitNormalization."""
    config: UnitNormConfig = call.config  # type: ignore[assignment]
    bound = {"axis": _along(call, x, config.axis)}
    op = UnitNorm(epsilon=SHORTEST.get(call.era.vocabulary, SHORTEST["tf_keras"]))
    return call.add(op, [x], call.axes(x), axes=bound).result
