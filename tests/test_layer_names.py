"""Layers whose names the target does not take: Theano took any, TensorFlow and Keras 3 do not.

The genuine Keras are those of `test_genuine_keras`: without them their tests are skipped, unless
KERASIR_REQUIRE_KERAS is set.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crafted import Layers, model_file, numbers
from frameworks import FRAMEWORKS

import kerasir
from kerasir.engines import Reference

WORKER = Path(__file__).parent / "support" / "keras_worker.py"
SECONDS = 300

NAMES = (
    "conv1/7x7_s2", "my layer", "my_layer", "my_layer/part", "my*layer", "_first", "größe", "a:0",
)  # fmt: skip
"""Each of a Dense layer; three of them would be called alike, one as if it were another's part."""


def layer(class_name: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": {"name": name, **config}}


def dense(name: str) -> dict[str, Any]:
    return layer("Dense", name, units=3, activation="tanh")


def awkward(path: Path) -> Path:
    """A chain of Keras 2 on Theano: Dense layers, one in a wrapper and one in a model inside."""
    inside = layer("Sequential", "in here")
    inside["config"]["layers"] = [dense("deep inside")]
    inside["config"]["layers"][0]["config"]["batch_input_shape"] = [None, 4, 3]
    wrapped = layer("TimeDistributed", "each: step", layer=dense("of a step"))
    lstm = layer("LSTM", "an lstm", units=2, return_sequences=True)
    both = layer("Bidirectional", "two ways", layer=lstm, merge_mode="sum")
    chain = [dense(name) for name in NAMES]
    chain += [wrapped, both, layer("Dense", "a/b", units=3), inside]
    chain[0]["config"]["batch_input_shape"] = [None, 4, 3]
    weights: dict[str, Any] = {}
    for number, one in enumerate(chain):
        name = one["config"]["name"]
        rows = 2 if name == "a/b" else 3
        own = "deep inside" if one is inside else name
        weights[name] = {
            f"{own}/kernel": np.sin(numbers(rows, 3, start=number)),
            f"{own}/bias": np.cos(numbers(3, start=number)),
        }
    gates = {"kernel": (3, 8), "recurrent_kernel": (2, 8), "bias": (8,)}
    weights["two ways"] = {
        f"two ways/{way}_an lstm/{own}": np.sin(numbers(*shape, start=len(way)))
        for way in ("forward", "backward")
        for own, shape in gates.items()
    }
    config = {"class_name": "Sequential", "config": {"name": "a model!", "layers": chain}}
    known: Layers = weights
    return model_file(path, known, config, keras_version="2.2.4", backend="theano")


def names_in(path: Path) -> list[str]:
    """What the layers of a file are called, those inside others as well."""
    return [
        name
        for node in kerasir.load(path).graph.nodes
        if node.layer is not None
        for name in (node.layer.name, *(one.name for one in node.layer.wrappers))
    ]


def predicted(path: Path, x: Any) -> Any:
    return Reference(kerasir.load(path)).run([x]).outputs[0]


@pytest.mark.parametrize(
    ("written", "options", "allowed"),
    [
        ("new.h5", {}, "[A-Za-z0-9.][A-Za-z0-9_./-]*"),
        ("new.h5", {"to": "keras2.0"}, "[A-Za-z0-9.][A-Za-z0-9_./-]*"),
        ("new.h5", {"to": "keras3"}, "[A-Za-z0-9_.>-]+"),
        ("new.keras", {}, "[A-Za-z0-9_.>-]+"),
        ("new.h5", {"target_backend": "theano"}, ".+"),
    ],
)
def test_names_are_those_that_the_target_takes(
    written: str, options: dict[str, Any], allowed: str, tmp_path: Path
) -> None:
    source = awkward(tmp_path / "old.h5")
    done = kerasir.convert(source, tmp_path / written, verify=True, **options)
    found = names_in(tmp_path / written)
    assert len(found) == len(names_in(source))
    assert all(re.fullmatch(allowed, name) for name in found), found
    told = {e.layer: e.message for e in done.report if e.code == "KX407"}
    changed = {name for name in names_in(source) if not re.fullmatch(allowed, name)}
    assert changed - {"of a step"} <= told.keys()  # that is in a wrapper, which has a name
    assert bool(told) == bool(changed)
    for old, new in {"my layer": "my_layer_2", "my*layer": "my_layer_3"}.items():
        assert old not in changed or f"called {new} (" in told[old]


def test_a_slash_in_a_file_that_keras3_may_load_too(tmp_path: Path) -> None:
    source = awkward(tmp_path / "old.h5")
    report = kerasir.convert(source, tmp_path / "new.h5").report
    [event] = [event for event in report if event.code == "KX307"]
    assert (event.layer, event.level) == ("conv1/7x7_s2", "warning")
    report = kerasir.convert(source, tmp_path / "new.keras").report
    assert not [event for event in report if event.code == "KX307"]


@pytest.mark.time_limit(SECONDS)
@pytest.mark.parametrize(("module", "ending"), [("tf_keras", ".h5"), ("keras", ".keras")])
def test_genuine_keras_takes_them(module: str, ending: str, tmp_path: Path) -> None:
    framework = FRAMEWORKS[module]
    python = framework.python()
    if python is None:
        assert not os.environ.get("KERASIR_REQUIRE_KERAS"), f"{module} is not there"
        pytest.skip(f"no interpreter has {module}: set {framework.variable}")
    source, target = awkward(tmp_path / "old.h5"), tmp_path / f"new{ending}"
    kerasir.convert(source, target)
    x = np.sin(numbers(2, 4, 3, start=5)).astype(np.float32)
    np.savez(tmp_path / "in.npz", in_0=x)
    job = {"id": "names", "model": str(target), "inputs": str(tmp_path / "in.npz"),
           "outputs": str(tmp_path / "out.npz"), "twice": False}  # fmt: skip
    (tmp_path / "jobs.jsonl").write_text(json.dumps(job))
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}  # JAX takes any name but a slash
    command = [python, str(WORKER), module, str(tmp_path / "jobs.jsonl")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=SECONDS, env=environment
    )
    assert "error" not in json.loads(done.stdout), done.stderr[-2000:]
    found, expected = np.load(tmp_path / "out.npz")["out_0"], predicted(source, x)
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_no_dot_in_the_name_of_a_layer_with_weights(tmp_path: Path) -> None:
    """PyTorch keeps weights by the path of their layer, and takes no dot in it."""
    one, two = dense("block.dense"), layer("Activation", "block.relu", activation="relu")
    one["config"]["batch_input_shape"] = [None, 3]
    arrays = {"block.dense/kernel:0": numbers(3, 3), "block.dense/bias:0": numbers(3)}
    known: Layers = {"block.dense": arrays, "block.relu": {}}
    config = {"class_name": "Sequential", "config": {"name": "model", "layers": [one, two]}}
    source = model_file(tmp_path / "old.h5", known, config, keras_version="2.2.4")
    for target, found in (("new.keras", "block_dense"), ("new.h5", "block.dense")):
        kerasir.convert(source, tmp_path / target)
        assert names_in(tmp_path / target) == [found, found, "block.relu"]
        assert kerasir.verify(source, tmp_path / target).equal
