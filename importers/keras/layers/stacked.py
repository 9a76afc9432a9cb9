"""RNN over several cells, each step of which goes through all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from ....eras.recurrence import cell_groups, states_reversed
from ....errors import ConfigError
from ....ir.graph import Node, Value
from ....ir.layout import size_of
from ....ir.ops.recurrent import FillAbsent
from ....ir.parts import FILLED, TURNED_MASK, cell_part, of_half
from ..call import LayerCall
from ..registry import Config, Slot, translates
from .recurrent import (
    INITIAL_STATE,
    Recurrence,
    RecurrentConfig,
    initial_states,
    inner_layer,
    kinds,
    slots_of_class,
)
from .runs import Run, fitted, gives_state, returned, tell_of_idle, turned_mask

STACK = "StackedRNNCells"
"""What an RNN over several cells is called here: after what Keras makes of a list of cells."""


class StackConfig(Config, frozen=True, kw_only=True):
    """What an RNN over cells reads; the cells are in the names of Keras 2 already, as layers.

    Attributes:
        cells: As layers, each with its class and configuration.
        stack: What the file says of the cells together: their name.
    """

    cells: tuple[Mapping[str, Any], ...]
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    reverse_state_order: bool | None = None
    unroll: bool = False
    stack: Mapping[str, Any] = {}
    time_major: Literal[False] = False
    zero_output_for_mask: bool = False


Cell = tuple[str, RecurrentConfig]
"""The layer that a cell is: its class and its configuration."""


def _cells(config: StackConfig) -> list[Cell]:
    """Each cell as a layer: all return sequences, the first alone turns round.

    Raises:
        ConfigError: One of them is none that this reads.
    """
    known = dict.fromkeys(kinds(), RecurrentConfig)
    found = [inner_layer(stored, known) for stored in config.cells]
    said = {"stateful": config.stateful, "unroll": config.unroll}
    return [(name, msgspec.structs.replace(own, **said)) for name, own in found]


def _trains(stored: Any) -> bool:
    return stored["config"].get("trainable") is not False


def _as_stored(cells: Sequence[Any]) -> list[int]:
    """The cells in the order of their arrays: those that train, then those that do not.

    Source: Keras 2.2.4 `layers/recurrent.py` `StackedRNNCells.trainable_weights`; a genuine file.
    """
    return sorted(range(len(cells)), key=lambda index: not _trains(cells[index]))


def stack_slots(config: StackConfig, era: str) -> Sequence[Slot]:
    """The cells' arrays, one cell after the other."""
    cells = _cells(config)
    return tuple(
        Slot(f"cell_{index}_{slot.name}", trainable=_trains(config.cells[index]))
        for index in _as_stored(config.cells)
        for slot in slots_of_class(*cells[index], era)
    )


def stack_places(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The groups of a `.keras` file, in the order of the arrays."""
    found = stack_groups(config)
    return tuple(sorted(found, key=lambda place: not found[place]))


def stack_groups(config: Mapping[str, Any]) -> dict[str, bool]:
    """The groups of the cells in a `.keras` file, and whether each trains."""
    cells = config["cells"]
    return dict(
        zip(cell_groups(str(c["class_name"]) for c in cells), map(_trains, cells), strict=True)
    )


class Stack:
    """The cells of one RNN over an input: one recurrent node per cell.

    Where a step is absent, every cell keeps its state and the last result is repeated: what each
    node by itself does with the mask. Before 2.3 on TensorFlow the state of the first cell comes
    out there. Source: Keras 2.2.4 `layers/recurrent.py` `StackedRNNCells.call`, `state_size`.

    Attributes:
        call: The layer.
        config: As the layer stores it.
        prefix: Of the slots' names: Bidirectional has two sets.
        states: How many states the cells hand from step to step.
    """

    def __init__(self, call: LayerCall, config: StackConfig, prefix: str = "") -> None:
        self.call, self.config, self.prefix = call, config, prefix
        self._cells = [
            Recurrence(call, *cell, f"{prefix}cell_{index}_")
            for index, cell in enumerate(_cells(config))
        ]
        self.states = sum(cell.states for cell in self._cells)

    def run(self, x: Value, states: Sequence[Value], part: str, backwards: bool) -> Run:
        """The nodes: the first along time or against it, the others as it walked.

        Args:
            x: The input `batch time features`.
            states: Initial states of all cells, or none.
            part: Of the layer, for Bidirectional.
            backwards: Whether time is walked from the end.

        Raises:
            ConfigError: The source has no such layer.
        """
        call, mask, begin = self.call, self.call.mask(x), self._begin(states)
        h, nodes = x, list[Node]()
        for index, cell in enumerate(self._cells):
            name = cell_part(index, part)
            nodes.append(cell.node(h, begin[index], name, backwards and index == 0))
            h = nodes[-1].results[0]
            if index == 0 and mask is not None and backwards:
                mask = turned_mask(call, mask, of_half(part, TURNED_MASK))
            call.set_mask(h, mask)
        order = reversed(nodes) if self._is_reversed else nodes
        ends = tuple(state for node in order for state in node.results[1:])
        if mask is not None and len(nodes) > 1 and self._gives_first:
            filled = self._filled(h, mask, nodes[0].results[0], of_half(part, FILLED))
            return Run(filled.results[0], filled.results[1], ends)
        return Run(h, nodes[-1].results[1], ends)

    @property
    def _gives_first(self) -> bool:
        """Whether an absent step gives the state of the first cell, not what the last one gave."""
        unrolled = self.config.unroll
        return gives_state(self.call.era, unrolled=unrolled) and not self._is_reversed

    def _filled(self, h: Value, mask: Value, first: Value, part: str) -> Node:
        """What comes out where absent steps give what the first cell has, in the order walked.

        Raises:
            ConfigError: The cells are not of one size, so that Keras cannot make the layer either.
        """
        call, axes, others = self.call, self.call.axes(h), self.call.axes(first)
        sizes = size_of(axes[-1]), size_of(others[-1])
        if len(set(sizes)) > 1:
            raise ConfigError(
                f"cells of {sizes[1]} and {sizes[0]} units behind a mask: Keras "
                f"{call.era.version} on TensorFlow gives the state of the first for steps that "
                "are absent, and cannot make a layer where that has another size"
            )
        mask = fitted(call, mask, axes[:-1], "mask")
        bound = {"batch": axes[: call.batch], "time": axes[-2:-1], "units": axes[-1:]}
        bound["fill_units"] = others[-1:]
        inputs, state = [h, mask, first], (*axes[: call.batch], axes[-1])
        return call.add(FillAbsent(), inputs, axes, state, axes=bound, part=part)

    @property
    def _is_reversed(self) -> bool:
        stated, era = self.config.reverse_state_order, self.call.era
        return states_reversed(era.vocabulary, era.version) if stated is None else stated

    def _begin(self, states: Sequence[Value]) -> list[Sequence[Value]]:
        """The initial states of each cell."""
        if not states:
            return [()] * len(self._cells)
        counts = [cell.states for cell in self._cells]
        left, found = list(states), list[Sequence[Value]]()
        for count in reversed(counts) if self._is_reversed else counts:
            found.append(left[:count])
            del left[:count]
        return found[::-1] if self._is_reversed else found


def _slots(config: Any, era: str) -> Sequence[Slot]:
    return stack_slots(config, era)


@translates(
    STACK,
    config=StackConfig,
    slots=_slots,
    places=stack_places,
    arguments=(INITIAL_STATE,),
)
def stacked(call: LayerCall, x: Value, *states: Value) -> Value | tuple[Value, ...]:
    """RNN over cells."""
    config: StackConfig = call.config  # type: ignore[assignment]
    stack, states = Stack(call, config), initial_states(call, states)
    if len(states) not in {0, stack.states}:
        raise ConfigError(f"{call.class_name} with {len(states)} initial states")
    tell_of_idle(call, x, states, sequences=config.return_sequences, unrolled=config.unroll)
    run = stack.run(x, states, "", config.go_backwards)
    result = returned(call, x, run, config)
    return (result, *run.states) if config.return_state else result
