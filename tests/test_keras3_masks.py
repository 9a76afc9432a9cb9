"""Merges of masked inputs, written for Keras 3, which combines masks in a way of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numbers_of import POLICIES

import kerasir
from genuine import FixtureCase
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

MERGES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "Add": np.add,
    "Subtract": np.subtract,
    "Multiply": np.multiply,
    "Average": lambda a, b: (a + b) / 2,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "Concatenate": lambda a, b: np.concatenate([a, b], axis=-1),
}
"""What Keras 2 computes, whatever the masks (2.2.4 `layers/merge.py`)."""


def _layer(class_name: str, name: str, *inputs: str, **config: Any) -> dict[str, Any]:
    calls = [[[one, 0, 0, {}] for one in inputs]] if inputs else []
    config = {"name": name, **config}
    return {"class_name": class_name, "name": name, "config": config, "inbound_nodes": calls}


def _written(path: Path, merge: str, second: str, *behind: dict[str, Any]) -> Path:
    """A file of Keras 2 that merges what comes of a masked input, and layers behind that."""
    shape = {"batch_input_shape": [None, 4, 3], "dtype": "float32"}
    layers = [
        _layer("InputLayer", "a", **shape),
        _layer("InputLayer", "b", **shape),
        _layer("Masking", "masked_a", "a", mask_value=0.0),
        _layer("Activation", "other_a", "masked_a", activation="sigmoid"),
        _layer("Masking", "masked_b", "b", mask_value=0.0),
        _layer("Activation", "other_b", "masked_b", activation="sigmoid"),
        _layer(merge, "merged", "other_a", second),
        *behind,
    ]
    config = {
        "name": "model",
        "layers": layers,
        "input_layers": [["a", 0, 0], ["b", 0, 0]],
        "output_layers": [[layers[-1]["name"], 0, 0]],
    }
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = b"2.2.4", b"tensorflow"
        file.attrs["model_config"] = json.dumps({"class_name": "Model", "config": config}).encode()
        weights = file.create_group("model_weights")
        weights.attrs["keras_version"], weights.attrs["backend"] = b"2.2.4", b"tensorflow"
        weights.attrs["layer_names"] = [layer["name"].encode() for layer in layers]
        for layer in layers:
            weights.create_group(layer["name"]).attrs["weight_names"] = np.zeros(0, "S1")
    return path


def _fed() -> tuple[np.ndarray, np.ndarray]:
    """Inputs of which each has steps of zeros, one of them in common."""
    a, b = np.random.default_rng(0).normal(size=(2, 2, 4, 3)).astype(np.float32)
    a[:, 1:3] = 0
    b[:, 2:] = 0
    return a, b


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("second", ["other_a", "other_b", "b"])
@pytest.mark.parametrize("merge", MERGES)
def test_keras_3_computes_a_merge_as_if_there_were_no_masks(
    merge: str, second: str, tmp_path: Path
) -> None:
    a, b = _fed()
    other = {"other_a": _sigmoid(a), "other_b": _sigmoid(b), "b": b}[second]
    source = _written(tmp_path / "source.h5", merge, second)
    target = tmp_path / "model.keras"
    kerasir.convert(source, target)
    plan = solve(kerasir.load(target).graph, POLICIES["as authored"])
    (found,) = evaluate(plan, [a, b])
    np.testing.assert_allclose(found, MERGES[merge](_sigmoid(a), other), atol=1e-6)


@pytest.mark.parametrize(("second", "kept"), [("other_a", True), ("b", False), ("other_b", False)])
def test_a_merge_keeps_its_mask_only_where_both_kerases_make_the_same(
    second: str, kept: bool, tmp_path: Path
) -> None:
    """A mean over the steps that count: of what a product by itself would give as well."""
    a, b = _fed()
    halved = _layer("Activation", "tanh", "merged", activation="tanh")
    mean = _layer("GlobalAveragePooling1D", "mean", "tanh")
    source = _written(tmp_path / "source.h5", "Multiply", second, halved, mean)
    target = tmp_path / "model.keras"
    if not kept:
        with pytest.raises(kerasir.KerasirError, match=r"in Keras"):
            kerasir.convert(source, target)
        return
    kerasir.convert(source, target)
    plan = solve(kerasir.load(target).graph, POLICIES["as authored"])
    (found,) = evaluate(plan, [a, b])
    counts = a.any(axis=-1, keepdims=True)
    stepwise = np.tanh(_sigmoid(a) ** 2) * counts
    np.testing.assert_allclose(found, stepwise.sum(axis=1) / counts.sum(axis=1), atol=1e-6)


def test_a_mask_that_keras_3_would_not_make_is_refused(
    genuine: Callable[[str], FixtureCase], tmp_path: Path
) -> None:
    case = genuine("keras2.2.4-theano/g_masks_merged_tf")
    target = tmp_path / "model.keras"
    with pytest.raises(kerasir.KerasirError, match=r"add_3.*where all say so, in Keras 3"):
        kerasir.convert(case.model, target)
    assert not target.exists()
