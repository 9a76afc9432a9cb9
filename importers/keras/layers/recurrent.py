"""Recurrent layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, Labelled, Layout, Term, Terms
from ....ir.op import Op
from ....ir.ops.recurrent import LSTM
from ....ir.tensor import Param, Stored
from ..call import LayerCall, learn_sizes
from ..registry import Config, Slot, translates
from .activation import function

LSTM_GATES = ("i", "f", "c", "o")
"""The order of the gates in one array: every era that stores one."""

KERAS1_LSTM_GATES = ("i", "c", "f", "o")
"""The order of the arrays where each gate has its own: Keras 1.2.2 `LSTM.build`."""

KERAS1_PORTS = {"kernel": "W", "recurrent_kernel": "U", "bias": "b"}


class LSTMConfig(Config, frozen=True, kw_only=True):
    """What LSTM reads."""

    units: int
    activation: Any = "tanh"
    recurrent_activation: Any = "hard_sigmoid"
    use_bias: bool = True
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    implementation: Any = 0
    time_major: bool = False


def _slots(config: Any, era: str) -> Sequence[Slot]:
    """One array per gate in Keras 1 unless `consume_less` was "gpu"; three arrays otherwise."""
    if era == "keras1" and config.implementation != 2:
        return tuple(Slot(f"{port}_{g}") for g in KERAS1_LSTM_GATES for port in ("W", "U", "b"))
    bias = (Slot("bias"),) if config.use_bias else ()
    return (Slot("kernel"), Slot("recurrent_kernel"), *bias)


@translates("LSTM", config=LSTMConfig, slots=_slots)
def lstm(call: LayerCall, x: Value, *states: Value) -> Value | tuple[Value, ...]:
    """LSTM."""
    config: LSTMConfig = call.config  # type: ignore[assignment]
    axes = call.axes(x)
    if len(axes) != call.batch + 2 or config.time_major or len(states) not in {0, 2}:
        raise ConfigError(f"an LSTM over an input {x.layout} with {len(states)} states")
    batch, time, features = axes[: call.batch], axes[-2], axes[-1]
    units, recurrent = Axis("U", config.units), Axis("R", config.units)
    gates = Axis("G", len(LSTM_GATES))
    bound: dict[str, Terms] = {
        "batch": batch,
        "time": (time,),
        "features": (features,),
        "units": (units,),
        "recurrent": (recurrent,),
        "gates": (Labelled(gates, LSTM_GATES),),
    }
    params = {
        "kernel": _gated(call, "kernel", bound, (features,)),
        "recurrent_kernel": _gated(call, "recurrent_kernel", bound, (recurrent,)),
        "bias": _gated(call, "bias", bound, ()),
    }
    op = LSTM(
        activation=_function(call, config.activation),
        recurrent_activation=_function(call, config.recurrent_activation),
        go_backwards=config.go_backwards,
        stateful=config.stateful,
    )
    state = (*batch, units)
    node = call.add(
        op,
        [x, call.mask(x), *(states or (None, None))],
        (*batch, time, units),
        state,
        state,
        axes=bound,
        params=params,
    )
    y = node.results[0] if config.return_sequences else node.results[1]
    if config.return_sequences:
        call.set_mask(y, call.mask(x))
    return (y, *node.results[1:]) if config.return_state else y


def _function(call: LayerCall, stored: Any) -> Op:
    op = function(call, stored)
    if op is None:
        raise ConfigError("a recurrent layer with softmax as its activation")
    return op


def _gated(call: LayerCall, port: str, bound: dict[str, Terms], rows: Terms) -> Param | None:
    """A parameter of all gates, from one array or from one array per gate."""
    letter = KERAS1_PORTS[port]
    if f"{letter}_i" not in call.stored:
        return call.param(LSTM, port, bound)
    slots = [f"{letter}_{gate}" for gate in LSTM_GATES]
    one = Layout((*rows, *bound["units"]))
    for slot in slots:
        if not learn_sizes(one, call.stored[slot].source.shape):
            raise call.misfit(slot, one)
    axis = _axis(bound["gates"][0])
    stored = tuple(Stored(one, {axis: gate}) for gate in LSTM_GATES)
    return Param(call.weight(port, slots), stored)


def _axis(term: Term) -> Axis:
    assert isinstance(term, Labelled)
    return term.axis
