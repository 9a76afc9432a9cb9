"""Bidirectional: a recurrent layer along time, and another against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.ops.recurrent import ReverseTime
from ..call import LayerCall
from ..registry import Config, Slot, translates
from .conv_recurrent import RANKS, ConvLSTMConfig, ConvRecurrence, conv_slots
from .merge import MODES, joined, merged
from .recurrent import (
    INITIAL_STATE,
    Recurrence,
    RecurrentConfig,
    initial_states,
    inner_layer,
    kinds,
    slots_of_class,
)
from .runs import Run, returned, tell_of_idle, zeroed
from .stacked import STACK, Stack, StackConfig, stack_groups, stack_slots

HALVES = ("forward", "backward")

ZEROED: frozenset[str] = frozenset({"tf_keras", "keras3"})
"""Vocabularies whose Bidirectional returns zeros, not the last result, for absent steps."""


class BidirectionalConfig(Config, frozen=True, kw_only=True):
    """What Bidirectional reads; the layers inside are in the names of Keras 2 already."""

    layer: Mapping[str, Any]
    backward_layer: Mapping[str, Any] | None = None
    merge_mode: Literal["sum", "mul", "concat", "ave"] | None = "concat"


Half = tuple[str, RecurrentConfig | ConvLSTMConfig | StackConfig]
"""A layer inside: its class and its configuration."""


def _known() -> Mapping[str, type[RecurrentConfig | ConvLSTMConfig | StackConfig]]:
    """The records of the layers inside, by class."""
    single = dict.fromkeys(kinds(), RecurrentConfig)
    return {**single, **dict.fromkeys(RANKS, ConvLSTMConfig), STACK: StackConfig}


def _halves(config: BidirectionalConfig) -> tuple[Half, Half]:
    """The layers inside; the backward one is the forward one turned round if it is not stated.

    Raises:
        ConfigError: One of them is none that this reads, or they do not go together.
    """
    class_name, forward = inner_layer(config.layer, _known())
    if config.backward_layer is None:
        turned = msgspec.structs.replace(forward, go_backwards=not forward.go_backwards)
        return (class_name, forward), (class_name, turned)
    other, backward = inner_layer(config.backward_layer, _known())
    common = ("return_sequences", "return_state", "stateful")
    if any(getattr(forward, key) != getattr(backward, key) for key in common):
        raise ConfigError("Bidirectional over layers that return different things")
    if forward.go_backwards == backward.go_backwards:
        raise ConfigError("Bidirectional over two layers of one direction")
    return (class_name, forward), (other, backward)


def _slots_of(half: Half, era: str) -> Sequence[Slot]:
    class_name, config = half
    if isinstance(config, ConvLSTMConfig):
        return conv_slots(config, era)
    if isinstance(config, StackConfig):
        return stack_slots(config, era)
    return slots_of_class(class_name, config, era)


def _recurrence(call: LayerCall, half: Half, prefix: str) -> Recurrence | ConvRecurrence | Stack:
    class_name, config = half
    if isinstance(config, ConvLSTMConfig):
        return ConvRecurrence(call, class_name, config, prefix)
    if isinstance(config, StackConfig):
        return Stack(call, config, prefix)
    return Recurrence(call, class_name, config, prefix)


def _slots(config: Any, era: str) -> Sequence[Slot]:
    """The forward layer's arrays, then the backward layer's; those that do not train come last.

    Source: Keras 2.2.4 `layers/wrappers.py` `Bidirectional.trainable_weights`.
    """
    slots = [
        Slot(f"{half}_{slot.name}", slot.trainable)
        for half, inner in zip(HALVES, _halves(config), strict=True)
        for slot in _slots_of(inner, era)
    ]
    return sorted(slots, key=lambda slot: not slot.trainable)


def _places(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The groups of a `.keras` file, in the order of the arrays."""
    layers = [config["layer"], config.get("backward_layer") or config["layer"]]
    found: dict[str, bool] = {}
    for half, layer in zip(HALVES, layers, strict=True):
        stack = layer["class_name"] == STACK
        groups = stack_groups(layer["config"]) if stack else {"cell": True}
        found |= {f"{half}_layer/{group}": trains for group, trains in groups.items()}
    return tuple(sorted(found, key=lambda place: not found[place]))


@translates(
    "Bidirectional",
    config=BidirectionalConfig,
    slots=_slots,
    places=_places,
    arguments=(INITIAL_STATE,),
)
def bidirectional(call: LayerCall, x: Value, *states: Value) -> Value | tuple[Value, ...]:
    """Bidirectional: the backward layer's sequences are turned round before the two are merged.

    Source: Keras 2.2.4 `layers/wrappers.py`, Keras 3.15 `layers/rnn/bidirectional.py`.
    """
    config: BidirectionalConfig = call.config  # type: ignore[assignment]
    inner = _halves(config)
    states = initial_states(call, states)
    halves = [_recurrence(call, half, f"{name}_") for name, half in zip(HALVES, inner, strict=True)]
    first = halves[0].states
    if len(states) not in {0, first + halves[1].states}:
        raise ConfigError(f"Bidirectional with {len(states)} initial states")
    each = inner[0][1]
    unrolled = not isinstance(each, ConvLSTMConfig) and each.unroll
    tell_of_idle(call, x, states, sequences=each.return_sequences, unrolled=unrolled)
    runs = [
        half.run(x, begin, name, half.config.go_backwards)
        for name, begin, half in zip(HALVES, (states[:first], states[first:]), halves, strict=True)
    ]
    sequences = inner[0][1].return_sequences
    if sequences:
        forward, walked = (run.sequence for run in runs)
        axes = call.axes(walked)
        time = (axes[call.batch],)
        turned = call.add(ReverseTime(), [walked], axes, axes={"time": time}, part="turned")
        ends = _with_zeros(call, x, (forward, turned.result))
    else:
        ends = _last(call, x, inner, runs)
    results = _merged(call, config.merge_mode, ends)
    if sequences:
        for y in results:
            call.set_mask(y, call.mask(x))
    last = [state for run in runs for state in run.states] if inner[0][1].return_state else []
    found = (*results, *last)
    return found if len(found) > 1 else found[0]


def _last(
    call: LayerCall, x: Value, inner: tuple[Half, Half], runs: Sequence[Run]
) -> tuple[Value, Value]:
    """The last result of each half; in TensorFlow 1.13 zeros where the last step is absent.

    Later ones look at `zero_output_for_mask` inside where sequences are returned, and then they
    have it on (TensorFlow 1.15, tf-keras 2.21 and Keras 3.15 `Bidirectional.__init__`).
    """
    first, second = runs
    zeroes = any(half.zero_output_for_mask for _, half in inner) and call.mask(x) is not None
    if not zeroes or not call.era.has("halves_zero_last"):
        return first.last, second.last
    if any(isinstance(half, ConvLSTMConfig) for _, half in inner):
        raise ConfigError("Bidirectional over a ConvLSTM behind a mask, with zero_output_for_mask")
    forward, backward = (
        returned(call, x, run, half, f"{name}_zeroed")
        for name, (_, half), run in zip(HALVES, inner, runs, strict=True)
    )
    return forward, backward


def _with_zeros(call: LayerCall, x: Value, halves: tuple[Value, Value]) -> tuple[Value, Value]:
    mask = call.mask(x)
    if mask is None or call.era.vocabulary not in ZEROED:
        return halves
    if len(call.axes(halves[0])) != call.batch + 2:
        raise ConfigError("Bidirectional over a ConvLSTM behind a mask")
    first, second = (
        zeroed(call, y, mask, f"{name}_absent") for name, y in zip(HALVES, halves, strict=True)
    )
    return first, second


def _merged(call: LayerCall, mode: str | None, halves: tuple[Value, Value]) -> tuple[Value, ...]:
    if mode is None:
        return halves
    if mode == "concat":
        return (joined(call, halves, -1, part="merge"),)
    return (merged(call, MODES[mode], halves, part="merge"),)
