"""Settings of layers that inference does not need: what training does, as two files say it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

DEFAULTS: Mapping[str, Any] = {
    "trainable": True,
    "activity_regularizer": None,
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
}
"""What a layer has that does not say, in every Keras from 1.0 to 3."""

ENDS: Mapping[str, Any] = {"_regularizer": None, "_constraint": None}
"""The same for keys that end so."""

STATED: frozenset[str] = frozenset({"rate", "stddev", "momentum", "noise_shape", "seed"})
"""Keys that are compared where both say them: what was meant otherwise the class knows."""

WRAPPING: frozenset[str] = frozenset({"module", "registered_name", "build_config", "name", "dtype"})
"""What Keras 3 adds to a serialized object, and older ones do not have."""

SCALED: Mapping[str, tuple[float, str, str]] = {
    "glorotuniform": (1.0, "fanavg", "uniform"),
    "glorotnormal": (1.0, "fanavg", "normal"),
    "heuniform": (2.0, "fanin", "uniform"),
    "henormal": (2.0, "fanin", "normal"),
    "lecununiform": (1.0, "fanin", "uniform"),
    "lecunnormal": (1.0, "fanin", "normal"),
}
"""Initializers that are a `VarianceScaling` of this scale, mode and distribution (Keras 2.2.4,
`initializers.py`; from Keras 2.2.3 on a normal distribution is written `truncated_normal`)."""


class Setting(NamedTuple):
    """One setting of a layer, as both files say it."""

    key: str
    a: Any
    b: Any
    same: bool


def settings(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Setting]:
    """Compare what two configurations, in the newest vocabulary, say of training.

    Only differences of meaning count: a key that one of them leaves out has its default.
    """
    for key in dict.fromkeys((*a, *b)):
        known, default = _default(key)
        if known or (key in a and key in b and _stated(key)):
            x, y = a.get(key, default), b.get(key, default)
            yield Setting(key, x, y, meaning(key, x) == meaning(key, y))


def _default(key: str) -> tuple[bool, Any]:
    for end, value in ENDS.items():
        if key.endswith(end):
            return True, value
    return key in DEFAULTS, DEFAULTS.get(key)


def _stated(key: str) -> bool:
    return key in STATED or key.endswith("_initializer")


def meaning(key: str, value: Any) -> Any:
    """A setting without what is only a way of writing it down."""
    if isinstance(value, Mapping):
        config = value.get("config", {})
        inner = {
            name: meaning(name, part)
            for name, part in (config.items() if isinstance(config, Mapping) else ())
            if name not in WRAPPING and part is not None
        }
        if key.endswith("_regularizer"):
            inner = {name: part for name, part in inner.items() if part}
        name = str(value.get("class_name", "")).replace("_", "").lower()
        if key.endswith("_regularizer") and name in {"l1", "l2", "l1l2"}:
            return ("l1l2", tuple(sorted(inner.items()))) if inner else None
        if name == "variancescaling":
            kind = str(inner.pop("distribution", "")).removeprefix("truncated")
            scaled = (inner.pop("scale", None), inner.pop("mode", None), kind)
            name = next((known for known, of in SCALED.items() if of == scaled), f"{scaled}")
        return (name, tuple(sorted(inner.items())))
    if isinstance(value, (list, tuple)):
        return tuple(meaning("", part) for part in value)
    if isinstance(value, float) and not isinstance(value, bool):
        return float(np.float32(value))
    return value.replace("_", "").lower() if isinstance(value, str) else value


def shown(value: Any) -> str:
    """A setting in words: `0.5`, `None`, `L2 l2 0.01`."""
    if isinstance(value, Mapping):
        config = value.get("config", {})
        parts = [
            f"{key} {shown(part)}"
            for key, part in (config.items() if isinstance(config, Mapping) else ())
            if key not in WRAPPING and part is not None
        ]
        return " ".join([str(value.get("class_name", "?")), *parts])
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
