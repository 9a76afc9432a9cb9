"""Random inputs: reproducible, and of a kind that exercises the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

import kerasir
from genuine import FixtureCase
from kerasir.engines import OnnxRuntime, Reference
from kerasir.verification import feeds, verify
from kerasir.verification.feeds import OPEN_SIZES, fixed_by, random_feed

Genuine = Callable[[str], FixtureCase]

VGG = "keras2.2.4-tensorflow/vgg_tf"


def test_random_inputs_exercise_indices_and_masks(genuine: Genuine) -> None:
    engine = Reference(kerasir.load(genuine("keras1.2.2-theano/embed_mask_lstm_th").model))
    (indices,) = random_feed(engine).arrays
    assert indices.min() >= 0
    assert indices.max() < 10
    assert np.array_equal(indices, np.round(indices))
    masked = Reference(kerasir.load(genuine("keras1.2.2-theano/masking_th").model))
    (steps,) = random_feed(masked).arrays
    ends = [int((row != row[-1, 0]).any(axis=-1).sum()) for row in steps]
    assert len(set(ends)) > 1


def test_random_inputs_are_the_same_each_time(genuine: Genuine) -> None:
    engine = Reference(kerasir.load(genuine(VGG).model))
    a, b = random_feed(engine), random_feed(engine)
    assert np.array_equal(a.arrays[0], b.arrays[0])
    assert a.arrays[0].shape == (4, 11, 9, 3)
    assert a.text == "4 random inputs, seed 0"


def open_model(folder: Path, pool: int = 2) -> Path:
    """A pool over an image of any size."""
    layer = {"name": "x", "class_name": "InputLayer", "inbound_nodes": []}
    model = {
        "class_name": "Model",
        "config": {
            "name": "open",
            "layers": [
                {**layer, "config": {"name": "x", "batch_input_shape": [None, None, None, 3]}},
                {
                    "name": "pool",
                    "class_name": "MaxPooling2D",
                    "config": {
                        "name": "pool",
                        "pool_size": [pool, pool],
                        "strides": [2, 2],
                        "padding": "valid",
                        "data_format": "channels_last",
                    },
                    "inbound_nodes": [[["x", 0, 0, {}]]],
                },
            ],
            "input_layers": [["x", 0, 0]],
            "output_layers": [["pool", 0, 0]],
        },
    }
    path = folder / "open.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(model).encode()
        file.attrs["keras_version"] = b"2.2.4"
        file.attrs["backend"] = b"tensorflow"
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"x", b"pool"]
        for name in ("x", "pool"):
            weights.create_group(name).attrs["weight_names"] = np.zeros(0, "S1")
    return path


def test_open_sizes_are_filled_in_alike(tmp_path: Path) -> None:
    path = open_model(tmp_path)
    engine = Reference(kerasir.load(path))
    (array,) = random_feed(engine).arrays
    assert array.shape == (4, OPEN_SIZES["H"], OPEN_SIZES["W"], 3)
    assert verify(str(path), str(path)).equal


def test_open_sizes_grow_until_every_layer_has_something(tmp_path: Path) -> None:
    path, target = open_model(tmp_path, pool=200), tmp_path / "open.onnx"
    (array,) = random_feed(Reference(kerasir.load(path))).arrays
    assert array.shape == (1, 4 * OPEN_SIZES["H"], 4 * OPEN_SIZES["W"], 3)
    kerasir.convert(path, target)
    found = verify(str(path), str(target))
    assert found.equal
    assert found.sizes


def test_sizes_of_which_none_is_enough_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "MOST_ELEMENTS", 1000)
    (array,) = random_feed(Reference(kerasir.load(open_model(tmp_path, pool=200)))).arrays
    assert array.shape[1:3] == (OPEN_SIZES["H"], OPEN_SIZES["W"])


@pytest.mark.parametrize("io_layout", ["keep", "match"])
def test_sizes_that_only_the_other_file_has(
    io_layout: str, genuine: Genuine, tmp_path: Path
) -> None:
    """A file for one batch, from a model for any; its inputs may have the channels elsewhere."""
    model, path = genuine(VGG).model, tmp_path / "model.onnx"
    kerasir.convert(model, path, batch=3, io_layout=io_layout)
    found = verify(str(model), str(path))
    assert found.equal
    assert found.fed == "3 random inputs, seed 0"


def test_a_shape_that_only_the_other_file_has(tmp_path: Path) -> None:
    """Height and width too, where the model leaves them open."""
    model, path = open_model(tmp_path), tmp_path / "model.onnx"
    kerasir.convert(model, path, shapes={"x": (2, 5, 7, 3)}, io_layout="match")
    a, b = Reference(kerasir.load(model)), OnnxRuntime(str(path))
    assert sorted(fixed_by(a, b).values()) == [2, 5, 7]
