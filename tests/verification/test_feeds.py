"""Random inputs: reproducible, and of a kind that exercises the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

import kerasir
from genuine import FixtureCase
from kerasir.engines import Reference
from kerasir.verification import verify
from kerasir.verification.feeds import OPEN_SIZES, random_feed

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


def test_open_sizes_are_filled_in_alike(tmp_path: Path) -> None:
    """Two inputs of open extent; a fully convolutional model."""
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
                        "pool_size": [2, 2],
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
    path = tmp_path / "open.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(model).encode()
        file.attrs["keras_version"] = b"2.2.4"
        file.attrs["backend"] = b"tensorflow"
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"x", b"pool"]
        for name in ("x", "pool"):
            weights.create_group(name).attrs["weight_names"] = np.zeros(0, "S1")
    engine = Reference(kerasir.load(path))
    (array,) = random_feed(engine).arrays
    assert array.shape == (4, OPEN_SIZES["H"], OPEN_SIZES["W"], 3)
    assert verify(str(path), str(path)).equal
