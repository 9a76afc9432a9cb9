"""What a file holds: facts, layers, weights, training, notes. No number of a weight is read."""

from __future__ import annotations

import math
import os
from typing import Any

from msgspec.structs import replace

from ..eras.storage import backend_of
from ..errors import ConfigError
from ..importers.keras.archive import Archive, read_archive
from ..importers.keras.facts import era_of
from ..importers.keras.proposals import proposal
from ..importers.keras.read import import_model
from ..ir.graph import Value
from ..ir.model import Fact, Facts, Model
from .lint import chosen, lint
from .notes import notes_of
from .records import (
    Inspection,
    LayerRow,
    Note,
    PortRow,
    SlotRow,
    TrainingRow,
    WeightRow,
)
from .rows import layer_rows

__all__ = [
    "Inspection",
    "LayerRow",
    "Note",
    "PortRow",
    "SlotRow",
    "TrainingRow",
    "WeightRow",
    "chosen",
    "inspect_file",
    "inspect_model",
    "lint_file",
]


def inspect_file(path: str, **reading: Any) -> Inspection:
    """What a file holds; weights without an architecture are listed as they are.

    Args:
        path: Any file that `load` reads.
        reading: What `load` takes.

    Raises:
        KerasirError: It cannot be read.
    """
    from ..loading import load

    if path.lower().endswith(".kerasir"):
        return _kept(path, load(path, **reading))
    try:
        return inspect_model(load(path, **reading))
    except ConfigError:
        if reading.get("arch") is not None:
            raise
        archive = read_archive(path, isolated=bool(reading.get("isolated")))
        if archive.config is not None:
            raise
    return _bare_weights(archive)


def lint_file(path: str, **reading: Any) -> tuple[tuple[Note, ...], int]:
    """The findings of a whole model, and how many layers it has.

    Args:
        path: Any file that `load` reads.
        reading: What `load` takes.

    Raises:
        KerasirError: It cannot be read.
    """
    from ..loading import load

    model = load(path, **reading)
    return lint(model, path), sum(layer.class_name != "InputLayer" for layer in model.layers)


def _kept(path: str, model: Model) -> Inspection:
    """A model that kerasir wrote: its facts are those of the file it was read from."""
    found, facts = inspect_model(model), model.facts
    origin = Note(
        code="KE209",
        message=f"read from {os.path.basename(facts.path)}, {facts.bytes:,} bytes, which the facts "
        "above are of",
    )
    here = replace(facts, path=path, bytes=os.path.getsize(path), container="kerasir")
    return replace(found, facts=here, notes=(*found.notes, origin))


def inspect_model(model: Model) -> Inspection:
    """What a model holds."""
    weights = list(model.graph.weights())
    named = zip(model.graph.output_names, model.graph.outputs, strict=True)
    return Inspection(
        facts=model.facts,
        kind=model.kind,
        name=model.name,
        rows=layer_rows(model),
        inputs=tuple(_port(value.name, value) for value in model.graph.inputs),
        outputs=tuple(_port(name, value) for name, value in named),
        training=_training(model),
        notes=notes_of(model),
        layers=sum(layer.class_name != "InputLayer" for layer in model.layers),
        arrays=sum(len(weight.sources) for weight in weights),
        parameters=sum(weight.count for weight in weights),
        untrained=sum(weight.count for weight in weights if not weight.trainable),
    )


def _port(name: str, value: Value) -> PortRow:
    return PortRow(name, str(value.layout), value.dtype)


def _training(model: Model) -> TrainingRow | None:
    record = model.training
    if record is None:
        return None
    return TrainingRow(
        optimizer=record.optimizer,
        config=record.config,
        step=record.iterations,
        slots=tuple(SlotRow(slot.kind, slot.weight.name) for slot in record.slots),
        loss=record.compiled.get("loss"),
        metrics=record.compiled.get("metrics"),
    )


def _bare_weights(archive: Archive) -> Inspection:
    """Arrays by layer, as the file names them."""
    era, version = era_of(archive)
    names = [weight.name for group in archive.groups for weight in group.weights]
    colon = sum(name.endswith(":0") for name in names)
    rows = tuple(
        LayerRow(
            name=group.name or group.layer,
            class_name="",
            weights=tuple(
                WeightRow(
                    name=weight.name,
                    stored=(weight.path,),
                    dtype=str(weight.source.dtype),
                    shape=weight.source.shape,
                    layout="",
                    parameters=math.prod(weight.source.shape),
                    trainable=True,
                )
                for weight in group.weights
            ),
        )
        for group in archive.groups
    )
    if (named := backend_of(archive.backend)) is not None:
        backend = Fact(named, "file", "attribute backend")
    elif colon:
        backend = Fact("tensorflow", "inferred", f'weight names end in ":0" ({colon})')
    else:
        backend = Fact(None, "unknown", "weight names do not tell")
    return Inspection(
        facts=Facts(
            path=archive.path,
            bytes=archive.size,
            container=archive.container,
            content="weights",
            era=era,
            version=version,
            backend=backend,
            ordering=Fact(None, "unknown", "only an architecture says"),
        ),
        rows=rows,
        layers=len(archive.groups),
        arrays=len(names),
        parameters=sum(row.parameters for row in rows),
        notes=(_which_architecture(archive),),
    )


def _which_architecture(archive: Archive) -> Note:
    """What weights alone lack, and which architecture they fit."""
    found = proposal(archive, import_model)
    message = "an architecture says what they mean" if found is None else found.reason
    arch = "model.json" if found is None else found.arch
    return Note(code="KE202", message=f"weights only: {message}", fix=f"--arch {arch}")
