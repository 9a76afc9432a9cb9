"""What a source says beside its layers and their training: told where it has no place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import show
from ...ir.model import Model
from ...ir.report import Report

OF_MODELS = frozenset({
    "name", "trainable", "dtype", "build_input_shape", "layers", "input_layers", "output_layers",
})  # fmt: skip
"""What configurations of models say that the graph says too, or that follows from it."""

READ_ASSETS = "/vocabulary.txt"
"""What assets are called that stand in the configurations of layers too."""

OF_ENTRIES = frozenset({
    "class_name", "config", "module", "registered_name", "build_config", "compile_config",
    "keras_version", "backend", "shared_object_id", "name", "inbound_nodes",
})  # fmt: skip
"""The same of what stands around a configuration."""


def tell_besides(model: Model, report: Report, *, words: bool, attributes: bool) -> None:
    """Say what of the source is in no place of the new file.

    Args:
        model: What is written.
        report: Where to tell.
        words: Whether what the source says of the model itself is written.
        attributes: Whether what an author put at the root of the file is.
    """
    original = model.original
    if original is None:
        return
    lost = list(original.besides)
    lost += [name for name in original.assets if not name.endswith(READ_ASSETS)]
    if not attributes:
        lost += [f"@{name}" for name in original.attributes]
    if not words:
        lost += _said_of_model(original.config or {}, OF_ENTRIES)
        lost += _said_of_model(model.preserved, OF_MODELS)
    if lost:
        rest = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        named = ", ".join(map(show, lost[:3]))
        what = f"beside the model the file holds {named}{rest}: not written"
        report.add("KX206", "lost", what, level="warning")


def _said_of_model(said: Mapping[str, Any], known: frozenset[str]) -> list[str]:
    return [key for key, value in said.items() if value and key not in known]
