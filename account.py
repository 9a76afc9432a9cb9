"""What a conversion did, layer by layer, as one document, which pages and `--json` are made of."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from .changes import Moved
from .inspection import inspect_model
from .inspection.facts import facts_record
from .inspection.rows import Origin, rows_and_origins
from .ir.graph import Layer, Value
from .ir.layout import Layout
from .ir.model import Scope
from .version import __version__

if TYPE_CHECKING:
    from .api import Conversion
    from .inspection import LayerRow

BLOCK = 1 << 20


def account(done: Conversion, src: str, dst: str) -> dict[str, Any]:
    """The document of a conversion: `kerasir.convert/1` without its head.

    Args:
        done: What was done.
        src: The source as it was named.
        dst: The target as it was named.
    """
    found, changed, proof = inspect_model(done.source), done.changes, done.verification
    facts = done.source.facts
    return {
        "source": {
            "path": src,
            "bytes": facts.bytes,
            "sha256": digest(src),
            "container": facts.container,
            "era": facts.era.value,
            "version": facts.version.value,
            "backend": facts.backend.value,
            "ordering": facts.ordering.value,
        },
        "facts": facts_record(facts),
        "target": {
            "path": dst,
            "title": done.target.described.title,
            "bytes": done.bytes,
            "sha256": digest(dst) if done.bytes else None,
            **msgspec.to_builtins(done.target),
        },
        "model": {
            "kind": found.kind or None,
            "name": found.name,
            "layers": found.layers,
            "weights": found.arrays,
            "parameters": found.parameters,
        },
        "events": [msgspec.to_builtins(event) for event in done.report],
        "transposes": changed.transposes,
        "inputs": [_order(*entry) for entry in changed.inputs],
        "outputs": [_order(*entry) for entry in changed.outputs],
        "layers": _layers(done),
        "training": None if found.training is None else msgspec.to_builtins(found.training),
        "verification": None
        if proof is None
        else {"equal": proof.equal, **msgspec.to_builtins(proof)},
        "seconds": done.seconds,
        "made": {
            "on": datetime.now(UTC).isoformat(timespec="seconds"),
            "kerasir": __version__,
            "python": platform.python_version(),
            "passes": [info.name for info in done.passes],
        },
    }


def digest(path: str) -> str | None:
    """The SHA-256 of a file in hexadecimal digits; None if there is none."""
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _order(name: str, before: str, after: str) -> dict[str, str]:
    return {"name": name, "before": before, "after": after}


def _layers(done: Conversion) -> list[dict[str, Any]]:
    errors = _errors(done)
    moved: dict[tuple[str, str], Moved] = {}
    for one in done.changes.weights:
        moved.setdefault((one.layer, one.weight), one)
    axes = {layer for layers in done.changes.axes.values() for layer in layers}
    after = _After(done)
    return [
        {
            "name": row.name,
            "class": row.class_name,
            "op": row.op or None,
            "operation": row.operation,
            "path": list(row.path),
            "reads": list(row.reads),
            "parameters": row.parameters,
            "before": list(row.outputs),
            "after": after.outputs(row, origin),
            "weights": [_weight(row, weight, moved) for weight in row.weights],
            "same_as": row.same_as or None,
            "axis_moved": row.name in axes,
            "error": errors.get("/".join([*row.path, row.name])),
        }
        for row, origin in rows_and_origins(done.source)
    ]


def _weight(row: LayerRow, weight: Any, moved: Mapping[tuple[str, str], Moved]) -> dict[str, Any]:
    found = moved.get((row.name, weight.name))
    return {
        "name": weight.name,
        "stored": list(weight.stored),
        "dtype": weight.dtype,
        "parameters": weight.parameters,
        "before": weight.layout,
        "after": weight.layout if found is None else found.after,
        "words": [] if found is None else list(found.words),
    }


def _errors(done: Conversion) -> dict[str, float]:
    if done.verification is None:
        return {}
    return {layer.name: layer.error for layer in done.verification.layers}


class _After:
    """The layouts in which the target has what layers make."""

    def __init__(self, done: Conversion) -> None:
        self.values: dict[Value, Layout] = {h.value: h.layout for h in done.plan.inputs}
        self.named = {held.value.name: held.layout for held in done.plan.inputs}
        self.layers: dict[Layer, list[Layout]] = {}
        for settled in done.plan.settled:
            node = settled.node
            self.values |= dict(zip(node.results, settled.results, strict=True))
            if node.layer is not None and node.part != "mask":
                self.layers[node.layer] = list(settled.results)

    def outputs(self, row: LayerRow, origin: Origin) -> list[str] | None:
        """The layouts of a row's results; None if the target has no such layer."""
        if isinstance(origin, Value):
            layout = self.values.get(origin, self.named.get(origin.name))
            return None if layout is None else [str(layout)]
        if isinstance(origin, Scope):
            known = [self.values.get(value, value.layout) for value in origin.outputs]
            return [str(layout) for layout in known]
        if origin not in self.layers:
            return list(row.outputs) if not row.outputs else None
        return [str(layout) for layout in self.layers[origin][: len(row.outputs)]]
