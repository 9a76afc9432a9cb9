"""Values whose form changed: initializers, regularizers, paddings, numbers stored as arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import ConfigError, UnsupportedLayerError

_VARIANCE_SCALING = {
    # Keras 2.0 `initializers.py`: each name of Keras 1 is a VarianceScaling
    "glorot_uniform": (1.0, "fan_avg", "uniform"),
    "glorot_normal": (1.0, "fan_avg", "normal"),
    "he_uniform": (2.0, "fan_in", "uniform"),
    "he_normal": (2.0, "fan_in", "normal"),
    "lecun_uniform": (1.0, "fan_in", "uniform"),
}
_PLAIN: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "zero": ("Zeros", {}),
    "one": ("Ones", {}),
    "uniform": ("RandomUniform", {"minval": -0.05, "maxval": 0.05, "seed": None}),
    "normal": ("RandomNormal", {"mean": 0.0, "stddev": 0.05, "seed": None}),
    "orthogonal": ("Orthogonal", {"gain": 1.0, "seed": None}),
    "identity": ("Identity", {"gain": 1.0}),
}


def initializer(stored: Any) -> Any:
    """A Keras 1 initializer's name in the form of Keras 2; anything else as it is."""
    if isinstance(stored, str) and stored in _VARIANCE_SCALING:
        scale, mode, distribution = _VARIANCE_SCALING[stored]
        config = {"scale": scale, "mode": mode, "distribution": distribution, "seed": None}
        return {"class_name": "VarianceScaling", "config": config}
    if isinstance(stored, str) and stored in _PLAIN:
        class_name, plain = _PLAIN[stored]
        return {"class_name": class_name, "config": dict(plain)}
    return stored


def old_initializer(said: Any) -> Any:
    """An initializer of Keras 2 by its Keras 1 name; None where it has none."""
    if not isinstance(said, Mapping):
        return said
    name, config = said.get("class_name"), said.get("config") or {}
    if not isinstance(config, Mapping):
        return None  # a function of the author's, by its name
    stated = {key: value for key, value in config.items() if key != "seed"}
    if name == "VarianceScaling":
        asked = tuple(stated.get(key) for key in ("scale", "mode", "distribution"))
        return next((old for old, meant in _VARIANCE_SCALING.items() if meant == asked), None)
    for old, (class_name, plain) in _PLAIN.items():
        meant = {key: value for key, value in plain.items() if key != "seed"}
        if class_name == name and {**meant, **stated} == meant:
            return old
    return None


def regularizer(stored: Any) -> Any:
    """Keras 1's `{"name": "L1L2Regularizer", "l1": …, "l2": …}` in the form of Keras 2."""
    if isinstance(stored, Mapping) and "name" in stored and ("l1" in stored or "l2" in stored):
        config = {"l1": stored.get("l1") or 0.0, "l2": stored.get("l2") or 0.0}
        return {"class_name": "L1L2", "config": config}
    return stored


def old_regularizer(said: Any) -> Any:
    """An L1L2 of Keras 2 in the form of Keras 1; None for any other, which Keras 1 has not."""
    if not isinstance(said, Mapping):
        return said
    if said.get("class_name") != "L1L2" or not isinstance(said.get("config"), Mapping):
        return None
    config = said["config"]
    return {"name": "L1L2Regularizer", "l1": config.get("l1", 0.0), "l2": config.get("l2", 0.0)}


_CONSTRAINT_KEYS = {"m": "max_value", "low": "min_value", "high": "max_value"}


def constraint(stored: Any) -> Any:
    """Keras 1's `{"name": "MaxNorm", "m": …}` in the form of Keras 2 (`constraints.py` of both)."""
    if not isinstance(stored, Mapping) or not isinstance(stored.get("name"), str):
        return stored
    config = {_CONSTRAINT_KEYS.get(k, k): v for k, v in stored.items() if k != "name"}
    return {"class_name": stored["name"], "config": config}


_OLD_CONSTRAINTS: Mapping[str, Mapping[str, str]] = {
    "MaxNorm": {"max_value": "m", "axis": "axis"},
    "NonNeg": {},
    "UnitNorm": {"axis": "axis"},
}
"""The constraints of Keras 1.2.2 (`constraints.py`), and what it calls their parameters."""


def old_constraint(said: Any) -> Any:
    """A constraint of Keras 2 in the form of Keras 1; None where that has none such."""
    if not isinstance(said, Mapping):
        return said
    name, config = str(said.get("class_name")), said.get("config")
    keys = _OLD_CONSTRAINTS.get(name)
    if keys is None or not isinstance(config, Mapping) or set(config) - set(keys):
        return None
    return {"name": name, **{keys[key]: value for key, value in config.items()}}


def moved_axes(stored: Any, places: Sequence[int]) -> Any:
    """A constraint whose `axis` counts dimensions that stand elsewhere now.

    Args:
        stored: In the form of Keras 2.
        places: The new place of each old dimension; -1 where it is gone.
    """
    config = stored.get("config") if isinstance(stored, Mapping) else None
    if not isinstance(config, Mapping) or "axis" not in config:
        return stored
    axis = config["axis"]
    old = axis if isinstance(axis, Sequence) else [axis]
    if not all(isinstance(n, int) and -len(places) <= n < len(places) for n in old):
        return stored
    new = sorted(places[n] for n in old if places[n] >= 0)
    return {**stored, "config": {**config, "axis": new if isinstance(axis, Sequence) else new[0]}}


def padding2d(stored: Any) -> Any:
    """Keras 1 ZeroPadding2D: a dict of four names, or four numbers, as two pairs."""
    if isinstance(stored, Mapping):
        names = ("top_pad", "bottom_pad", "left_pad", "right_pad")
        top, bottom, left, right = (stored.get(name, 0) for name in names)
        return [[top, bottom], [left, right]]
    if isinstance(stored, Sequence) and len(stored) == 4:
        return [list(stored[:2]), list(stored[2:])]
    return stored


def old_padding2d(said: Any) -> Any:
    """Two pairs as Keras 1 takes them: two numbers where either side gets the same, else four."""
    (top, bottom), (left, right) = said
    return [top, left] if (top, left) == (bottom, right) else [top, bottom, left, right]


def padding1d(stored: Any) -> Any:
    """Keras 1 ZeroPadding1D: a number, or a dict of two names, as a pair."""
    if isinstance(stored, Mapping):
        return [stored.get(name, 0) for name in ("left_pad", "right_pad")]
    return [stored, stored] if isinstance(stored, int) else stored


def old_padding1d(said: Any) -> Any:
    """A pair as one number where both are the same."""
    before, after = said
    return before if before == after else [before, after]


def padding3d(stored: Any) -> Any:
    """Keras 1 ZeroPadding3D: a number per axis, as pairs."""
    if isinstance(stored, Sequence) and all(isinstance(n, int) for n in stored):
        return [[n, n] for n in stored]
    return stored


def old_padding3d(said: Any) -> Any:
    """Pairs as a number per axis.

    Raises:
        ConfigError: An axis gets more on one side.
    """
    if any(before != after for before, after in said):
        raise ConfigError(f"Keras 1 pads both sides of an axis alike in 3D, not {said}")
    return [before for before, _ in said]


def listed(stored: Any) -> Any:
    """Keras 1's number per layer of one dimension, as Keras 2 lists it."""
    return [stored] if isinstance(stored, int) else stored


def alone(said: Any) -> Any:
    """The only number of a list."""
    return said[0] if isinstance(said, Sequence) and len(said) == 1 else said


IMPLEMENTATIONS: Mapping[str, int] = {"cpu": 0, "mem": 1, "gpu": 2}
"""Keras 1's `consume_less` as the `implementation` of Keras 2."""


def scalar(stored: Any) -> float:
    """A number that some versions stored as an array `{"type": "ndarray", "value": …}`.

    Raises:
        ConfigError: It is no single number.
    """
    found = stored
    if isinstance(found, Mapping):
        found = found.get("value")
    while isinstance(found, Sequence) and not isinstance(found, str) and len(found) == 1:
        found = found[0]
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise ConfigError("expected a number", details=(f"found {stored!r:.120}",))
    return float(found)


def dtype(stored: Any) -> Any:
    """A dtype policy by its name: `float32`, `mixed_float16`.

    Raises:
        UnsupportedLayerError: The policy quantises weights.
    """
    name, kind = stored, "DTypePolicy"
    for _ in range(2):  # a map of policies holds one for the layer itself
        if isinstance(name, Mapping):
            config, kind = name.get("config"), str(name.get("class_name"))
            key = _POLICIES.get(kind, "")
            name = config.get(key) if isinstance(config, Mapping) else None
    if kind not in _POLICIES or (isinstance(name, str) and _QUANTISED in name):
        raise UnsupportedLayerError(
            f"a quantised layer: its dtype policy is {kind} {name or ''}".rstrip(),
            hint="save the model before it is quantised",
        )
    return name if isinstance(name, str) else None


def unquantised(stored: Any) -> None:
    """Nothing, where Keras 3 says how a layer is quantised.

    Raises:
        UnsupportedLayerError: It is.
    """
    if stored is not None:
        raise UnsupportedLayerError(
            "a quantised layer", hint="save the model before it is quantised"
        )


_QUANTISED = "_from_"
"""In the names of policies such as `int8_from_float32`."""

_POLICIES: Mapping[str, str] = {
    **dict.fromkeys(
        ["DTypePolicy", "FloatDTypePolicy", "Policy", "PolicyV1", "LossScalePolicy"], "name"
    ),
    "DTypePolicyMap": "default_policy",
}
"""The policies that quantise nothing, and the key that says the dtype."""

UNDO: Mapping[Callable[[Any], Any], Callable[[Any], Any]] = {
    initializer: old_initializer,
    regularizer: old_regularizer,
    constraint: old_constraint,
    padding1d: old_padding1d,
    padding2d: old_padding2d,
    padding3d: old_padding3d,
    listed: alone,
}
"""What gives a value its old form again, by what gave it the new one; None if it has no old one.
Values whose form is the same are not listed."""


def finite(value: Any) -> Any:
    """A list of numbers without those at its end that are infinite."""
    found = list(value) if isinstance(value, (list, tuple)) else value
    while isinstance(found, list) and found and found[-1] == math.inf:
        found.pop()
    return found
