"""Normalizations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Layout, Terms
from ....ir.ops.normalization import BatchNorm, BatchStatisticsNorm, SampleNorm
from ....ir.source import MappedSource
from ....ir.tensor import Param, Stored
from ..call import LayerCall, learn_sizes
from ..registry import Config, Slot, translates

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


def _slots(config: Any, era: str) -> Sequence[Slot]:
    learnt = [Slot("gamma")] * config.scale + [Slot("beta")] * config.center
    return (*learnt, Slot("mean", trainable=False), Slot("variance", trainable=False))


@translates("BatchNormalization", config=BatchNormConfig, slots=_slots)
def batch_normalization(call: LayerCall, x: Value) -> Value:
    """BatchNormalization with its moving statistics.

    Keras 1's "running_std" holds the variance (Keras 1.2.2 `BatchNormalization.call`).
    """
    config: BatchNormConfig = call.config  # type: ignore[assignment]
    if config.mode != 0:
        return _own_statistics(call, x, config)
    stated = config.axis if isinstance(config.axis, tuple) else (config.axis,)
    bound = {"axis": tuple(call.axis(x, index) for index in stated)}
    op = BatchNorm(epsilon=config.epsilon)
    params = {port: call.param(BatchNorm, port, bound) for port in ("gamma", "beta", "mean")}
    if call.era.deviations:
        params["variance"] = _squared(call, bound["axis"], config.epsilon)
        op = BatchNorm(epsilon=0.0)
    else:
        params["variance"] = call.param(BatchNorm, "variance", bound)
    return call.add(op, [x], call.axes(x), axes=bound, params=params).result


def _own_statistics(call: LayerCall, x: Value, config: BatchNormConfig) -> Value:
    """Keras 1's modes that normalize by the input's own statistics; the stored ones are unused.

    Source: Keras 1.2.2 `layers/normalization.py` `BatchNormalization.call`.
    """
    if config.mode not in MODES or isinstance(config.axis, tuple):
        raise ConfigError(f"BatchNormalization in mode {config.mode!r}")
    kind = MODES[config.mode]
    bound = {"axis": (call.axis(x, -1 if kind is SampleNorm else config.axis),)}
    params = {port: call.param(kind, port, bound) for port in ("gamma", "beta")}
    op = kind(epsilon=config.epsilon)
    return call.add(op, [x], call.axes(x), axes=bound, params=params).result


def _squared(call: LayerCall, axis: Terms, epsilon: float) -> Param:
    """The variance that stands for Keras 0.3's deviation: (x - m) / (s + epsilon) there.

    Source: Keras 0.3.3 `layers/normalization.py` `BatchNormalization.get_output`.
    """
    layout = Layout(axis)
    if not learn_sizes(layout, call.stored["variance"].source.shape):
        raise call.misfit("variance", layout)
    stored = call.stored["variance"]
    source = MappedSource(stored.source, lambda s: (s + epsilon) ** 2)
    weight = call.made("variance", "variance", source, stored.name)
    return Param(weight, (Stored(layout),))
