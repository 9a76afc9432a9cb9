"""Merges of masked inputs, written for Keras 3, which combines masks in a way of its own."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from frameworks import KERAS3
from numbers_of import POLICIES

import kerasir
from genuine import FixtureCase
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate
from oracle.builder import Keras, Tensor
from oracle.evaluate import evaluate as oracle
from oracle.files import write_keras2

WORKER = Path(__file__).parent / "support" / "keras_worker.py"

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


def _counting(second: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The steps that count in Keras 2: where all masks say so, inputs without passed over."""
    counts = a.any(axis=-1, keepdims=True)
    return counts & b.any(axis=-1, keepdims=True) if second == "other_b" else counts


@pytest.mark.parametrize("second", ["other_a", "b", "other_b"])
def test_a_merge_has_the_mask_of_keras_2(second: str, tmp_path: Path) -> None:
    """A mean over the steps that count; Keras 3 is told them where it would count others."""
    a, b = _fed()
    halved = _layer("Activation", "tanh", "merged", activation="tanh")
    mean = _layer("GlobalAveragePooling1D", "mean", "tanh")
    source = _written(tmp_path / "source.h5", "Multiply", second, halved, mean)
    target = tmp_path / "model.keras"
    kerasir.convert(source, target)
    plan = solve(kerasir.load(target).graph, POLICIES["as authored"])
    (found,) = evaluate(plan, [a, b])
    counts = _counting(second, a, b)
    other = {"other_a": _sigmoid(a), "other_b": _sigmoid(b), "b": b}[second]
    stepwise = np.tanh(_sigmoid(a) * other) * counts
    np.testing.assert_allclose(found, stepwise.sum(axis=1) / counts.sum(axis=1), atol=1e-6)


@pytest.mark.time_limit(300)
def test_genuine_keras_3_computes_the_same(tmp_path: Path) -> None:
    python = KERAS3.python()
    if not python:
        if os.environ.get("KERASIR_REQUIRE_KERAS"):
            pytest.fail("KERASIR_REQUIRE_KERAS is set, but no Keras 3")
        pytest.skip(f"Keras 3 is not installed here, and {KERAS3.variable} is not set")
    a, b = _fed()
    np.savez(tmp_path / "data.npz", in_0=a, in_1=b)
    mean = _layer("GlobalAveragePooling1D", "mean", "merged")
    expected, jobs = {}, []
    for merge, function in MERGES.items():
        others = {"other_a": _sigmoid(a), "other_b": _sigmoid(b), "b": b}
        for name, other in others.items():
            expected[f"{merge}_{name}"] = function(_sigmoid(a), other)
            _written(tmp_path / f"{merge}_{name}.h5", merge, name)
        for name, other in others.items():
            counts = _counting(name, a, b)
            steps = function(_sigmoid(a), other) * counts
            expected[f"{merge}_{name}_mean"] = steps.sum(axis=1) / counts.sum(axis=1)
            _written(tmp_path / f"{merge}_{name}_mean.h5", merge, name, mean)
    for name in expected:
        model, outputs = tmp_path / f"{name}.keras", tmp_path / f"{name}.npz"
        kerasir.convert(tmp_path / f"{name}.h5", model)
        job = {"id": name, "model": str(model), "inputs": str(tmp_path / "data.npz")}
        jobs.append(json.dumps({**job, "outputs": str(outputs), "twice": False}))
    listed = tmp_path / "jobs.jsonl"
    listed.write_text("\n".join(jobs))
    command = [python, str(WORKER), KERAS3.module, str(listed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    for name, result in expected.items():
        with np.load(tmp_path / f"{name}.npz") as found:
            np.testing.assert_allclose(found["out_0"], result, atol=1e-6, err_msg=name)


def _bidirectional(k: Keras, x: Tensor) -> list[Tensor]:
    config = {"units": 2, "return_sequences": True, "merge_mode": "sum"}
    y = k.wrapped("Bidirectional", "GRU", **config)(x)
    left_out = k("LSTM", k.wrapped("Bidirectional", "SimpleRNN", **config)(x), units=3)
    return [k("Dense", y, units=2), left_out]


@pytest.mark.parametrize("steps", [4, None])
def test_absent_steps_of_a_bidirectional_are_what_they_were(
    steps: int | None, tmp_path: Path
) -> None:
    """Where they are seen, the halves are layers of their own; elsewhere the layer stays whole."""
    k = Keras("channels_last")
    x = k.input(steps, 3, **({} if steps else {"sample": (4, 3)}))
    example = k.model(*_bidirectional(k, k("Masking", x, mask_value=0.0)))
    a, _ = _fed()
    source = write_keras2(example, tmp_path / "source.h5", "tensorflow")
    target = tmp_path / "model.keras"
    report = kerasir.convert(source, target).report
    plan = solve(kerasir.load(target).graph, POLICIES["as authored"])
    for found, wanted in zip(
        evaluate(plan, [a]),
        oracle(example.config, example.weights, [a], "tensorflow", "2.2.4"),
        strict=True,
    ):
        np.testing.assert_allclose(found, wanted, atol=1e-6)
    split = {event.layer for event in report if "both halves are layers" in event.message}
    assert split == {"bidirectional_1"}


@pytest.mark.parametrize(
    ("activation", "function"),
    [("tanh", np.tanh), ("hard_sigmoid", lambda x: np.clip(0.2 * x + 0.5, 0, 1))],
)
def test_a_highway_behind_a_mask_multiplies_every_step(
    activation: str, function: Callable[[np.ndarray], np.ndarray], tmp_path: Path
) -> None:
    inner = {"name": "inner", "activation": activation, "bias": True, "input_dim": None}
    layer = {"class_name": "Highway", "config": inner}
    highway = _layer("TimeDistributed", "highway", "merged", layer=layer)
    source = _written(tmp_path / "source.h5", "Add", "other_a", highway)
    kernel, carry = np.random.default_rng(1).normal(size=(2, 3, 3))
    with h5py.File(source, "a") as file:
        group = file["model_weights/highway"]
        arrays = {"W": kernel, "W_carry": carry, "b": np.ones(3), "b_carry": np.zeros(3)}
        for name, array in arrays.items():
            group[name] = array.astype(np.float32)
        group.attrs["weight_names"] = [name.encode() for name in arrays]
    target = tmp_path / "model.keras"
    kerasir.convert(source, target)
    plan = solve(kerasir.load(target).graph, POLICIES["as authored"])
    (found,) = evaluate(plan, list(_fed()))
    x = 2 * _sigmoid(_fed()[0])
    t = _sigmoid(x @ carry)
    np.testing.assert_allclose(found, t * function(x @ kernel + 1) + (1 - t) * x, atol=1e-6)


def test_a_mask_of_keras_3_stays_and_is_told_elsewhere(tmp_path: Path) -> None:
    """In Keras 3 a step counts where either input has it, in Keras 2 where both have.

    tf.keras can be told of the former, older Kerases cannot.
    """
    a, b = _fed()
    mean = _layer("GlobalAveragePooling1D", "mean", "merged")
    mean_b = _layer("GlobalAveragePooling1D", "mean_b", "other_b")
    both = _layer("Concatenate", "both", "mean", "mean_b")
    equal, differing = tmp_path / "equal.keras", tmp_path / "differing.keras"
    kerasir.convert(_written(tmp_path / "source.h5", "Add", "other_a", mean, mean_b, both), equal)
    with zipfile.ZipFile(equal) as old, zipfile.ZipFile(differing, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                merged = next(
                    one for one in config["config"]["layers"] if one["config"]["name"] == "merged"
                )
                second = merged["inbound_nodes"][0]["args"][0][1]
                second["config"]["keras_history"][0] = "other_b"
                data = json.dumps(config).encode()
            new.writestr(name, data)
    kerasir.convert(differing, tmp_path / "again.keras")
    for path in (differing, tmp_path / "again.keras"):
        plan = solve(kerasir.load(path).graph, POLICIES["as authored"])
        (found,) = evaluate(plan, [a, b])
        counts = a.any(axis=-1, keepdims=True) | b.any(axis=-1, keepdims=True)
        steps = (_sigmoid(a) + _sigmoid(b)) * counts
        np.testing.assert_allclose(found[:, :3], steps.sum(axis=1) / counts.sum(axis=1), atol=1e-6)
    told = tmp_path / "model.h5"
    made = kerasir.convert(differing, told, to="keras2")  # by keyword, which tf.keras takes
    assert any("mask that a layer is given" in event.message for event in made.report)
    plan = solve(kerasir.load(told).graph, POLICIES["as authored"])
    np.testing.assert_allclose(evaluate(plan, [a, b])[0], found, atol=1e-6)
    with pytest.raises(kerasir.KerasirError, match="another mask reaches it"):
        kerasir.convert(differing, tmp_path / "old.h5", to="keras2.0")


def test_keras_3_is_told_a_mask_that_it_would_not_make(
    genuine: Callable[[str], FixtureCase], tmp_path: Path
) -> None:
    case = genuine("keras2.2.4-theano/g_masks_merged_tf")
    target = tmp_path / "model.keras"
    kerasir.convert(case.model, target)
    with zipfile.ZipFile(target) as archive:
        layers = json.loads(archive.read("config.json"))["config"]["layers"]
    told = [layer["name"] for layer in layers if any("mask" in node["kwargs"] for node in
            layer.get("inbound_nodes", []))]  # fmt: skip
    assert told
    inputs, outputs = case.inputs(), case.outputs()
    found = evaluate(solve(kerasir.load(target).graph, POLICIES["as authored"]), inputs)
    for mine, genuine_one in zip(found, outputs, strict=True):
        np.testing.assert_allclose(mine, genuine_one, atol=1e-5)
