"""ConvLSTM1D, 2D and 3D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ....eras import padding as rules, storage
from ....errors import ConfigError
from ....ir.graph import Node, Value
from ....ir.layout import Axis, Labelled, Layout, Term, Terms
from ....ir.ops.recurrent import ConvLSTM
from ....ir.signature import Pattern
from ....ir.tensor import Param, Stored
from ..call import SPACE, LayerCall, learn_sizes, one_or_many
from ..registry import Config, Slot, translates
from .activation import pointwise
from .convolution import Numbers, Window, form_of
from .recurrent import (
    INITIAL_STATE,
    KERAS1_LETTERS,
    KERAS1_LSTM_GATES,
    LSTM_GATES,
    PER_GATE,
    initial_states,
)
from .runs import Run, fitted


class ConvLSTMConfig(Config, frozen=True, kw_only=True):
    """What ConvLSTM layers read."""

    filters: int
    kernel_size: Numbers
    strides: Numbers = 1
    dilation_rate: Numbers = 1
    padding: Literal["valid", "same"] = "valid"
    data_format: str | None = None
    activation: Any = "tanh"
    recurrent_activation: Any = "hard_sigmoid"
    use_bias: bool = True
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    zero_output_for_mask: bool = False
    time_major: Literal[False] = False


def conv_slots(config: Any, era: str) -> Sequence[Slot]:
    """One array per gate in Keras 1, three arrays later."""
    if era in PER_GATE:
        letters = KERAS1_LETTERS.values()
        return tuple(Slot(f"{letter}_{gate}") for gate in KERAS1_LSTM_GATES for letter in letters)
    bias = (Slot("bias"),) if config.use_bias else ()
    return (Slot("kernel"), Slot("recurrent_kernel"), *bias)


class ConvRecurrence:
    """A ConvLSTM over an input: its axes, its weights, its node.

    Attributes:
        call: The layer.
        config: As the layer stores it.
        prefix: Of the slots' names: Bidirectional has two sets.
        states: How many states it hands from step to step.
    """

    states = 2

    def __init__(
        self, call: LayerCall, class_name: str, config: ConvLSTMConfig, prefix: str = ""
    ) -> None:
        self.call, self.config, self.prefix = call, config, prefix
        self.rank = RANKS[class_name]

    def node(self, x: Value, states: Sequence[Value], part: str, backwards: bool) -> Node:
        """The node over an input `batch time`, channels and space.

        Args:
            x: The input.
            states: Initial states, or none.
            part: Of the layer, for Bidirectional.
            backwards: Whether time is walked from the end.

        Raises:
            ConfigError: The input has another rank.
        """
        call, config, rank = self.call, self.config, self.rank
        call.batch += 1  # time runs like a batch under the convolution
        window = Window(call, x, config, rank)
        call.batch -= 1
        batch, time = window.ports.batch[:-1], window.ports.batch[-1:]
        filters = Axis("U", config.filters)
        sizes = one_or_many(config.kernel_size, rank, "kernel_size")
        own_taps: Terms = tuple(Axis(r, n) for r, n in zip(SPACE[rank], sizes, strict=True))
        bound = window.bindings(
            batch=batch,
            time=time,
            filters=(filters,),
            recurrent=(Axis("R", config.filters),),
            recurrent_space=own_taps,
            gates=(Labelled(Axis("G", len(LSTM_GATES)), LSTM_GATES),),
        )
        ports = ("kernel", "recurrent_kernel", "bias")
        params = {port: self._param(port, bound) for port in ports}
        y = window.ports.placed(filters, window.space)
        state: Terms = tuple(term for term in y if term not in time)
        begin = [fitted(call, value, state) for value in states]
        mask = call.mask(x)
        mask = mask and fitted(call, mask, (*batch, *time), "mask")
        inputs = [x, mask, *begin]
        op = self._op(window, sizes, backwards)
        return call.add(op, inputs, y, state, state, axes=bound, params=params, part=part)

    def run(self, x: Value, states: Sequence[Value], part: str, backwards: bool) -> Run:
        """As `node`, and what it gives."""
        return Run.of(self.node(x, states, part, backwards))

    def _op(self, window: Window, sizes: tuple[int, ...], backwards: bool) -> ConvLSTM:
        """The state's convolution has `same` padding and no stride."""
        call, config = self.call, self.config
        rule = rules.CONV[call.era.same]
        extents = Layout(window.space).shape
        pads = [rule(n, k, 1, 1) for n, k in zip(extents, sizes, strict=True)]
        return ConvLSTM(
            activation=pointwise(call, config.activation),
            recurrent_activation=pointwise(call, config.recurrent_activation),
            strides=window.strides,
            dilation=window.dilation,
            padding=window.padding,
            recurrent_padding=tuple(pad for pad in pads if pad is not None),
            go_backwards=backwards,
            stateful=config.stateful,
        )

    def _param(self, port: str, bound: dict[str, Terms]) -> Param | None:
        """A parameter of all gates, from one array or from one array per gate."""
        call, letter = self.call, self.prefix + KERAS1_LETTERS[port]
        form = form_of(self.config, self.rank)
        if f"{letter}_i" not in call.stored:
            slot = self.prefix + port
            return call.param(ConvLSTM, port, bound, rank=self.rank, data_format=form, slot=slot)
        one = Layout(_pattern(call, port, form).build(bound))
        slots = [f"{letter}_{gate}" for gate in LSTM_GATES]
        for slot in slots:
            if not learn_sizes(one, call.stored[slot].source.shape):
                raise call.misfit(slot, one)
        gates: Term = bound["gates"][0]
        assert isinstance(gates, Labelled)
        stored = tuple(Stored(one, {gates.axis: gate}) for gate in LSTM_GATES)
        return Param(call.weight(self.prefix + port, slots), stored)


def _pattern(call: LayerCall, port: str, data_format: str | None) -> Pattern:
    """How Keras 1 stores one gate's array."""
    dialect = call.era.dialect(call.era.data_format(data_format))
    texts = storage.pattern(dialect, "ConvLSTM", port, rank=2, backend=call.era.backend)
    return Pattern.parse(texts[0])


RANKS: Mapping[str, int] = {f"ConvLSTM{rank}D": rank for rank in SPACE}
"""Spatial axes by class."""


def _translate(call: LayerCall, x: Value, *states: Value) -> Value | tuple[Value, ...]:
    """ConvLSTM1D, 2D and 3D."""
    config: ConvLSTMConfig = call.config  # type: ignore[assignment]
    states = initial_states(call, states)
    recurrence = ConvRecurrence(call, call.class_name, config)
    if len(states) not in {0, recurrence.states}:
        raise ConfigError(f"{call.class_name} with {len(states)} initial states")
    mask = call.mask(x)
    if mask is not None and config.zero_output_for_mask:
        raise ConfigError(f"{call.class_name} with zero_output_for_mask behind a mask")
    node = recurrence.node(x, states, "", config.go_backwards)
    result = node.results[0] if config.return_sequences else node.results[1]
    if config.return_sequences:
        call.set_mask(result, mask)
    return (result, *node.results[1:]) if config.return_state else result


translates(
    *RANKS,
    config=ConvLSTMConfig,
    slots=conv_slots,
    places=("cell",),
    arguments=(INITIAL_STATE,),
)(_translate)
