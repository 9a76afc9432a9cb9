"""What a file holds, as plain records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..ir.model import Facts
from ..ir.report import Level


class WeightRow(msgspec.Struct, frozen=True, kw_only=True):
    """One weight of a layer.

    Attributes:
        name: In its layer: `kernel`.
        stored: The path of each stored array.
        dtype: As stored.
        shape: Extents as stored, of the first array.
        layout: How the first array lies; "" where nobody knows.
        parameters: Numbers in all of its arrays.
        trainable: Whether training changes it.
    """

    name: str
    stored: tuple[str, ...]
    dtype: str
    shape: tuple[int, ...]
    layout: str
    parameters: int
    trainable: bool


class LayerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a layer, or a nested model around the rows below it.

    Attributes:
        name: As in the file.
        class_name: As stored.
        op: The IR's name of what it mainly computes; "" for an input or a nested model.
        operation: For people: `Conv2D 3x3 same, relu`, with a multiplication sign.
        path: The nested models around it, outermost first.
        inputs: Names of the rows it reads.
        reads: The same by place, counted from the first row.
        outputs: The layout of each result.
        attributes: The main op's settings.
        weights: Its weights; none for a further call of a shared layer.
        same_as: The row whose weights it shares; "" if they are its own.
    """

    name: str
    class_name: str
    op: str = ""
    operation: str = ""
    path: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    reads: tuple[int, ...] = ()
    outputs: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = {}
    weights: tuple[WeightRow, ...] = ()
    same_as: str = ""

    @property
    def parameters(self) -> int:
        """Numbers in its weights."""
        return sum(weight.parameters for weight in self.weights)


class PortRow(msgspec.Struct, frozen=True):
    """An input or output of the model."""

    name: str
    layout: str
    dtype: str


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Something worth knowing about the file; codes as in `ir.report`."""

    code: str
    message: str
    level: Level = "note"
    layer: str = ""
    fix: str = ""


class SlotRow(msgspec.Struct, frozen=True):
    """One array of optimizer state: its kind, and the weight it belongs to."""

    slot: str
    of: str


class TrainingRow(msgspec.Struct, frozen=True, kw_only=True):
    """The training record in short.

    Attributes:
        optimizer: Class name; "" if the file has none.
        config: Its settings.
        step: Steps done; None if not stored.
        slots: Its state.
        loss: As stored.
        metrics: As stored.
    """

    optimizer: str
    config: Mapping[str, Any]
    step: int | None
    slots: tuple[SlotRow, ...]
    loss: Any
    metrics: Any


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds.

    Attributes:
        facts: Of the file.
        kind: `sequential` or `functional`; "" without an architecture.
        name: The model's name.
        rows: Inputs, layers, nested models, in order.
        inputs: Of the model.
        outputs: Of the model.
        training: None if the file has no record of it.
        notes: What is worth knowing.
        layers: How many there are, inputs left out.
        arrays: How many arrays of weights are stored.
        parameters: Numbers in them.
        untrained: Of those, the ones that training does not change.
    """

    facts: Facts
    kind: str = ""
    name: str = ""
    rows: tuple[LayerRow, ...] = ()
    inputs: tuple[PortRow, ...] = ()
    outputs: tuple[PortRow, ...] = ()
    training: TrainingRow | None = None
    notes: tuple[Note, ...] = ()
    layers: int = 0
    arrays: int = 0
    parameters: int = 0
    untrained: int = 0
