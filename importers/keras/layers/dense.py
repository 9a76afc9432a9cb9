"""Dense."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, size_of
from ....ir.ops.dense import Dense, Highway, MaxoutDense
from ..call import LayerCall
from ..registry import Config, Slot, translates
from .activation import activate, pointwise
from .convolution import kernel_bias


class DenseConfig(Config, frozen=True, kw_only=True):
    """What Dense reads."""

    units: int
    use_bias: bool = True
    activation: Any = None


@translates("Dense", "TimeDistributedDense", config=DenseConfig, slots=kernel_bias)
def dense(call: LayerCall, x: Value) -> Value:
    """Dense over the last axis of an input of any rank; Keras 1's TimeDistributedDense is one."""
    config: DenseConfig = call.config  # type: ignore[assignment]
    axes = call.axes(x)
    if len(axes) <= call.batch:
        raise ConfigError(f"Dense over an input {x.layout} without features")
    features, units = axes[-1], Axis("F", config.units)
    bound = {"features": (features,), "units": (units,)}
    params = {port: call.param(Dense, port, bound) for port in ("kernel", "bias")}
    y = call.add(Dense(), [x], (*axes[:-1], units), axes=bound, params=params).result
    return activate(call, y, config.activation)


class HighwayConfig(Config, frozen=True, kw_only=True):
    """What Highway reads."""

    use_bias: bool = True
    activation: Any = None
    transform_bias: Any = None


class MaxoutConfig(Config, frozen=True, kw_only=True):
    """What MaxoutDense reads."""

    units: int
    nb_feature: int = 4
    use_bias: bool = True


def _highway_slots(config: Any, era: str) -> Sequence[Slot]:
    """Kernels first from Keras 1 on; Keras 0.3 has each bias behind its kernel (`build`)."""
    kernels, biases = ("kernel", "carry_kernel"), ("bias", "carry_bias")
    if not config.use_bias:
        return tuple(map(Slot, kernels))
    pairs = [name for pair in zip(kernels, biases, strict=True) for name in pair]
    return tuple(map(Slot, pairs if era == "keras0" else (*kernels, *biases)))


@translates("Highway", config=HighwayConfig, slots=_highway_slots)
def highway(call: LayerCall, x: Value) -> Value:
    """Highway (Keras 0, 1 and the legacy layers of Keras 2)."""
    config: HighwayConfig = call.config  # type: ignore[assignment]
    axes = call.axes(x)
    bound = {"features": axes[-1:], "columns": (Axis("F", size_of(axes[-1])),)}
    op = Highway(activation=pointwise(call, config.activation))
    ports = ("kernel", "carry_kernel", "bias", "carry_bias")
    params = {port: call.param(Highway, port, bound) for port in ports}
    return call.add(op, [x], axes, axes=bound, params=params).result


@translates("MaxoutDense", config=MaxoutConfig, slots=kernel_bias)
def maxout_dense(call: LayerCall, x: Value) -> Value:
    """MaxoutDense (Keras 0, 1 and the legacy layers of Keras 2)."""
    config: MaxoutConfig = call.config  # type: ignore[assignment]
    axes = call.axes(x)
    bound = {
        "features": axes[-1:],
        "units": (Axis("F", config.units),),
        "pieces": (Axis("K", config.nb_feature),),
    }
    params = {port: call.param(MaxoutDense, port, bound) for port in ("kernel", "bias")}
    result = (*axes[:-1], *bound["units"])
    return call.add(MaxoutDense(), [x], result, axes=bound, params=params).result
