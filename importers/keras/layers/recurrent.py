"""Recurrent layers: SimpleRNN, GRU, LSTM.

`Recurrence` holds what one of them is in the terms of its op; Bidirectional makes two of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from ....errors import ConfigError
from ....ir.graph import Node, Value
from ....ir.layout import Axis, Labelled, Layout, Terms, axes_of
from ....ir.op import Op
from ....ir.ops.activation import AlongAxis, Softmax
from ....ir.ops.recurrent import GRU, LSTM, SimpleRNN
from ....ir.source import PartSource
from ....ir.tensor import Param, Stored
from ..call import LayerCall, learn_sizes
from ..registry import Config, Slot, picked, translates
from . import early_gru
from .activation import function
from .cudnn import is_cudnn, matrix, summed
from .runs import Run, fitted, gives_state, returned, tell_of_idle

LSTM_GATES = ("i", "f", "c", "o")
"""The order of an LSTM's gates in one array: every era that stores one."""

KERAS1_LSTM_GATES = ("i", "c", "f", "o")
"""The order of the arrays where each gate has its own: Keras 1.2.2 `LSTM.build`."""

GRU_GATES = ("z", "r", "h")
"""The order of a GRU's gates, in one array and as arrays of their own."""

PER_GATE = frozenset({"keras0", "keras1"})
"""Eras that store one array per gate, unless told otherwise."""

KERAS1_LETTERS: Mapping[str, str] = {"kernel": "W", "recurrent_kernel": "U", "bias": "b"}
"""What Keras 1 calls the arrays of a gate: `W_i`, `U_i`, `b_i`."""


INITIAL_STATE = "initial_state"
"""The keyword argument of a call in Keras 3; Keras 2 appends the states to the inputs."""


class RecurrentConfig(Config, frozen=True, kw_only=True):
    """What SimpleRNN, GRU and LSTM read."""

    units: int
    activation: Any = "tanh"
    recurrent_activation: Any = "hard_sigmoid"
    use_bias: bool = True
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    implementation: Any = 0
    reset_after: bool = False
    time_major: bool = False
    zero_output_for_mask: bool = False


class Kind(msgspec.Struct, frozen=True):
    """What tells the recurrent layers apart.

    Attributes:
        op: The op.
        gates: In one array; none for SimpleRNN.
        arrays: The order of the gates where each has arrays of its own.
        states: How many states it hands from step to step.
    """

    op: type[SimpleRNN | GRU | LSTM]
    gates: tuple[str, ...]
    arrays: tuple[str, ...]
    states: int


def kinds() -> Mapping[str, Kind]:
    """The kinds by layer class."""
    return {
        "SimpleRNN": Kind(SimpleRNN, (), (), 1),
        "GRU": Kind(GRU, GRU_GATES, GRU_GATES, 1),
        "LSTM": Kind(LSTM, LSTM_GATES, KERAS1_LSTM_GATES, 2),
    }


def slots_of_class(class_name: str, config: RecurrentConfig, era: str) -> Sequence[Slot]:
    """One array per gate in Keras 1 unless `consume_less` was "gpu"; else one for all gates."""
    arrays = kinds()[class_name].arrays
    if era in PER_GATE and arrays and config.implementation != 2:
        letters = KERAS1_LETTERS.values()
        return tuple(Slot(f"{letter}_{gate}") for gate in arrays for letter in letters)
    bias = (Slot("bias"),) if config.use_bias else ()
    return (Slot("kernel"), Slot("recurrent_kernel"), *bias)


class Recurrence:
    """One recurrent op over an input: its axes, its weights, its node.

    Attributes:
        call: The layer.
        kind: Which of the recurrent layers.
        config: As the layer stores it.
        prefix: Of the slots' names: Bidirectional has two sets.
        states: How many states it hands from step to step.
    """

    def __init__(
        self, call: LayerCall, class_name: str, config: RecurrentConfig, prefix: str = ""
    ) -> None:
        self.call, self.kind, self.config = call, kinds()[class_name], config
        self.prefix, self.states = prefix, self.kind.states

    def node(self, x: Value, states: Sequence[Value | None], part: str, backwards: bool) -> Node:
        """The node over an input `batch time features`.

        Args:
            x: The input.
            states: Initial states; fewer than the kind has, or None, stand for zeros.
            part: Of the layer, for Bidirectional.
            backwards: Whether time is walked from the end.

        Raises:
            ConfigError: The input has another rank.
        """
        call, axes = self.call, self.call.axes(x)
        if len(axes) != call.batch + 2 or self.config.time_major:
            raise ConfigError(f"{call.class_name} over an input {x.layout}")
        batch, time, features = axes[: call.batch], axes[-2], axes[-1]
        units = self._units(x, states)
        bound = self._bound(batch, time, features, units)
        state, mask = (*batch, units), call.mask(x)
        mask = mask and fitted(call, mask, (*batch, time), "mask")
        begin = [fitted(call, value, state) for value in states if value is not None]
        given = (*begin, *(None,) * (self.kind.states - len(begin)))
        masked = mask is not None and bool(begin)
        idle = masked and gives_state(call.era, unrolled=self.config.unroll)
        return call.add(
            self._op(backwards, idle_state=idle),
            [x, mask, *given],
            (*batch, time, units),
            *(state,) * self.kind.states,
            axes=bound,
            params=self._params(bound),
            part=part,
        )

    def run(self, x: Value, states: Sequence[Value], part: str, backwards: bool) -> Run:
        """As `node`, and what it gives."""
        return Run.of(self.node(x, states, part, backwards))

    def _units(self, x: Value, states: Sequence[Value | None]) -> Axis:
        """The axis of the units: that of the first initial state, if the input does not have it."""
        first = next((value for value in states if value is not None), None)
        axis = self.call.axes(first)[-1] if first is not None else None
        taken = axis in set(axes_of(self.call.axes(x)))
        if isinstance(axis, Axis) and axis.size == self.config.units and not taken:
            return axis
        return Axis("U", self.config.units)

    def _op(self, backwards: bool, *, idle_state: bool) -> Op:
        config, op = self.config, self.kind.op
        attrs: dict[str, Any] = {
            "activation": _gate(self.call, config.activation),
            "go_backwards": backwards,
            "stateful": config.stateful,
            "idle_state": idle_state,
        }
        if op is not SimpleRNN:
            attrs["recurrent_activation"] = _gate(self.call, config.recurrent_activation)
        if op is GRU:
            attrs["reset_after"] = config.reset_after
        return op(**attrs)

    def _bound(self, batch: Terms, time: Any, features: Any, units: Axis) -> dict[str, Terms]:
        bound: dict[str, Terms] = {
            "batch": batch,
            "time": (time,),
            "features": (features,),
            "units": (units,),
            "recurrent": (Axis("R", units.size),),
        }
        if self.kind.gates:
            gates = Axis("G", len(self.kind.gates))
            bound["gates"] = (Labelled(gates, self.kind.gates),)
        return bound

    def _params(self, bound: Mapping[str, Terms]) -> dict[str, Param | None]:
        rows = {"kernel": bound["features"], "recurrent_kernel": bound["recurrent"], "bias": ()}
        params: dict[str, Param | None] = {
            port: self._param(port, bound, terms) for port, terms in rows.items()
        }
        if self.config.reset_after and self.config.use_bias:
            params["bias"], params["recurrent_bias"] = self._two_biases(bound)
        return params

    def _param(self, port: str, bound: Mapping[str, Terms], rows: Terms) -> Param | None:
        """A parameter of all gates, from one array or from one array per gate."""
        letter = self.prefix + KERAS1_LETTERS[port]
        slot = self.prefix + port
        early = self.kind.op is GRU and early_gru.reads_reset(self.call, self.config)
        if early and port != "recurrent_kernel":
            return early_gru.as_computed(self.call, slot, slot, rows, bound)
        if not self.kind.gates or f"{letter}_{self.kind.gates[0]}" not in self.call.stored:
            if port == "bias" and self.config.reset_after:
                return None
            if self._is_cudnn():
                if port == "bias":
                    return summed(self.call, slot, slot, bound)
                return matrix(self.call, slot, slot, rows, bound)
            return self.call.param(self.kind.op, port, bound, slot=slot)
        one = Layout((*rows, *bound["units"]))
        slots = [f"{letter}_{gate}" for gate in self.kind.gates]
        for slot in slots:
            if not learn_sizes(one, self.call.stored[slot].source.shape):
                raise self.call.misfit(slot, one)
        axis = next(t.axis for t in bound["gates"] if isinstance(t, Labelled))
        stored = tuple(Stored(one, {axis: gate}) for gate in self.kind.gates)
        return Param(self.call.weight(self.prefix + port, slots), stored)

    def _is_cudnn(self) -> bool:
        columns = len(self.kind.gates) * self.config.units
        return is_cudnn(self.call.stored.get(f"{self.prefix}bias"), columns)

    def _two_biases(self, bound: Mapping[str, Terms]) -> tuple[Param, Param]:
        """A GRU's `bias` of shape (2, 3 units): the input's, then the recurrent one.

        Source: Keras 2.2.4 `layers/recurrent.py` `GRUCell.build` with `reset_after`.
        """
        slot = self.prefix + "bias"
        one = Layout((*bound["gates"], *bound["units"]))
        whole = self.call.stored[slot].source
        count = math.prod(size or 0 for size in one.shape)
        if whole.shape not in {(2, count), (2 * count,)}:  # the latter is cuDNN's
            raise self.call.misfit(slot, Layout((Axis("X", 2), *one.terms)))
        halves = []
        for index, port in enumerate(("bias", "recurrent_bias")):
            source = PartSource(whole, index * count, (count,))
            name = self.call.stored[slot].name
            weight = self.call.made(self.prefix + port, slot, [source], [f"{name}[{index}]"])
            halves.append(Param(weight, (Stored(one),)))
        return halves[0], halves[1]


def _gate(call: LayerCall, stored: Any) -> Op:
    """A function of each number by itself, or softmax along the units.

    Raises:
        ConfigError: Nobody knows the name, or it is another function along an axis.
    """
    op = function(call, stored)
    if isinstance(op, AlongAxis) and not isinstance(op, Softmax):
        raise ConfigError(f"{call.class_name} with {op.kind} as its activation")
    return op


def _translate(call: LayerCall, x: Value, *states: Value) -> Value | tuple[Value, ...]:
    """SimpleRNN, GRU or LSTM."""
    config: RecurrentConfig = call.config  # type: ignore[assignment]
    recurrence = Recurrence(call, call.class_name, config)
    states = initial_states(call, states)
    if len(states) not in {0, recurrence.kind.states}:
        raise ConfigError(f"{call.class_name} with {len(states)} initial states")
    tell_of_idle(call, x, states, sequences=config.return_sequences, unrolled=config.unroll)
    node = recurrence.node(x, states, "", config.go_backwards)
    y = returned(call, x, Run.of(node), config)
    return (y, *node.results[1:]) if config.return_state else y


def initial_states(call: LayerCall, positional: tuple[Value, ...]) -> tuple[Value, ...]:
    """The initial states of a call: behind the sequence (Keras 2), or by keyword (Keras 3).

    Raises:
        ConfigError: They are no tensors.
    """
    stated = call.given.kwargs.get(INITIAL_STATE)
    if stated is None:
        return positional
    found = tuple(stated) if isinstance(stated, list) else (stated,)
    if positional or not all(isinstance(state, Value) for state in found):
        raise ConfigError(f"{call.class_name} with initial states that are no tensors")
    return found


C = TypeVar("C", bound=Config)


def inner_layer(stored: Any, known: Mapping[str, type[C]]) -> tuple[str, C]:
    """The class of a recurrent layer inside another, and its configuration as a record.

    Args:
        stored: Its entry, in the names of Keras 2.
        known: The records by class.

    Raises:
        ConfigError: It is of another class, or its configuration has a value of another kind.
    """
    entry = stored if isinstance(stored, Mapping) else {}
    class_name, config = entry.get("class_name"), entry.get("config")
    if not isinstance(class_name, str) or class_name not in known:
        raise ConfigError(f"{class_name!r:.80} is no recurrent layer that kerasir knows")
    if not isinstance(config, Mapping):
        raise ConfigError(f"{class_name} without config")
    kind = known[class_name]
    try:
        return class_name, msgspec.convert(picked(kind, config), kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{class_name}: {error}") from error


for _name in kinds():

    def _slots(config: Any, era: str, class_name: str = _name) -> Sequence[Slot]:
        return slots_of_class(class_name, config, era)

    translates(
        _name, config=RecurrentConfig, slots=_slots, places=("cell",), arguments=(INITIAL_STATE,)
    )(_translate)
