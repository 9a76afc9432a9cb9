"""RNN over several cells, each step of which goes through all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from ....errors import ConfigError
from ....ir.graph import Layer, Value
from ..call import LayerCall
from ..registry import Config, Slot, translates
from .bidirectional import Half, half_of
from .recurrent import (
    INITIAL_STATE,
    Recurrence,
    RecurrentConfig,
    initial_states,
    slots_of_class,
    turned_mask,
)


class StackConfig(Config, frozen=True, kw_only=True):
    """What an RNN over cells reads; the cells are in the names of Keras 2 already, as layers."""

    cells: tuple[Mapping[str, Any], ...]
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    reverse_state_order: bool = False
    time_major: Literal[False] = False
    zero_output_for_mask: Literal[False] = False


def _cells(config: Any) -> list[tuple[str, Half]]:
    """Each cell with the prefix of its slots: all return sequences, the first alone turns round.

    Raises:
        ConfigError: One of them is none that this reads.
    """
    found: list[tuple[str, Half]] = []
    for index, stored in enumerate(config.cells):
        class_name, own = half_of(stored)
        if not isinstance(own, RecurrentConfig):
            raise ConfigError(f"a stack of cells with one of {class_name}")
        own = msgspec.structs.replace(own, stateful=config.stateful)
        found.append((f"cell_{index}_", (class_name, own)))
    return found


def _slots(config: Any, era: str) -> Sequence[Slot]:
    """The cells' arrays, one cell after the other."""
    return tuple(
        Slot(prefix + slot.name)
        for prefix, (class_name, own) in _cells(config)
        for slot in slots_of_class(class_name, own, era)  # type: ignore[arg-type]
    )


GROUPS: Mapping[str, str] = {
    "SimpleRNN": "simple_rnn_cell",
    "GRU": "gru_cell",
    "LSTM": "lstm_cell",
}
"""What a `.keras` file calls the group of the first cell of each class."""


def _places(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The groups of a `.keras` file (Keras 3.15 `saving_lib._save_container_state`)."""
    found, count = list[str](), dict.fromkeys(GROUPS, 0)
    for cell in config["cells"]:
        class_name = str(cell["class_name"])
        number = count[class_name]
        count[class_name] += 1
        found.append(f"cell/cells/{GROUPS[class_name]}" + (f"_{number}" if number else ""))
    return tuple(found)


@translates(
    "StackedRNNCells",
    config=StackConfig,
    slots=_slots,
    places=_places,
    arguments=(INITIAL_STATE,),
)
def stacked(call: LayerCall, x: Value, *states: Value) -> Value | tuple[Value, ...]:
    """One recurrent node per cell, the first along time or against it, the others as it walked.

    Where a step is absent, every cell keeps its state and the last result is repeated: what each
    node by itself does with the mask. Source: Keras 2.2.4 `layers/recurrent.py`
    `StackedRNNCells.call`, `state_size`.
    """
    config: StackConfig = call.config  # type: ignore[assignment]
    mask, cells = call.mask(x), _cells(config)
    begin = _by_cell(call, cells, initial_states(call, states))
    h, ends = x, list[tuple[Value, ...]]()
    for index, (prefix, (class_name, own)) in enumerate(cells):
        inner = call.inner(_layer(call.layer, config.cells[index], index))
        recurrence = Recurrence(inner, class_name, own, prefix)  # type: ignore[arg-type]
        node = recurrence.node(h, begin[index], "", config.go_backwards and index == 0)
        ends.append(node.results[1:])
        if index == 0 and mask is not None and config.go_backwards:
            mask = turned_mask(call, mask)
        h = node.results[0] if index + 1 < len(cells) else _result(config, node.results)
        call.set_mask(h, mask)
    if config.return_sequences:
        call.set_mask(h, call.mask(x))
    if not config.return_state:
        return h
    order = reversed(ends) if config.reverse_state_order else ends
    return (h, *(state for results in order for state in results))


def _result(config: StackConfig, results: Sequence[Value]) -> Value:
    return results[0] if config.return_sequences else results[1]


def _by_cell(
    call: LayerCall, cells: Sequence[tuple[str, Half]], states: Sequence[Value]
) -> list[Sequence[Value]]:
    """The initial states of each cell.

    Raises:
        ConfigError: There are more or fewer than the cells have.
    """
    config: StackConfig = call.config  # type: ignore[assignment]
    counts = [Recurrence(call, name, own).states for _, (name, own) in cells]  # type: ignore[arg-type]
    if not states:
        return [()] * len(cells)
    if len(states) != sum(counts):
        raise ConfigError(f"{call.class_name} with {len(states)} initial states")
    left, found = list(states), list[Sequence[Value]]()
    for count in reversed(counts) if config.reverse_state_order else counts:
        found.append(left[:count])
        del left[:count]
    return found[::-1] if config.reverse_state_order else found


def _layer(outer: Layer, stored: Mapping[str, Any], index: int) -> Layer:
    """The layer that a cell is: what the file says of the cell, where the RNN stands."""
    tag = f"cell_{index}"
    wrappers = tuple(
        msgspec.structs.replace(wrapper, name=f"{wrapper.name}_{tag}") for wrapper in outer.wrappers
    )
    kept = {**stored["config"], "trainable": outer.config.get("trainable", True)}
    return Layer(
        f"{outer.name}_{tag}",
        str(stored["class_name"]),
        kept,
        outer.source_class,
        outer.scope,
        wrappers,
    )
