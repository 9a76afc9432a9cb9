"""What each `--json` document holds: `kerasir --json-schema COMMAND` prints it as JSON Schema.

Tests hold every document that they see against these records.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from ..batch.records import Batch
from ..catalogue import OpInfo
from ..comparison.records import Row
from ..errors import UsageError
from ..inspection.records import PortRow, TrainingRow, WeightRow
from ..ir.model import Facts, Trust
from ..ir.report import Event, Level
from ..targets import Aim
from ..verification.probe import Reading
from ..verification.records import Verification
from .values import near


class Part(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A part of a document."""


class Document(Part):
    """How every document begins: its schema, the version of kerasir, whether all went well."""

    schema: str
    kerasir: str
    ok: bool


def _with(
    name: str, base: type[Part], record: type[msgspec.Struct], **more: Any
) -> type[msgspec.Struct]:
    """A part that has the fields of a record, and more."""
    fields = [(field.name, field.type) for field in msgspec.structs.fields(record)]
    return msgspec.defstruct(
        name, [*more.items(), *fields], bases=(base,), kw_only=True, namespace={"__doc__": None}
    )


class File(Part):
    """A file that was read."""

    path: str
    bytes: int
    container: str
    content: Literal["model", "weights"]


class FactEntry(Part):
    """One thing known of a file, what said it, and where."""

    value: str | None
    source: Trust
    evidence: str


class EraEntry(FactEntry):
    """The era, and the version of Keras as stored."""

    version: str | None


class FactsEntry(Part):
    """What is known of the file."""

    era: EraEntry
    backend: FactEntry
    ordering: FactEntry


class ModelEntry(Part):
    """The model in numbers; `kind` is null of weights without an architecture."""

    kind: str | None
    name: str
    layers: int
    weights: int
    parameters: int


class CountedModel(ModelEntry):
    """The same, with the parameters that training changes."""

    trainable: int


class Note(Part):
    """Something worth knowing, with its code; `layer` is null where it is about the file."""

    code: str
    level: Level
    layer: str | None
    message: str
    fix: str | None


class Layer(Part):
    """One call of a layer, or a nested model around the entries that follow it."""

    name: str
    class_name: str = msgspec.field(name="class")
    op: str | None
    operation: str
    path: list[str]
    reads: list[int]
    parameters: int
    same_as: str | None


class InspectedLayer(Layer):
    """A layer as it is stored; layouts are texts in the notation of docs/layouts.md."""

    inputs: list[str]
    attributes: dict[str, Any]
    outputs: list[str]
    weights: list[WeightRow]


class Inspect(Document):
    """What is in a file."""

    file: File
    facts: FactsEntry
    model: CountedModel
    inputs: list[PortRow]
    outputs: list[PortRow]
    layers: list[InspectedLayer]
    training: TrainingRow | None
    notes: list[Note]


class Lint(Document):
    """Traps in a file."""

    file: str
    layers: int
    findings: list[Note]


class Probe(Document):
    """Ways of reading a file, and which of them give known answers."""

    tolerance: float
    readings: list[_with("Tried", Part, Reading, fits=bool)]  # type: ignore[valid-type]


class Code(Document):
    """What a code means."""

    code: str
    kind: str
    says: str
    title: str
    advice: str


class View(Document):
    """A page that was written."""

    model: str
    page: str
    bytes: int


class ConvertedWeight(Part):
    """A weight, its layout before and after, and what was done to it."""

    name: str
    stored: list[str]
    dtype: str
    parameters: int
    before: str
    after: str
    words: list[str]


class ConvertedLayer(Layer):
    """A layer; `after` is null where the target has none such."""

    before: list[str]
    after: list[str] | None
    weights: list[ConvertedWeight]
    axis_moved: bool
    error: float | None


class Order(Part):
    """The layout of an input or output before and after."""

    name: str
    before: str
    after: str


class Source(Part):
    """The source of a conversion."""

    path: str
    bytes: int
    sha256: str | None
    container: str
    era: str | None
    version: str | None
    backend: str | None
    ordering: str | None


class Made(Part):
    """When and by what."""

    on: str
    kerasir: str
    python: str
    passes: list[str]


class Convert(Document):
    """A conversion, layer by layer."""

    source: Source
    facts: FactsEntry
    target: _with("Target", Part, Aim, path=str, title=str, bytes=int, sha256=str | None)  # type: ignore[valid-type]
    model: ModelEntry
    events: list[Event]
    transposes: int
    inputs: list[Order]
    outputs: list[Order]
    layers: list[ConvertedLayer]
    training: TrainingRow | None
    verification: _with("Proof", Part, Verification, equal=bool) | None  # type: ignore[valid-type]
    seconds: float
    made: Made


class FirstDifference(Part):
    """The first value that differs."""

    name: str
    part: str


class Matched(Part):
    """Layers that both models have."""

    by_name: int
    by_place: list[tuple[str, str]]


class Diff(Document):
    """What differs between two files; rows that are equal as stored are left out."""

    same: bool
    a: Facts
    b: Facts
    matched: Matched
    counts: dict[str, dict[str, int]]
    rows: list[Row]


class Output(Part):
    """An array that came out of a model."""

    array: str
    output: str
    layout: str
    shape: list[int]


class Run(Document):
    """A run of a model."""

    engine: str
    outputs: list[Output]
    bytes: int
    seconds: float


class Ops(Document):
    """Every op."""

    ops: list[OpInfo]


class Tensor(Part):
    """A port of an op."""

    kind: Literal["input", "weight", "result"]
    name: str
    layout: str


class Op(Document):
    """One op."""

    name: str
    family: str
    meaning: list[str]
    tensors: list[Tensor]
    attributes: dict[str, str]


class Pass(Part):
    """A pass; `plugin` is null for one of kerasir's own."""

    name: str
    summary: str
    data: Literal["tag", "value", "-"]
    pipelines: list[str]
    plugin: str | None


class Passes(Document):
    """Every pass and pipeline."""

    passes: list[Pass]
    pipelines: dict[str, list[str]]


class Trouble(Part):
    """What went wrong, where, and what to do; `code` is what a caller would handle differently."""

    code: str
    file: str | None
    where: str | None
    what: str
    hint: str | None
    items: list[str]


class Error(Document):
    """A failure of any command."""

    error: Trouble


DOCUMENTS: Mapping[str, type[msgspec.Struct]] = {
    "inspect": Inspect,
    "lint": Lint,
    "probe": Probe,
    "code": Code,
    "diff": Diff,
    "view": View,
    "convert": Convert,
    "batch": _with("Batch", Document, Batch),
    "verify": _with(
        "Verify", Document, Verification, equal=bool, first_difference=FirstDifference | None
    ),
    "run": Run,
    "ops": Ops,
    "op": Op,
    "passes": Passes,
    "error": Error,
}
"""By what their `schema` says between `kerasir.` and the number."""

NUMBER = {"anyOf": [{"type": "number"}, {"enum": ["nan", "inf", "-inf"]}]}
"""A number, or the text for one that JSON lacks."""


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a document.

    Raises:
        UsageError: There is none of that name.
    """
    if name not in DOCUMENTS:
        hint = near(name, list(DOCUMENTS)) or f"one of {', '.join(DOCUMENTS)}"
        raise UsageError(f"no document {name!r}", where="--json-schema", hint=hint)
    schema = msgspec.json.schema(DOCUMENTS[name])
    whole = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    whole["properties"]["schema"] = {"const": f"kerasir.{name}/1"}
    draft = "https://json-schema.org/draft/2020-12/schema"
    found: dict[str, Any] = {"$schema": draft, **_with_texts(schema)}
    return found


def _with_texts(schema: Any) -> Any:
    """The same, but that numbers may be texts too."""
    if isinstance(schema, Mapping):
        if schema.get("type") == "number":
            return {**NUMBER, **{key: value for key, value in schema.items() if key != "type"}}
        return {key: _with_texts(value) for key, value in schema.items()}
    return [_with_texts(one) for one in schema] if isinstance(schema, list) else schema
