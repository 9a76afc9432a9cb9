"""ConvLSTM1D, 2D and 3D."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from ....eras import padding as rules, storage
from ....errors import ConfigError
from ....ir.graph import Value
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
    fitted,
    initial_states,
)


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


def _slots(config: Any, era: str) -> Sequence[Slot]:
    """One array per gate in Keras 1, three arrays later."""
    if era in PER_GATE:
        letters = KERAS1_LETTERS.values()
        return tuple(Slot(f"{letter}_{gate}") for gate in KERAS1_LSTM_GATES for letter in letters)
    bias = (Slot("bias"),) if config.use_bias else ()
    return (Slot("kernel"), Slot("recurrent_kernel"), *bias)


def _conv_lstm(call: LayerCall, x: Value, *states: Value, rank: int) -> Value | tuple[Value, ...]:
    """ConvLSTM. The state's convolution has `same` padding and no stride."""
    config: ConvLSTMConfig = call.config  # type: ignore[assignment]
    states = initial_states(call, states)
    if len(states) not in {0, 2}:
        raise ConfigError(f"{call.class_name} with {len(states)} initial states")
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
    params = {port: _param(call, port, bound, rank) for port in ports}
    y = window.ports.placed(filters, window.space)
    state: Terms = tuple(term for term in y if term not in time)
    mask = call.mask(x)
    begin = [fitted(call, value, state) for value in states]
    if mask is not None and config.zero_output_for_mask:
        raise ConfigError(f"{call.class_name} with zero_output_for_mask behind a mask")
    op = _op(call, config, window, sizes)
    node = call.add(op, [x, mask, *begin], y, state, state, axes=bound, params=params)
    result = node.results[0] if config.return_sequences else node.results[1]
    if config.return_sequences:
        call.set_mask(result, mask)
    return (result, *node.results[1:]) if config.return_state else result


for _rank in SPACE:
    translates(
        f"ConvLSTM{_rank}D",
        config=ConvLSTMConfig,
        slots=_slots,
        places=("cell",),
        arguments=(INITIAL_STATE,),
    )(partial(_conv_lstm, rank=_rank))


def _op(
    call: LayerCall, config: ConvLSTMConfig, window: Window, sizes: tuple[int, ...]
) -> ConvLSTM:
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
        go_backwards=config.go_backwards,
        stateful=config.stateful,
    )


def _param(call: LayerCall, port: str, bound: dict[str, Terms], rank: int) -> Param | None:
    """A parameter of all gates, from one array or from one array per gate."""
    letter = KERAS1_LETTERS[port]
    form = form_of(call.config, rank)
    if f"{letter}_i" not in call.stored:
        return call.param(ConvLSTM, port, bound, rank=rank, data_format=form)
    one = Layout(_pattern(call, port, form).build(bound))
    slots = [f"{letter}_{gate}" for gate in LSTM_GATES]
    for slot in slots:
        if not learn_sizes(one, call.stored[slot].source.shape):
            raise call.misfit(slot, one)
    gates: Term = bound["gates"][0]
    assert isinstance(gates, Labelled)
    stored = tuple(Stored(one, {gates.axis: gate}) for gate in LSTM_GATES)
    return Param(call.weight(port, slots), stored)


def _pattern(call: LayerCall, port: str, data_format: str | None) -> Pattern:
    """How Keras 1 stores one gate's array."""
    dialect = call.era.dialect(call.era.data_format(data_format))
    texts = storage.pattern(dialect, "ConvLSTM", port, rank=2, backend=call.era.backend)
    return Pattern.parse(texts[0])
