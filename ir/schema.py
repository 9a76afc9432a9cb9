"""The records of a `.kerasir` header, version 1. `docs/kerasir-format.md` describes the bytes.

Everything is referred to by its index in a list; terms are written as nested lists: an axis is its
index, `["~", t]` a reversed one, `["[]", t, labels]` a labelled one, `["()", …]` a fusion and
`["{}", …]` a join.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

SCHEMA = 1
"""Version of the records; a reader refuses a newer one."""

MAGIC = b"\x93KERASIR"
"""The first eight bytes."""

ALIGNMENT = 64
"""Every array begins at a multiple of this many bytes."""

TermData = Any
Ops = dict[str, Any]


class LayerData(msgspec.Struct, omit_defaults=True):
    """A layer, as `ir.graph.Layer`; wrappers by index."""

    name: str
    class_name: str
    config: dict[str, Any] = {}
    source_class: str = ""
    scope: list[str] = []
    wrappers: list[int] = []


class ValueData(msgspec.Struct, omit_defaults=True):
    """An activation."""

    name: str
    axes: list[TermData]
    dtype: str = "float32"


class StoredData(msgspec.Struct, omit_defaults=True):
    """How one array of a weight lies; `at` gives labelled axes by index."""

    layout: list[TermData]
    at: dict[str, str] = {}


class ParamData(msgspec.Struct):
    """A weight by index, and how each of its arrays lies."""

    weight: int
    stored: list[StoredData]


class NodeData(msgspec.Struct, omit_defaults=True):
    """A node; -1 stands for an input that is absent and for no layer."""

    name: str
    op: Ops
    inputs: list[int]
    results: list[int]
    axes: dict[str, list[TermData]] = {}
    params: dict[str, ParamData] = {}
    layer: int = -1
    part: str = ""


class WeightData(msgspec.Struct, omit_defaults=True):
    """A weight; its arrays by index."""

    name: str
    arrays: list[int]
    stored_names: list[str]
    trainable: bool = True


class ArrayData(msgspec.Struct):
    """An array; `offset` is counted from the first byte behind the header's padding."""

    dtype: str
    shape: list[int]
    offset: int
    nbytes: int


class ScopeData(msgspec.Struct):
    """One call of a nested model."""

    path: list[str]
    layer: int
    inputs: list[int]
    outputs: list[int]
    names: list[str] = []


class SlotData(msgspec.Struct):
    """Optimizer state of one weight."""

    kind: str
    weight: int
    arrays: list[int]


class TrainingData(msgspec.Struct, omit_defaults=True):
    """The training record."""

    optimizer: str = ""
    config: dict[str, Any] = {}
    iterations: int | None = None
    slots: list[SlotData] = []
    compiled: dict[str, Any] = {}


class GroupData(msgspec.Struct, omit_defaults=True):
    """A group of stored arrays: what each is called, its index, and of what kind its bits are."""

    path: str
    arrays: list[tuple[str, int, Literal["", "bfloat16"]]] = []
    name: str = ""


class OriginalData(msgspec.Struct, omit_defaults=True):
    """The file that the model was read from, as `ir.original.Original`.

    Attributes:
        unchanged: Whether the model still is what it says.
    """

    era: str
    form: Literal["named", "paths"]
    unchanged: bool
    config: dict[str, Any] | None = None
    training: dict[str, Any] | None = None
    metadata: dict[str, Any] = {}
    attributes: dict[str, str | int | float] = {}
    besides: list[str] = []
    groups: list[GroupData] = []
    optimizer: list[GroupData] = []


class Header(msgspec.Struct, omit_defaults=True):
    """Everything but the numbers."""

    schema: int
    writer: str
    name: str
    kind: str
    facts: dict[str, Any]
    axes: list[tuple[str, int | None]]
    layers: list[LayerData]
    values: list[ValueData]
    inputs: list[int]
    outputs: list[int]
    output_names: list[str]
    nodes: list[NodeData]
    weights: list[WeightData]
    arrays: list[ArrayData]
    model_layers: list[int] = []
    scopes: list[ScopeData] = []
    training: TrainingData | None = None
    preserved: dict[str, Any] = {}
    original: OriginalData | None = None
    events: list[dict[str, Any]] = []
