"""Words of configurations that changed between eras: initializers, regularizers, constraints.

Layers are kept in the vocabulary of Keras 2 (`Layer.config`); what tf.keras and Keras 3 call by
other names is brought back to the words that every Keras from 2.2.3 on reads, or put into those
of Keras 3.

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

RENAMED: Mapping[str, str] = {
    "OrthogonalInitializer": "Orthogonal",
    "IdentityInitializer": "Identity",
}
"""What Keras 3 up to 3.7 calls some initializers."""

_FIRST_NAMES: Mapping[str, str] = {"Orthogonal": "OrthogonalInitializer"}
"""Names that every release of Keras 3 reads, where today's is not among them (genuine runs of 3.0,
3.6, 3.8 and 3.15; 3.6 does not read its own IdentityInitializer)."""

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
        name = RENAMED.get(name, name)
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


# ---- Keras 3 ------------------------------------------------------------------------------------

MODULES: Mapping[str, tuple[str, Mapping[str, Word]]] = {
    "initializer": ("keras.initializers", INITIALIZERS),
    "regularizer": ("keras.regularizers", REGULARIZERS),
    "constraint": ("keras.constraints", CONSTRAINTS),
}
"""Where Keras 3 has the classes that a key may hold, by the key's end."""

NAMES: Mapping[str, Mapping[str, str]] = {
    "initializer": {
        "zero": "zeros", "one": "ones", "uniform": "random_uniform", "normal": "random_normal",
        **{name: name for name in (
            "zeros", "ones", "constant", "random_uniform", "random_normal", "truncated_normal",
            "variance_scaling", "orthogonal", "identity", "glorot_uniform", "glorot_normal",
            "he_uniform", "he_normal", "lecun_uniform", "lecun_normal",
        )},
    },
    "regularizer": {"l1": "l1", "l2": "l2", "l1_l2": "l1l2", "l1l2": "l1l2"},
    "constraint": {
        "maxnorm": "max_norm", "max_norm": "max_norm", "nonneg": "non_neg", "non_neg": "non_neg",
        "unitnorm": "unit_norm", "unit_norm": "unit_norm",
        "minmaxnorm": "min_max_norm", "min_max_norm": "min_max_norm",
    },
}  # fmt: skip
"""What Keras 3 calls what older versions call by a bare name. Source: Keras 3.15 `initializers`,
`regularizers` and `constraints` (`ALL_OBJECTS_DICT`); the aliases at the end of each module of
Keras 2.2.4."""

_LATER_DISTRIBUTIONS = {"normal": "truncated_normal"}


def new_words(key: str, value: Any) -> Any:
    """A preserved value in the words of Keras 3, as it writes them itself.

    Raises:
        LookupError: Keras 3 has no class or function of this name, nor would it find it.
    """
    end = key.rsplit("_", 1)[-1]
    if value is None or end not in MODULES:
        return value
    module, words = MODULES[end]
    if isinstance(value, str):
        return NAMES[end][value.lower()]
    name = value.get("class_name") if isinstance(value, Mapping) else None
    config = value.get("config") if isinstance(value, Mapping) else None
    known = RENAMED.get(str(name), str(name))
    word = words.get(known)
    if word is None or not isinstance(config, Mapping):
        raise LookupError(value)
    said = {key: _later(config[key]) for key in word.keys if key in config}
    first = _FIRST_NAMES.get(known, known)
    return {"module": module, "class_name": first, "config": said, "registered_name": None}


def _later(value: Any) -> Any:
    if isinstance(value, str):
        return _LATER_DISTRIBUTIONS.get(value, value)
    return _plain(value)


WORDS: Mapping[str, Callable[[str, Any], Any]] = {"keras3": new_words}
"""By vocabulary: how preserved values are put; by `old_words` where nothing is said."""
