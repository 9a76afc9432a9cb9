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
from .merge import MODES, joined, merged
from .recurrent import Recurrence, RecurrentConfig, kinds, slots_of_class

HALVES = ("forward", "backward")


class BidirectionalConfig(Config, frozen=True, kw_only=True):
    """What Bidirectional reads; `layer` is in the names of Keras 2 already."""

    layer: Mapping[str, Any]
    backward_layer: Mapping[str, Any] | None = None
    merge_mode: Literal["sum", "mul", "concat", "ave"] | None = "concat"


def _inner(config: BidirectionalConfig) -> tuple[str, RecurrentConfig]:
    """The class and configuration of the layer inside.

    Raises:
        ConfigError: It is none that this reads.
    """
    class_name, stored = config.layer.get("class_name"), config.layer.get("config")
    if not isinstance(class_name, str) or class_name not in kinds():
        raise ConfigError(f"Bidirectional over a layer of class {class_name!r:.80}")
    if config.backward_layer is not None:
        raise ConfigError("Bidirectional with a backward layer of another configuration")
    if not isinstance(stored, Mapping):
        raise ConfigError(f"Bidirectional over a {class_name} without config")
    fields = RecurrentConfig.__struct_fields__
    picked = {key: stored[key] for key in fields if stored.get(key) is not None}
    try:
        return class_name, msgspec.convert(picked, RecurrentConfig)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{class_name}: {error}") from error


def _slots(config: Any, era: str) -> Sequence[Slot]:
    """The forward layer's arrays, then the backward layer's."""
    class_name, inner = _inner(config)
    own = slots_of_class(class_name, inner, era)
    return tuple(Slot(f"{half}_{slot.name}") for half in HALVES for slot in own)


@translates("Bidirectional", config=BidirectionalConfig, slots=_slots)
def bidirectional(call: LayerCall, x: Value, *states: Value) -> Value | tuple[Value, ...]:
    """Bidirectional: the backward layer's sequences are turned round before the two are merged.

    Source: Keras 2.2.4 `layers/wrappers.py`.
    """
    config: BidirectionalConfig = call.config  # type: ignore[assignment]
    class_name, inner = _inner(config)
    count = kinds()[class_name].states
    if len(states) not in {0, 2 * count}:
        raise ConfigError(f"Bidirectional with {len(states)} initial states")
    nodes = [
        Recurrence(call, class_name, inner, f"{half}_").node(
            x, states[index * count : (index + 1) * count], half, inner.go_backwards != bool(index)
        )
        for index, half in enumerate(HALVES)
    ]
    if inner.return_sequences:
        forward, walked = (node.results[0] for node in nodes)
        time = (call.axes(walked)[-2],)
        turned = call.add(
            ReverseTime(), [walked], call.axes(walked), axes={"time": time}, part="turned"
        )
        halves = (forward, turned.result)
    else:
        halves = (nodes[0].results[1], nodes[1].results[1])
    results = _merged(call, config.merge_mode, halves)
    if inner.return_sequences:
        for y in results:
            call.set_mask(y, call.mask(x))
    last = [state for node in nodes for state in node.results[1:]] if inner.return_state else []
    found = (*results, *last)
    return found if len(found) > 1 else found[0]


def _merged(call: LayerCall, mode: str | None, halves: tuple[Value, Value]) -> tuple[Value, ...]:
    if mode is None:
        return halves
    if mode == "concat":
        return (joined(call, halves, -1, part="merge"),)
    return (merged(call, MODES[mode], halves, part="merge"),)
