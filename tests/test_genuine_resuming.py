"""Training goes on in genuine Keras 3 where the old Keras stopped: one more step, by its formulas.

The files are those of genuine old Keras, with the optimizer's state. The formulas are written out
here from Keras 2.2.4 `optimizers.py` (`get_updates`); gradients are those that Keras 3 finds for
the loaded model. Where Keras 3 is not installed, see `test_genuine_keras.py`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import kerasir
from genuine import fixture_cases
from kerasir.ir.layout import size_of

WORKER = Path(__file__).parent / "support" / "resuming_worker.py"
CASES = {case.id: case for case in fixture_cases()}

Array = np.ndarray
Arrays = Sequence[Array]


def sgd(config: Mapping[str, Any], step: int, slots: Arrays, w: Array, g: Array) -> Array:
    rate = config["lr"] / (1 + config["decay"] * step)
    velocity = config["momentum"] * slots[0] - rate * g
    assert config["nesterov"]
    return w + config["momentum"] * velocity - rate * g


def adam(config: Mapping[str, Any], step: int, slots: Arrays, w: Array, g: Array) -> Array:
    b1, b2 = config["beta_1"], config["beta_2"]
    rate = config["lr"] * np.sqrt(1 - b2 ** (step + 1)) / (1 - b1 ** (step + 1))
    m, v = b1 * slots[0] + (1 - b1) * g, b2 * slots[1] + (1 - b2) * g * g
    if config["amsgrad"]:
        v = np.maximum(slots[2], v)
    return w - rate * m / (np.sqrt(v) + config["epsilon"])


def adamax(config: Mapping[str, Any], step: int, slots: Arrays, w: Array, g: Array) -> Array:
    b1, b2 = config["beta_1"], config["beta_2"]
    m, u = b1 * slots[0] + (1 - b1) * g, np.maximum(b2 * slots[1], np.abs(g))
    return w - config["lr"] / (1 - b1 ** (step + 1)) * m / (u + config["epsilon"])


def interleaved(slots: Arrays, kinds: int, index: int, weights: int) -> Arrays:
    """The arrays of one weight as Keras 3 orders them: two at a time, a third kind behind all."""
    own = slots[index * min(kinds, 2) : (index + 1) * min(kinds, 2)]
    return [*own, slots[2 * weights + index]] if kinds == 3 else own


FORMULAS: Mapping[str, tuple[Callable[..., Array], int]] = {
    "keras2.2.4-theano/flat_reshape_back_th": (sgd, 1),
    "keras2.2.4-theano/flat_first_th": (adam, 2),
    "keras2.2.4-theano/opts_amsgrad_th": (adam, 3),
    "keras2.2.4-theano/flat_chain_th": (adamax, 2),
}


def python() -> str | None:
    """An interpreter that has Keras 3 and JAX; None if there is none."""
    here = all(importlib.util.find_spec(name) for name in ("keras", "jax"))
    return os.environ.get("KERASIR_KERAS3_PYTHON") or (sys.executable if here else None)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Array]]:
    interpreter = python()
    if interpreter is None:
        if os.environ.get("KERASIR_REQUIRE_KERAS"):
            pytest.fail("KERASIR_REQUIRE_KERAS is set, but no Keras 3")
        pytest.skip("keras and jax: not installed, and KERASIR_KERAS3_PYTHON is not set")
    root, jobs = tmp_path_factory.mktemp("resuming"), []
    for number, name in enumerate(FORMULAS):
        case, model = CASES[name], root / f"{number}.keras"
        kerasir.convert(case.model, model)
        data, out = root / f"data_{number}.npz", root / f"out_{number}.npz"
        graph = kerasir.load(model).graph
        shapes = [
            [size_of(axis) or 3 for axis in value.axes]
            for value in (graph.inputs[0], graph.outputs[0])
        ]
        rng = np.random.default_rng(number)
        x, y = (rng.normal(size=shape).astype(np.float32) for shape in shapes)
        np.savez(data, x=x, y=y)
        jobs.append({"model": str(model), "data": str(data), "out": str(out)})
    listed = root / "jobs.jsonl"
    listed.write_text("".join(f"{json.dumps(job)}\n" for job in jobs))
    done = subprocess.run(
        [interpreter, str(WORKER), str(listed)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = {}
    for name, job in zip(FORMULAS, jobs, strict=True):
        with np.load(job["out"]) as arrays:
            found[name] = dict(arrays)
    return found


@pytest.mark.time_limit(600)
@pytest.mark.parametrize("name", FORMULAS)
def test_one_more_step_is_the_old_keras_one(
    name: str, answers: dict[str, dict[str, Array]]
) -> None:
    formula, kinds = FORMULAS[name]
    found = answers[name]
    with h5py.File(CASES[name].model) as file:
        stored = file["optimizer_weights"]
        old = [stored[key][...] for key in stored.attrs["weight_names"]]
        told = file.attrs["training_config"]
        config = json.loads(told)["optimizer_config"]["config"]
    count = sum(key.startswith("before_") for key in found)
    slots = [found[f"slot_{i}"] for i in range(kinds * count)]
    assert int(found["steps"]) == int(old[0]) == 2
    # each array of the file is there, however it lies now
    held = [np.sort(slot, axis=None) for slot in slots]
    for array in old[1 : 1 + kinds * count]:
        numbers = np.sort(array, axis=None)
        assert any(one.shape == numbers.shape and np.array_equal(one, numbers) for one in held)
    for i in range(count):
        w, g, after = (found[f"{key}_{i}"] for key in ("before", "gradient", "after"))
        own = interleaved(slots, kinds, i, count)
        expected = formula(config, 2, own, w, g)
        step = np.abs(expected - w).max()
        assert np.abs(after - expected).max() <= 1e-5 * max(step, np.abs(w).max())
