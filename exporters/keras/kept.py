"""A layer's preserved configuration, in the words and with the keys of a dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...eras.config import WORDS, old_words
from ...eras.respell import sayable
from ...ir.graph import Layer
from ...ir.report import Report
from .dialects import Dialect, Known
from .fit import is_neutral

FED = "batch_input_shape"
"""The key of a first layer, whose dtype may be that of what it is fed."""

INPUT_KEYS = frozenset({
    "name", "batch_input_shape", "input_dtype", "batch_shape", "input_shape", "input_dim",
    "input_length", "weights", "sparse", "ragged", "optional", "build_input_shape", "cell",
})  # fmt: skip
"""Keys that say what a layer, or the cell in it, is called and what it is fed; the graph says so
too."""

MEANT_OTHERWISE = frozenset({
    "implementation", "output_shape", "data_format", "query_shape", "value_shape", "key_shape",
    "rng_type", "zero_output_for_mask", "crop_to_aspect_ratio", "pad_to_aspect_ratio", "fill_mode",
    "fill_value",
})  # fmt: skip
"""Keys that say how a layer computes, not what; or what follows from its other keys (the shape that
a Deconvolution of Keras 1 states: Keras 1.2.2 `Deconvolution2D`) or from what it is called with; or
what the exporter settles, since it changes what is computed."""

STORES_OTHERWISE = frozenset({"LocallyConnected1D", "LocallyConnected2D"})
"""Classes whose `implementation` says how a kernel is stored, too: it is written in the first."""

IDLE: Mapping[str, str] = {"renorm_momentum": "renorm", "renorm_clipping": "renorm"}
"""Keys that say something only beside another one."""

FORGET_BIAS = ("forget_bias_init", "one")
"""What an LSTM of Keras 1 states and Keras 2 and 3 do without being told: `unit_forget_bias`."""

IMPLIED: Mapping[str, str] = {
    "bias_initializer": "Zeros",
    "beta_initializer": "Zeros",
    "gamma_initializer": "Ones",
    "moving_mean_initializer": "Zeros",
    "moving_variance_initializer": "Ones",
}
"""What an initializer is in a Keras that cannot be told."""


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
        elif key in dialect.base or (same and key in known.kept):
            try:
                said = words(key, value)
            except LookupError:
                _lost(layer, f"{class_name}.{key} = {value!r:.80}: not of Keras", report)
                continue
            if dialect.respelt and not sayable(class_name, key, said, dialect.vocabulary):
                what = f"{class_name}.{key} = {value!r:.80}: {dialect.name} has no words for it"
                _lost(layer, what, report)
            else:
                found[key] = said
        elif (
            same
            and value
            and key not in (*known.stated, *known.renamed)
            and not _goes_unsaid(key, layer.config)
        ):
            what = f"{class_name}.{key} = {value!r:.80}: {dialect.name} has no such key"
            _lost(layer, what, report)
    return found


def fed_shape(
    layer: Layer | None, class_name: str, shape: Sequence[int | None] | None
) -> dict[str, Any]:
    """The shape that a layer says it is fed, and of which dtype, where that is still true.

    An Embedding always says it, whatever it stands behind (Keras 1.2.2 and 2.0.8
    `layers/embeddings.py`, `Embedding.__init__`).
    """
    stated = layer.config.get(FED) if layer is not None and layer.class_name == class_name else None
    if layer is None or shape is None or not isinstance(stated, (list, tuple)):
        return {}
    pairs = list(zip(stated, shape, strict=False))
    if len(stated) != len(shape) or any(None not in pair and len(set(pair)) > 1 for pair in pairs):
        return {}
    keys = (FED, "dtype", "input_dtype")
    return {key: layer.config[key] for key in keys if key in layer.config}


def _goes_unsaid(key: str, config: Mapping[str, Any]) -> bool:
    """Whether nothing is lost with a key: the graph says it, or a target without it implies it."""
    value = config[key]
    if key in IDLE and not config.get(IDLE[key]):
        return True
    if key in INPUT_KEYS | MEANT_OTHERWISE or is_neutral(key, value):
        return True
    if (key, value) == FORGET_BIAS:
        return True
    initial = value.get("class_name") if isinstance(value, Mapping) else None
    return key in IMPLIED and initial == IMPLIED[key]


def _lost(layer: Layer, what: str, report: Report) -> None:
    report.add("KX201", "lost", what, layer=layer.name, level="warning")


def _keep_dtype(
    layer: Layer, stored: Any, dialect: Dialect, found: dict[str, Any], report: Report
) -> None:
    """A dtype by its plain name. Left out: float32, the default, and integers, of what is fed."""
    name = stored
    if isinstance(name, Mapping) and isinstance(name.get("config"), Mapping):
        name = name["config"].get("name")
    if stored == "float32" and stored in dialect.policies:
        found["dtype"] = stored
    if name in (None, "float32") or str(name).startswith(("int", "uint", "bool")):
        return
    if isinstance(name, str) and name in dialect.policies and "dtype" in dialect.base:
        found["dtype"] = name
        return
    _lost(layer, f"the dtype policy {name!r:.80}: the layer computes in float32", report)
