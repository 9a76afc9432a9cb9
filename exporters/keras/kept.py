"""A layer's preserved configuration, in the words and with the keys of a dialect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...eras.config import WORDS, old_words
from ...ir.graph import Layer
from ...ir.report import Report
from .dialects import BASE, Dialect, Known

INPUT_KEYS = frozenset({
    "name", "batch_input_shape", "input_dtype", "batch_shape", "input_shape", "input_dim",
    "input_length", "weights", "sparse", "ragged", "optional", "build_input_shape",
})  # fmt: skip
"""Keys that say what a layer is called and what it is fed; the graph says so too."""


def kept(layer: Layer | None, class_name: str, dialect: Dialect, report: Report) -> dict[str, Any]:
    """What the source said that no op does: initializers, regularizers, rates, `trainable`.

    Args:
        layer: The source's layer; None for nodes that a pass made.
        class_name: Of the layer to be written. Of another class than the source's, it keeps
            what every layer has.
        dialect: The target.
        report: Told of keys that say something the target cannot.
    """
    if layer is None:
        return {}
    known = dialect.classes.get(class_name, Known())
    same = layer.class_name == class_name
    words = WORDS.get(dialect.vocabulary, old_words)
    found: dict[str, Any] = {}
    for key, value in layer.config.items():
        if key in known.unsaid:
            continue
        if key == "dtype":
            _keep_dtype(layer, value, dialect, found, report)
        elif key in BASE or (same and key in known.kept):
            try:
                found[key] = words(key, value)
            except LookupError:
                _lost(layer, f"{class_name}.{key} = {value!r:.80}: not of Keras", report)
        elif same and value and key not in known.stated and key not in INPUT_KEYS:
            what = f"{class_name}.{key} = {value!r:.80}: {dialect.name} has no such key"
            _lost(layer, what, report)
    return found


def _lost(layer: Layer, what: str, report: Report) -> None:
    report.add("KX201", "lost", what, layer=layer.name, level="warning")


def _keep_dtype(
    layer: Layer, stored: Any, dialect: Dialect, found: dict[str, Any], report: Report
) -> None:
    """A dtype by its plain name. Left out: float32, the default, and integers, of what is fed."""
    name = stored
    if isinstance(name, Mapping) and isinstance(name.get("config"), Mapping):
        name = name["config"].get("name")
    if name in (None, "float32") or str(name).startswith(("int", "uint", "bool")):
        return
    if isinstance(name, str) and name in dialect.policies:
        found["dtype"] = name
        return
    _lost(layer, f"the dtype policy {name!r:.80}: the layer computes in float32", report)
