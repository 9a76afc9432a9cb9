"""Genuine files of releases that have something of their own, which no test can make today.

`tests/data/make_tf_keras` and `make_keras3_releases.py` made them; what they are for, case by case,
is said there. `docs/releases.md` tells how many more were read.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from crafted import model_file

import kerasir
from genuine import PROJECT
from kerasir.engines import Reference
from kerasir.eras.releases import has_habit

sys.path.insert(0, str(PROJECT / "tests" / "support" / "modern"))

from proof import again, data, wrong

RELEASES = PROJECT / "tests" / "data" / "releases"
CASES = sorted(RELEASES.glob("*/*"))


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_predictions(folder: Path, tmp_path: Path) -> None:
    assert wrong(folder, tmp_path) == []


@pytest.mark.parametrize("release", ["tensorflow2.4.4", "keras3.3.3"])
def test_written_for_keras_3_it_computes_the_same(release: str, tmp_path: Path) -> None:
    """What the release did otherwise is written in words that today's reader takes so."""
    written = tmp_path / "written.keras"
    for folder in RELEASES.glob(f"{release}/*"):
        (model,) = folder.glob("model.*")
        kerasir.convert(model, written, to="keras3", overwrite=True)
        assert again(written, folder) == []


@pytest.mark.parametrize(
    ("habit", "vocabulary", "last", "first"),
    [
        ("attention_sees_masks", "tf_keras", "2.9.0", "2.10.0"),
        ("merges_hand_masks_on", "keras3", "3.3.3", "3.4.0"),
        ("softmax_zeroes", "keras3", "3.9.2", "3.10.0"),
        ("stated_masks_travel", "keras3", "3.10.0", "3.11.0"),
    ],
)
def test_a_habit_begins_with_a_release(habit: str, vocabulary: str, last: str, first: str) -> None:
    assert not has_habit(habit, vocabulary, last)  # type: ignore[arg-type]
    assert has_habit(habit, vocabulary, first)  # type: ignore[arg-type]
    assert has_habit(habit, vocabulary, None)  # type: ignore[arg-type]


def test_a_habit_can_end() -> None:
    assert has_habit("random_crop_resizes", "keras3", "3.5.0")
    assert not has_habit("random_crop_resizes", "keras3", "3.6.0")


@pytest.mark.parametrize("version", ["3.6.0", "3.7.0"])
def test_a_random_crop_that_takes_a_window(version: str, tmp_path: Path) -> None:
    """Where the middle of the wanted aspect ratio begins, 9 by 6 and 9 by 3 of 9 by 12.

    Source: Keras 3.6 `random_crop.py` (`get_random_transformation`); a genuine run of 3.6.
    """
    layers = [
        {"name": "x", "class_name": "InputLayer", "config": {"batch_shape": [None, 9, 12, 3]}},
        *(
            {
                "name": f"crop_{n}",
                "module": "keras.layers",
                "class_name": "RandomCrop",
                "config": {"height": h, "width": w},
            }
            for n, (h, w) in enumerate([(6, 4), (10, 4)])
        ),
    ]
    for layer in layers:
        layer["config"]["name"] = layer["name"]
        layer["inbound_nodes"] = []
    for layer in layers[1:]:
        tensor = {"shape": [None, 9, 12, 3], "dtype": "float32", "keras_history": ["x", 0, 0]}
        called = {"class_name": "__keras_tensor__", "config": tensor}
        layer["inbound_nodes"] = [{"args": [called], "kwargs": {}}]
    config = {
        "name": "crops",
        "layers": layers,
        "input_layers": [["x", 0, 0]],
        "output_layers": [["crop_0", 0, 0], ["crop_1", 0, 0]],
    }
    path = tmp_path / "model.keras"
    with h5py.File(tmp_path / "none.h5", "w") as file:
        file.create_group("layers")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Functional", "config": config}))
        archive.writestr("metadata.json", json.dumps({"keras_version": version}))
        archive.write(tmp_path / "none.h5", "model.weights.h5")
    x = np.random.default_rng(0).standard_normal((2, 9, 12, 3)).astype("f4")
    first, second = Reference(kerasir.load(path)).run([x]).outputs
    assert np.array_equal(first, x[:, :6, 3:7])
    assert second.shape == (2, 10, 4, 3)
    assert np.abs(second[:, 0] - x[:, 0, 4:8]).max() < 1e-6


def test_a_salt_that_stands_for_none(tmp_path: Path) -> None:
    """What TensorFlow 2.3 to 2.5 store in a Hashing that hashes without: a genuine run of 2.4."""
    said = {"name": "h", "num_bins": 5, "batch_input_shape": [None, 2], "dtype": "int64"}
    layer = {"class_name": "Hashing", "config": {**said, "salt": [956888297470, 956888297470]}}
    chain = {"class_name": "Sequential", "config": {"name": "hashed", "layers": [layer]}}
    path = model_file(tmp_path / "model.h5", {"h": {}}, chain, keras_version="2.4.0")
    (found,) = Reference(kerasir.load(path)).run([np.array([[44, 47], [64, 67], [67, 9]])]).outputs
    assert found.tolist() == [[3, 3], [1, 2], [2, 0]]


def test_the_shape_that_a_sequential_was_built_for(tmp_path: Path) -> None:
    """TensorFlow 1.13 to 2.1 state it beside the layers, where none of them has one."""
    layer = {"class_name": "Dense", "config": {"name": "one", "units": 3, "trainable": True}}
    stated = {"name": "chain", "layers": [layer], "build_input_shape": [None, 4]}
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": stated})
        file.attrs["keras_version"], file.attrs["backend"] = "2.2.4-tf", "tensorflow"
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [b"one"]
        own = group.create_group("one")
        own.attrs["weight_names"] = [b"one/kernel:0", b"one/bias:0"]
        own["one/kernel:0"], own["one/bias:0"] = np.ones((4, 3), "f4"), np.ones(3, "f4")
    model = kerasir.load(path)
    assert [str(value.layout) for value in model.graph.inputs] == ["N:? F:4"]


def test_every_case_has_its_inputs() -> None:
    assert len(CASES) == 4
    for folder in CASES:
        inputs, outputs = data(folder)
        assert inputs
        assert outputs
