"""Values whose form changed: initializers, regularizers, paddings, numbers stored as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def regularizer(stored: Any) -> Any:
    """Keras 1's `{"name": "L1L2Regularizer", "l1": …, "l2": …}` in the form of Keras 2."""
    if isinstance(stored, Mapping) and "name" in stored and ("l1" in stored or "l2" in stored):
        config = {"l1": stored.get("l1") or 0.0, "l2": stored.get("l2") or 0.0}
        return {"class_name": "L1L2", "config": config}
    return stored


_CONSTRAINT_KEYS = {"m": "max_value", "low": "min_value", "high": "max_value"}


def constraint(stored: Any) -> Any:
    """Keras 1's `{"name": "MaxNorm", "m": …}` in the form of Keras 2 (`constraints.py` of both)."""
    if not isinstance(stored, Mapping) or not isinstance(stored.get("name"), str):
        return stored
    config = {_CONSTRAINT_KEYS.get(k, k): v for k, v in stored.items() if k != "name"}
    return {"class_name": stored["name"], "config": config}


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
