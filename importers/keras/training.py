"""The training record: optimizer, loss, and state tied to the weights by identity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace

from ...eras.optimizers import ORDERS, SlotOrder, orders
from ...ir.report import Report
from ...ir.source import GatheredSource, PartSource, Source
from ...ir.tensor import Weight
from ...ir.training import Slot, Training
from .archive.record import Archive, StoredWeight
from .spec import ModelSpec, Path, leaves

OPTIMIZER = frozenset({"optimizer_config", "optimizer"})
"""Where the record of HDF5, and that of `.keras`, has the optimizer."""

TAKEN = (PartSource, GatheredSource)
"""Sources that take elements of a stored array; slots of an optimizer have theirs at the same
places."""

Weights = Mapping[Path, Mapping[str, Weight]]


def read_training(
    archive: Archive, model: ModelSpec, weights: Weights, vocabulary: str, report: Report
) -> Training | None:
    """What the file says of training; None if it says nothing.

    A list of slots that does not match the weights in count and shape is dropped whole, and that
    is told: shifted by one, it would be silently wrong.
    """
    compiled = archive.training_config
    if compiled is None:
        return None
    if model.kind == "subclassed":
        if archive.optimizer_weights:
            report.add(
                "KT201",
                "lost",
                "the state of the optimizer: the order of the weights is in the author's code",
                level="warning",
            )
        return None
    stated = compiled.get("optimizer_config", compiled.get("optimizer"))
    optimizer = stated if isinstance(stated, Mapping) else {}
    name = str(optimizer.get("class_name") or "").rsplit(">", 1)[-1]
    config = optimizer.get("config")
    rest = {key: value for key, value in compiled.items() if key not in OPTIMIZER}
    known = config if isinstance(config, Mapping) else {}
    iterations: int | None = None
    slots: tuple[Slot, ...] = ()
    if archive.optimizer_weights:
        trained = _trained(model, weights, vocabulary)
        tried = (
            _match(archive.optimizer_weights, order, known, trained)
            for order in orders(vocabulary, name, known)
        )
        found = next((match for match in tried if match is not None), None)
        if found is None:
            report.add(
                "KT201",
                "lost",
                f"the state of {name or 'the optimizer'}: its {len(archive.optimizer_weights)} "
                "arrays do not fit the weights in count and shape",
                level="warning",
            )
        else:
            iterations, slots = found
    return Training(
        optimizer=name,
        config=dict(known),
        iterations=iterations,
        slots=slots,
        compiled=rest,
    )


class Trained(msgspec.Struct, frozen=True):
    """A stored array that training changes, and the weights that are made of it.

    Attributes:
        name: Of the array.
        weights: Each with the number of its source that is this array, or a part of it.
        whole: The array.
    """

    name: str
    weights: tuple[tuple[Weight, int], ...]
    whole: Source


def _trained(model: ModelSpec, weights: Weights, vocabulary: str) -> list[Trained]:
    """The trainable arrays in the order in which the era's optimizers list them.

    Every stored array counts by itself, so a weight of several arrays comes several times; several
    weights that are parts of one array come together.
    """
    found: list[Trained] = []
    for layer in model.layers:
        for path, leaf in leaves(layer):
            if not (layer.trainable and leaf.trainable):
                continue
            for weight in _stored_order(weights.get(path, {})):
                if weight.trainable:
                    _add(found, weight)
    if ORDERS.get(vocabulary) == "by name":
        found.sort(key=lambda one: one.name)
    return found


def _add(found: list[Trained], weight: Weight) -> None:
    for index, (name, source) in enumerate(zip(weight.stored_names, weight.sources, strict=True)):
        whole = source.whole if isinstance(source, TAKEN) else source
        if found and found[-1].whole is whole:
            last = found.pop()
            found.append(replace(last, weights=(*last.weights, (weight, index))))
        else:
            found.append(Trained(name, ((weight, index),), whole))


def _stored_order(weights: Mapping[str, Weight]) -> Sequence[Weight]:
    return list(weights.values())


def _match(
    stored: Sequence[StoredWeight],
    order: SlotOrder,
    config: Mapping[str, Any],
    trained: Sequence[Trained],
) -> tuple[int | None, tuple[Slot, ...]] | None:
    """Steps done, and slots by the era's order; None if count or shapes do not fit."""
    arrays = list(stored)
    iterations = None
    if order.counts:
        if not arrays or math.prod(arrays[0].source.shape) != 1:
            return None
        iterations = _scalar(arrays.pop(0).source)
    del arrays[: order.passed]
    if order.rate and not isinstance(config.get("learning_rate"), Mapping):
        del arrays[:1]
    if not (arrays or iterations):  # not yet trained: slots come with the first step
        return iterations, ()
    runs = order.runs(config)
    count = len(trained) * sum(map(len, runs))
    if len(arrays) < count or (not order.rate and len(arrays) % max(1, len(trained))):
        return None
    slots: list[Slot] = []
    for run in runs:
        held = arrays[: len(trained) * len(run)]
        del arrays[: len(held)]
        for index, kind in enumerate(run):
            mine = held[index :: len(run)]
            if not all(map(_fits, mine, trained)):
                return None
            slots.extend(_gathered(kind, mine, trained))
    return iterations, tuple(slots)


def _fits(array: StoredWeight, trained: Trained) -> bool:
    return array.source.shape == trained.whole.shape


def _gathered(kind: str, run: Sequence[StoredWeight], trained: Sequence[Trained]) -> list[Slot]:
    """One slot per weight, with as many sources as the weight has, in the weight's own order."""
    by_weight: dict[Weight, dict[int, Source]] = {}
    for array, one in zip(run, trained, strict=True):
        for weight, index in one.weights:
            held, part = by_weight.setdefault(weight, {}), weight.sources[index]
            held[index] = part.of(array.source) if isinstance(part, TAKEN) else array.source
    return [
        Slot(kind, weight, tuple(sources[index] for index in sorted(sources)))
        for weight, sources in by_weight.items()
    ]


def _scalar(source: Source) -> int:
    held = np.empty(1, source.dtype)
    source.read_into(0, held)
    return int(held[0])
