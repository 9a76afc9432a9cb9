"""The training record in the words of a dialect: what `compile` was told, and the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ...eras.optimizers import CLIPPING, CONFIG, RENAMED, SLOTS, SlotOrder
from ...ir.graph import Graph
from ...ir.layout import Layout
from ...ir.report import Report
from ...ir.source import ConstantSource
from ...ir.tensor import Param, Stored, Weight
from ...ir.training import Slot, Training
from .dialects import Dialect
from .network import Array, Network, stacked
from .order import trained

COUNT = "iterations"
BY_OUTPUT = ("loss", "loss_weights", "metrics", "weighted_metrics", "sample_weight_mode")
"""Parts of the record that may be stated per output, by its layer's name."""


class State(msgspec.Struct, frozen=True, eq=False):
    """What is written of training.

    Attributes:
        config: The `training_config`.
        arrays: The optimizer's variables, in order, under the names that the file gives them.
    """

    config: Mapping[str, Any]
    arrays: tuple[tuple[str, Array], ...]


def spell_training(
    training: Training, network: Network, graph: Graph, dialect: Dialect, report: Report
) -> State | None:
    """The record for a target; None if there is nothing that it could read.

    Args:
        training: The record.
        network: The file's layers, whose arrays the state follows.
        graph: The graph, which knows what the outputs were called.
        dialect: The target.
        report: Told what is carried and what is lost.
    """
    name = training.optimizer
    if name not in CONFIG[dialect.vocabulary]:
        if name:
            _lost(report, f"the optimizer {name}: {dialect.name} has none of this name")
        return None
    config = _optimizer_config(training, dialect, report)
    renamed = _output_names(network, graph)
    compiled = {key: _by_output(key, value, renamed) for key, value in training.compiled.items()}
    arrays = _state(training, network, dialect, report) or ()
    record = {"optimizer_config": {"class_name": name, "config": config}, **compiled}
    count = sum(1 for _, array in arrays if array.name != COUNT)
    state = f"{name} with {count} arrays" if count else f"{name} without its state"
    steps = f", step {training.iterations:,}" if count and training.iterations else ""
    report.add("KT101", "carried", f"{state}{steps}, loss and metrics")
    return State(record, arrays)


def _optimizer_config(training: Training, dialect: Dialect, report: Report) -> dict[str, Any]:
    known = (*CONFIG[dialect.vocabulary][training.optimizer], *CLIPPING)
    renamed = RENAMED[dialect.vocabulary]
    found: dict[str, Any] = {}
    for stated, value in training.config.items():
        key = renamed.get(stated, stated)
        if key in known and not isinstance(value, Mapping):
            if key not in CLIPPING or value is not None:
                found[key] = value
        elif value and key != "name":
            _lost(report, f"{training.optimizer}.{stated} = {value!r:.80}")
    return found


def _output_names(network: Network, graph: Graph) -> dict[str, str]:
    """What outputs are called now, by what they were called."""
    now = [tensor.call.layer.name for tensor in network.outputs]
    return dict(zip(graph.output_names, now, strict=True))


def _by_output(key: str, value: Any, renamed: Mapping[str, str]) -> Any:
    if key not in BY_OUTPUT or not isinstance(value, Mapping) or "class_name" in value:
        return value
    return {renamed.get(name, name): stated for name, stated in value.items()}


# ---- state --------------------------------------------------------------------------------------


def _state(
    training: Training, network: Network, dialect: Dialect, report: Report
) -> tuple[tuple[str, Array], ...] | None:
    """The optimizer's variables in the era's order; None where not every weight has its own."""
    order = SLOTS[dialect.vocabulary].get(training.optimizer)
    if order is None or not training.slots:
        return None
    weights = [array for _, array in trained(network)]
    computed = next((array.weights[0] for array in weights if array.computed), None)
    if computed is not None:
        _lost(report, f"the state of {training.optimizer}: {computed.name} is scaled")
        return None
    by_weight = {(slot.kind, slot.weight): slot for slot in training.slots}
    kinds = list(order.kinds)
    empty = list(order.unread)
    if training.config.get("amsgrad"):
        kinds, empty = kinds + empty, []
    missing = [
        weight
        for kind in kinds
        for array in weights
        for weight in array.weights
        if (kind, weight) not in by_weight
    ]
    if missing:
        _lost(report, f"the state of {training.optimizer}: it has none for {missing[0].name}")
        return None
    runs = [_slot(kind, array, by_weight) for kind in kinds for array in weights]
    unread = [_empty(kind) for kind in empty for _ in weights]
    return tuple(_named(training, order, [*runs, *unread]))


def _named(
    training: Training, order: SlotOrder, arrays: Sequence[Array]
) -> list[tuple[str, Array]]:
    """Names as Keras 2.2.4 gives them; it loads by order alone."""
    name = training.optimizer
    first = 1 if order.counts else 0
    found = [(f"training/{name}/variable_{i}", array) for i, array in enumerate(arrays, first)]
    if not order.counts:
        return found
    return [(f"{name}/{COUNT}", _scalar(training.iterations or 0)), *found]


def _slot(kind: str, array: Array, slots: Mapping[tuple[str, Weight], Slot]) -> Array:
    """A slot goes wherever its weight goes."""
    if array.parts:
        first, second = (_slot(kind, part, slots) for part in array.parts)
        return stacked(first, second)
    slot = slots[kind, array.param.weight]
    weight = Weight(f"{slot.weight.name}/{kind}", slot.sources)
    return Array(kind, Param(weight, array.param.stored), array.layout, shown=array.shown)


def _empty(kind: str) -> Array:
    """A slot that the optimizer keeps and does not use, of shape (1,)."""
    layout = Layout.parse("X:1")
    weight = Weight(kind, (ConstantSource(0.0, (1,)),))
    return Array(kind, Param(weight, (Stored(layout),)), layout)


def _scalar(count: int) -> Array:
    layout = Layout(())
    weight = Weight(COUNT, (ConstantSource(count, (), "int64"),))
    return Array(COUNT, Param(weight, (Stored(layout),)), layout)


def _lost(report: Report, what: str) -> None:
    report.add("KT201", "lost", what, level="warning")
