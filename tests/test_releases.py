"""Genuine files of releases that have something of their own, which no test can make today.

`tests/data/make_tf_keras` and `make_keras3_releases.py` made them; what they are for, case by case,
is said there. `docs/releases.md` tells how many more were read.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import kerasir
from genuine import PROJECT
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
    (folder,) = RELEASES.glob(f"{release}/*")
    (model,) = folder.glob("model.*")
    written = tmp_path / "written.keras"
    kerasir.convert(model, written, to="keras3")
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
    assert has_habit("random_crop_resizes", "keras3", "3.7.0")
    assert not has_habit("random_crop_resizes", "keras3", "3.8.0")


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
    assert len(CASES) == 3
    for folder in CASES:
        inputs, outputs = data(folder)
        assert inputs
        assert outputs
