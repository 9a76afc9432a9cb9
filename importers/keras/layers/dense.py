"""Dense."""

from __future__ import annotations

from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis
from ....ir.ops.dense import Dense
from ..call import LayerCall
from ..registry import Config, translates
from .activation import activate
from .convolution import kernel_bias


class DenseConfig(Config, frozen=True, kw_only=True):
    """What Dense reads."""

    units: int
    use_bias: bool = True
    activation: Any = None


@translates("Dense", config=DenseConfig, slots=kernel_bias)
def dense(call: LayerCall, x: Value) -> Value:
    """Dense over the last axis of an input of any rank."""
    config: DenseConfig = call.config  # type: ignore[assignment]
    axes = call.axes(x)
    if len(axes) <= call.batch:
        raise ConfigError(f"Dense over an input {x.layout} without features")
    features, units = axes[-1], Axis("F", config.units)
    bound = {"features": (features,), "units": (units,)}
    params = {port: call.param(Dense, port, bound) for port in ("kernel", "bias")}
    y = call.add(Dense(), [x], (*axes[:-1], units), axes=bound, params=params).result
    return activate(call, y, config.activation)
