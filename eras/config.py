"""Words of configurations that changed between eras: initializers, regularizers, constraints.

Layers are kept in the vocabulary of Keras 2 (`Layer.config`); what tf.keras and Keras 3 call by
other names is brought back to the words that every Keras from 2.2.3 on reads.

Sources: Keras 2.2.4 and Keras 3.15 `initializers`, `regularizers`, `constraints`; each of the
classes below was read by both and by tf-keras 2.21.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

Config = Mapping[str, Any]


class Word(msgspec.Struct, frozen=True):
    """A class of the old vocabulary.

    Attributes:
        keys: What its configuration may say.
        fixed: What the newer name implies, where it stands for a class with parameters.
        class_name: The old name, where it differs.
    """

    keys: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = {}
    class_name: str = ""


def _scaling(scale: float, mode: str, distribution: str) -> Word:
    fixed = {"scale": scale, "mode": mode, "distribution": distribution}
    return Word(("seed",), fixed, "VarianceScaling")


INITIALIZERS: Mapping[str, Word] = {
    "Zeros": Word(),
    "Ones": Word(),
    "Constant": Word(("value",)),
    "RandomNormal": Word(("mean", "stddev", "seed")),
    "RandomUniform": Word(("minval", "maxval", "seed")),
    "TruncatedNormal": Word(("mean", "stddev", "seed")),
    "VarianceScaling": Word(("scale", "mode", "distribution", "seed")),
    "Orthogonal": Word(("gain", "seed")),
    "Identity": Word(("gain",)),
    "GlorotUniform": _scaling(1.0, "fan_avg", "uniform"),
    "GlorotNormal": _scaling(1.0, "fan_avg", "normal"),
    "HeUniform": _scaling(2.0, "fan_in", "uniform"),
    "HeNormal": _scaling(2.0, "fan_in", "normal"),
    "LecunUniform": _scaling(1.0, "fan_in", "uniform"),
    "LecunNormal": _scaling(1.0, "fan_in", "normal"),
}

REGULARIZERS: Mapping[str, Word] = {
    "L1L2": Word(("l1", "l2")),
    "L1": Word(("l1",), {"l2": 0.0}, "L1L2"),
    "L2": Word(("l2",), {"l1": 0.0}, "L1L2"),
}

CONSTRAINTS: Mapping[str, Word] = {
    "MaxNorm": Word(("max_value", "axis")),
    "NonNeg": Word(),
    "UnitNorm": Word(("axis",)),
    "MinMaxNorm": Word(("min_value", "max_value", "rate", "axis")),
}

_DISTRIBUTIONS = {"truncated_normal": "normal"}
"""Keras 2.2.4's `normal` is truncated; tf-keras and Keras 3 take the word for the new one."""


def _worded(words: Mapping[str, Word]) -> Callable[[Any], Any]:
    def convert(stored: Any) -> Any:
        """The value as Keras 2.2.3 and all later versions read it; unknown classes as they are."""
        if not isinstance(stored, Mapping) or not isinstance(stored.get("config"), Mapping):
            return stored
        name, config = str(stored.get("class_name")).rsplit(">", 1)[-1], stored["config"]
        word = words.get(name)
        if word is None:
            return {"class_name": stored.get("class_name"), "config": dict(config)}
        said = {key: _plain(config[key]) for key in word.keys if key in config}
        return {"class_name": word.class_name or name, "config": {**word.fixed, **said}}

    return convert


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _DISTRIBUTIONS.get(value, value)
    return None if isinstance(value, Mapping) else value  # Keras 3 may store a seed generator


VALUES: Mapping[str, Callable[[Any], Any]] = {
    "initializer": _worded(INITIALIZERS),
    "regularizer": _worded(REGULARIZERS),
    "constraint": _worded(CONSTRAINTS),
}
"""By the end of the key: `kernel_initializer` holds an initializer."""


def old_words(key: str, value: Any) -> Any:
    """A preserved value in the words of Keras 2."""
    convert = VALUES.get(key.rsplit("_", 1)[-1])
    return value if convert is None else convert(value)
