"""The training record in the words of a dialect: what `compile` was told, and the state."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ...eras.optimizers import (
    CLIPPING,
    CONFIG,
    DECAYS,
    IDLE,
    MEANT,
    NAMES,
    OLD,
    ORDERS,
    OTHER_MEANING,
    OTHERWISE,
    POWERS,
    RENAMED,
    UNSAID,
    SlotOrder,
    computes_as_old,
    forgets_product,
    written_order,
)
from ...eras.schedules import read_schedule
from ...ir.graph import Graph
from ...ir.layout import Layout
from ...ir.report import Level, Report
from ...ir.source import ConstantSource
from ...ir.tensor import Param, Stored, Weight
from ...ir.training import Slot, Training
from .compiled import decaying, losses_and_metrics, optimizer, schedule
from .compiled_names import by_name
from .dialects import Dialect
from .network import Array, Network, stacked
from .order import trained
from .spell import called

COUNT, RATE, PRODUCT = "iterations", "learning_rate", "momentum_product"
SCALARS = frozenset({COUNT, RATE, PRODUCT})
SMALLEST = 1e-45
"""Below this a product is 0 in single precision."""

UNTOLD = frozenset({"name", "is_legacy_optimizer", "jit_compile"})
"""Keys that change nothing of what an optimizer computes."""

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
    training: Training,
    network: Network,
    graph: Graph,
    dialect: Dialect,
    report: Report,
    era: str,
    version: str,
    *,
    own: bool = False,
) -> State | None:
    """The record for a target; None if there is nothing that it could read.

    Args:
        training: The record.
        network: The file's layers, whose arrays the state follows.
        graph: The graph, which knows what the outputs were called.
        dialect: The target.
        report: Told what is carried and what is lost.
        era: Whose vocabulary the record is in.
        version: Of the Keras that the file states, which tells the order of the state.
        own: Whether the record is in the target's own words.
    """
    name = training.optimizer
    renamed = _output_names(network, graph)
    compiled = {key: _by_output(key, value, renamed) for key, value in training.compiled.items()}
    if name not in CONFIG[dialect.vocabulary]:
        _tell_no_optimizer(training, dialect, report, own=own)
        return State(compiled, ()) if own else None
    old = computes_as_old(era, training.config)
    kept_whole = own and dialect.form == "keras3"
    config = _optimizer_config(training, dialect, Report() if kept_whole else report, old=old)
    otherwise = OTHERWISE.get(dialect.vocabulary, {}).get(name)
    if otherwise and old != (dialect.vocabulary in OLD):
        report.add("KT102", "changed", f"{name} of {dialect.name}: {otherwise}", level="warning")
    order = written_order(dialect.vocabulary, name, version)
    arrays = _state(training, config, order, network, dialect, report) or ()
    steps_done = training.iterations if arrays and era not in OLD else 0
    if order is not None and steps_done and forgets_product(order, name):
        what = f"{name}'s product of momentums: {dialect.name} stores none, it begins anew at 1"
        report.add("KT202", "lost", what, level="warning")
    told: Mapping[str, Any] | None = compiled
    if not own and dialect.form == "keras3":
        told = losses_and_metrics(compiled, len(network.outputs), report)
    elif not own:
        told = by_name(compiled, dialect.vocabulary, report, one_metric=dialect.one_metric)
        if told is not None and dialect.forgets_names:
            told = _listed(told, network)
    if told is None:
        return None
    stated: Mapping[str, Any] = {"class_name": name, "config": config}
    if dialect.form == "keras3":
        stated = optimizer(name, training.config if kept_whole else config)
    record = {"optimizer_config": stated, **told}
    count = sum(1 for _, array in arrays if array.name not in SCALARS)
    kinds = {slot.kind for slot in training.slots}
    kind = f"{min(kinds)} " if len(kinds) == 1 else ""
    state = f"{name} with {count} {kind}arrays" if count else f"{name} without its state"
    if arrays and not count:
        state = f"{name}, which keeps nothing of its weights"
    elif training.iterations == 0 and not training.slots:
        state = f"{name} before its first step"
    counted = arrays and order is not None and order.counts and training.iterations
    steps = f", step {training.iterations:,}" if counted else ""
    report.add("KT101", "carried", f"{state}{steps}, loss and metrics")
    return State(record, arrays)


def _optimizer_config(
    training: Training, dialect: Dialect, report: Report, *, old: bool
) -> dict[str, Any]:
    name, vocabulary = training.optimizer, dialect.vocabulary
    known = (*CONFIG[vocabulary][name], *CLIPPING)
    renamed = {**RENAMED[vocabulary], **OTHER_MEANING.get(name, {})}
    found: dict[str, Any] = {}
    decay, scheduled = 0.0, None
    for stated, value in training.config.items():
        key = renamed.get(stated, stated)
        if stated == RATE and isinstance(value, Mapping):
            scheduled, found[key] = value, None  # keeps its place
        elif key in known and not isinstance(value, Mapping):
            if key not in CLIPPING or value is not None:
                found[key] = value
        elif stated == "decay" and vocabulary in DECAYS and isinstance(value, int | float):
            decay = value
        elif value and key not in UNTOLD and training.config.get(IDLE.get(stated, stated)):
            _lost(report, f"{name}.{stated} = {value!r:.80}")
    if scheduled is not None:
        found |= _scheduled(name, scheduled, dialect, report, fits=not found.get("decay"))
    unsaid = (UNSAID if old else MEANT).get(vocabulary, {}).get(name, {})
    found |= {key: value for key, value in unsaid.items() if found.get(key) is None}
    rate = found.get(RATE)
    if decay and isinstance(rate, int | float):
        found[DECAYS[vocabulary]] = decaying(rate, decay)
        report.add("KT103", "changed", f"{name}.decay = {decay:.6g} is written as a schedule")
    elif decay:
        _lost(report, f"{name}.decay = {decay}: the rate that it divides is no number")
    return {key: value for key, value in found.items() if value is not None}


def _scheduled(
    name: str, stated: Mapping[str, Any], dialect: Dialect, report: Report, *, fits: bool
) -> dict[str, Any]:
    """A rate that is a function of the step; where the target has none such, where it begins.

    Args:
        name: The optimizer's.
        stated: The schedule.
        dialect: The target.
        report: Told what becomes of it.
        fits: Whether the optimizer has no `decay` of its own, so that the schedule may be one.
    """
    vocabulary = dialect.vocabulary
    told = schedule(stated) if vocabulary in DECAYS else None
    if told is not None:
        return {DECAYS[vocabulary]: told}
    rate, key = read_schedule(stated), RENAMED[vocabulary].get(RATE, RATE)
    first = {} if rate.initial is None else {key: rate.initial}
    if first and fits and rate.decay is not None and "decay" in CONFIG[vocabulary][name]:
        what = f"{name}.{RATE}: {rate.name} is written as decay = {rate.decay:g}"
        report.add("KT103", "changed", what)
        return {**first, "decay": rate.decay}
    begins = f"the rate that it begins with, {rate.initial:g}, is written" if first else "left out"
    what = f"{name}.{RATE}: {dialect.name} has no schedule {rate.name or 'like it'!r:.80}"
    _lost(report, f"{what}; {begins}")
    return first


def _output_names(network: Network, graph: Graph) -> dict[str, str]:
    """What outputs are called now, by what they were called."""
    now = [tensor.call.layer.name for tensor in network.outputs]
    return dict(zip(graph.output_names, now, strict=True))


def _by_output(key: str, value: Any, renamed: Mapping[str, str]) -> Any:
    if key not in BY_OUTPUT or not isinstance(value, Mapping) or "class_name" in value:
        return value
    return {renamed.get(name, name): stated for name, stated in value.items()}


def _listed(told: Mapping[str, Any], network: Network) -> Mapping[str, Any]:
    """Losses in the order of the outputs, where one is of a Sequential, whose name is forgotten."""
    layers = [tensor.call.layer for tensor in network.outputs]
    if not any(layer.network and layer.network.kind == "sequential" for layer in layers):
        return told
    names = [layer.name for layer in layers]
    lists = {
        key: [told[key][name] for name in names]
        for key in ("loss", "loss_weights")
        if isinstance(told[key], Mapping) and set(names) == told[key].keys()
    }
    return {**told, **lists}


# ---- state --------------------------------------------------------------------------------------


def _state(
    training: Training,
    config: Mapping[str, Any],
    order: SlotOrder | None,
    network: Network,
    dialect: Dialect,
    report: Report,
) -> tuple[tuple[str, Array], ...] | None:
    """The optimizer's variables in the era's order; None where not every weight has its own."""
    if order is None or not (training.slots or training.iterations):
        return None
    if not order.counts and training.iterations:
        _tell_no_steps(training, config, dialect, report)
    pairs = trained(network)
    if ORDERS[dialect.vocabulary] == "by name":
        pairs.sort(key=lambda pair: called(pair[0], pair[1], dialect))
    weights = [array for _, array in pairs]
    computed = [array for array in weights if array.computed]
    fixed = next((array.weights[0] for array in computed if not array.follows), None)
    if fixed is not None:
        _lost(report, f"the state of {training.optimizer}: {fixed.name} is scaled")
        return None
    if order.rate and not isinstance(config.get(RATE), int | float | Mapping):
        _lost(report, f"the state of {training.optimizer}: its learning rate is no number")
        return None
    amiss = [key for key in MOMENTUMS if not isinstance(config.get(key, 1.0), int | float)]
    if amiss:
        _lost(report, f"the state of {training.optimizer}: its {amiss[0]} is no number")
        return None
    by_weight = {(slot.kind, slot.weight): slot for slot in training.slots}
    for kind, key in order.idle.items():
        if not config.get(key):
            held = (weight for array in weights for weight in array.weights)
            by_weight = {(kind, weight): _at_rest(kind, weight) for weight in held} | by_weight
    runs = order.runs(config)  # in which kinds stand together for each weight
    empty = [kind for kind in order.unread if (kind,) not in runs]
    missing = [
        weight
        for kind in itertools.chain(*runs)
        for array in weights
        for weight in array.weights
        if (kind, weight) not in by_weight
    ]
    if missing:
        _lost(report, f"the state of {training.optimizer}: it has none for {missing[0].name}")
        return None
    if computed and runs:
        what = f"of {len(computed)} arrays that are written scaled: steps there have another size"
        report.add("KT104", "changed", f"the state {what}", level="warning")
    found = [_slot(kind, array, by_weight) for run in runs for array in weights for kind in run]
    found += [_empty(kind) for kind in empty for _ in weights]
    return tuple(_named(training, config, order, found, dialect))


def _named(
    training: Training,
    config: Mapping[str, Any],
    order: SlotOrder,
    arrays: Sequence[Array],
    dialect: Dialect,
) -> list[tuple[str, Array]]:
    """All variables with names as the target gives them; every Keras loads by order alone."""
    steps, names = training.iterations or 0, NAMES[dialect.vocabulary]
    held = list(arrays)
    product = _scalar(PRODUCT, _momentums(steps, config), "float32")
    held[:0] = [product] * order.passed
    if order.rate and not isinstance(config[RATE], Mapping):
        held.insert(0, _scalar(RATE, config[RATE], "float32"))
    if order.counts:
        held.insert(0, _scalar(COUNT, steps, names.dtype))
    if order.product:
        held.append(product)
    found: list[tuple[str, Array]] = []
    for number, array in enumerate(held):
        pattern = names.scalar if array.name in SCALARS else names.slot
        said = {"optimizer": training.optimizer, "name": array.name, "number": number}
        found.append((pattern.format(**said), array))
    return found


MOMENTUMS = ("beta_1", "schedule_decay")
"""What the product of momentums is computed of."""


def _momentums(steps: int, config: Mapping[str, Any]) -> float:
    """Nadam's product of the momentums of all steps done.

    Source: Keras 3.15 `optimizers/nadam.py` (`_backend_update_step`); Keras 2.3.1 `optimizers.py`
    (`Nadam.get_updates`), whose schedule goes slower by a factor of its own.
    """
    product, beta = 1.0, float(config.get("beta_1", 0.9))
    pace = float(config.get("schedule_decay", 1.0))
    for step in range(1, steps + 1):
        product *= beta * (1.0 - 0.5 * 0.96 ** (step * pace))
        if product < SMALLEST:
            return 0.0
    return product


def _slot(kind: str, array: Array, slots: Mapping[tuple[str, Weight], Slot]) -> Array:
    """A slot goes wherever its weight goes."""
    if array.again is not None:  # made of another weight by arithmetic
        (part,) = array.parts
        held = _slot(kind, part, slots)
        weight = array.again(held.param, POWERS[kind])
        param = msgspec.structs.replace(array.param, weight=weight)
        return Array(kind, param, array.layout, shown=array.shown)
    if array.parts:
        first, second = (_slot(kind, part, slots) for part in array.parts)
        return stacked(first, second)
    slot = slots[kind, array.param.weight]
    weight = Weight(f"{slot.weight.name}/{kind}", slot.sources)
    param = msgspec.structs.replace(array.param, weight=weight)
    return Array(kind, param, array.layout, shown=array.shown)


def _at_rest(kind: str, weight: Weight) -> Slot:
    """A slot that has gathered nothing."""
    zeros = (ConstantSource(0.0, source.shape, source.dtype) for source in weight.sources)
    return Slot(kind, weight, tuple(zeros))


def _empty(kind: str) -> Array:
    """A slot that the optimizer keeps and does not use, of shape (1,)."""
    layout = Layout.parse("X:1")
    weight = Weight(kind, (ConstantSource(0.0, (1,)),))
    return Array(kind, Param(weight, (Stored(layout),)), layout)


def _scalar(name: str, value: float, dtype: str) -> Array:
    layout = Layout(())
    weight = Weight(name, (ConstantSource(value, (), dtype),))
    return Array(name, Param(weight, (Stored(layout),)), layout)


def _tell_no_optimizer(training: Training, dialect: Dialect, report: Report, *, own: bool) -> None:
    """Say what goes with an optimizer that the target cannot be told: all that `compile` was.

    Of the target's own words all stay but the state.
    """
    if training.optimizer:
        name = training.optimizer
        _lost(report, f"the optimizer {name}: {dialect.name} has none of this name")
    told = [key for key in BY_OUTPUT if training.compiled.get(key)]
    if told and not own:
        values = ", ".join(f"{key} = {training.compiled[key]!r:.80}" for key in told)
        _lost(report, f"{values}: {dialect.name} reads no training record without an optimizer")


def _tell_no_steps(
    training: Training, config: Mapping[str, Any], dialect: Dialect, report: Report
) -> None:
    """Say that the number of steps stays behind, which a decay of the rate goes by."""
    name, decays = training.optimizer, bool(config.get("decay"))
    steps = f"the {training.iterations:,} steps of {name}: {dialect.name} stores no number of them"
    effect = "its decay begins anew" if decays else "its state is carried, nothing depends on them"
    level: Level = "warning" if decays else "note"
    report.add("KT202", "lost", f"{steps}; {effect}", level=level)


def _lost(report: Report, what: str) -> None:
    report.add("KT201", "lost", what, level="warning")
