"""Bidirectional: a recurrent layer along time, and another against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.ops.recurrent import ReverseTime
from ..call import LayerCall
from ..registry import Config, Slot, picked, translates
from .conv_recurrent import RANKS, ConvLSTMConfig, ConvRecurrence, conv_slots
from .merge import MODES, joined, merged
from .recurrent import (
    INITIAL_STATE,
    Recurrence,
    RecurrentConfig,
    initial_states,
    kinds,
    slots_of_class,
    zeroed,
)

HALVES = ("forward", "backward")

ZEROED: frozenset[str] = frozenset({"tf_keras", "keras3"})
"""Vocabularies whose Bidirectional returns zeros, not the last result, for absent steps."""


class BidirectionalConfig(Config, frozen=True, kw_only=True):
    """What Bidirectional reads; the layers inside are in the names of Keras 2 already."""

    layer: Mapping[str, Any]
    backward_layer: Mapping[str, Any] | None = None
    merge_mode: Literal["sum", "mul", "concat", "ave"] | None = "concat"


Half = tuple[str, RecurrentConfig | ConvLSTMConfig]
"""A layer inside: its class and its configuration."""


def _halves(config: BidirectionalConfig) -> tuple[Half, Half]:
    """The layers inside; the backward one is the forward one turned round if it is not stated.

    Raises:
        ConfigError: One of them is none that this reads, or they do not go together.
    """
    class_name, forward = half_of(config.layer)
    if config.backward_layer is None:
        turned = msgspec.structs.replace(forward, go_backwards=not forward.go_backwards)
        return (class_name, forward), (class_name, turned)
    other, backward = half_of(config.backward_layer)
    common = ("return_sequences", "return_state", "stateful")
    if any(getattr(forward, key) != getattr(backward, key) for key in common):
        raise ConfigError("Bidirectional over layers that return different things")
    if forward.go_backwards == backward.go_backwards:
        raise ConfigError("Bidirectional over two layers of one direction")
    return (class_name, forward), (other, backward)


def half_of(stored: Mapping[str, Any]) -> Half:
    """A layer inside another, its configuration read.

    Raises:
        ConfigError: It is no recurrent layer, or its configuration has a value of another kind.
    """
    class_name, config = stored.get("class_name"), stored.get("config")
    if not isinstance(class_name, str) or class_name not in {*kinds(), *RANKS}:
        raise ConfigError(f"{class_name!r:.80} is no recurrent layer that kerasir knows")
    if not isinstance(config, Mapping):
        raise ConfigError(f"{class_name} without config")
    kind: type[RecurrentConfig | ConvLSTMConfig] = RecurrentConfig
    if class_name in RANKS:
        kind = ConvLSTMConfig
    try:
        return class_name, msgspec.convert(picked(kind, config), kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{class_name}: {error}") from error


def _slots_of(half: Half, era: str) -> Sequence[Slot]:
    class_name, config = half
    if isinstance(config, ConvLSTMConfig):
        return conv_slots(config, era)
    return slots_of_class(class_name, config, era)


def _recurrence(call: LayerCall, half: Half, prefix: str) -> Recurrence | ConvRecurrence:
    class_name, config = half
    if isinstance(config, ConvLSTMConfig):
        return ConvRecurrence(call, class_name, config, prefix)
    return Recurrence(call, class_name, config, prefix)


def _slots(config: Any, era: str) -> Sequence[Slot]:
    """The forward layer's arrays, then the backward layer's."""
    return tuple(
        Slot(f"{half}_{slot.name}")
        for half, inner in zip(HALVES, _halves(config), strict=True)
        for slot in _slots_of(inner, era)
    )


@translates(
    "Bidirectional",
    config=BidirectionalConfig,
    slots=_slots,
    places=("forward_layer/cell", "backward_layer/cell"),
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
    nodes = [
        half.node(x, begin, name, half.config.go_backwards)
        for name, begin, half in zip(HALVES, (states[:first], states[first:]), halves, strict=True)
    ]
    sequences = inner[0][1].return_sequences
    if sequences:
        forward, walked = (node.results[0] for node in nodes)
        axes = call.axes(walked)
        time = (axes[call.batch],)
        turned = call.add(ReverseTime(), [walked], axes, axes={"time": time}, part="turned")
        ends = _with_zeros(call, x, (forward, turned.result))
    else:
        ends = (nodes[0].results[1], nodes[1].results[1])
    results = _merged(call, config.merge_mode, ends)
    if sequences:
        for y in results:
            call.set_mask(y, call.mask(x))
    last = [s for node in nodes for s in node.results[1:]] if inner[0][1].return_state else []
    found = (*results, *last)
    return found if len(found) > 1 else found[0]


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
