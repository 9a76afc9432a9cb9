"""Normalizations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.ops.normalization import BatchNorm
from ..call import LayerCall
from ..registry import Config, Slot, translates


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
        raise ConfigError(
            f"BatchNormalization in mode {config.mode} normalizes by the statistics of its own "
            "input, not by stored ones",
            hint="no target can say that with a BatchNormalization",
        )
    stated = config.axis if isinstance(config.axis, tuple) else (config.axis,)
    bound = {"axis": tuple(call.axis(x, index) for index in stated)}
    params = {
        port: call.param(BatchNorm, port, bound) for port in ("gamma", "beta", "mean", "variance")
    }
    op = BatchNorm(epsilon=config.epsilon)
    return call.add(op, [x], call.axes(x), axes=bound, params=params).result
