"""What a reader of the file computes otherwise, or cannot: written so that it does not matter."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from crafted import model_file, numbers

from kerasir.api import convert
from kerasir.ir.plan import Policy
from kerasir.loading import load
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

PADDED = {
    "class_name": "Sequential",
    "config": [
        {
            "class_name": "ZeroPadding3D",
            "config": {
                "name": "pad",
                "padding": [[1, 0], [0, 2], [1, 1]],
                "data_format": "channels_last",
                "batch_input_shape": [None, 4, 5, 3, 2],
            },
        },
        {
            "class_name": "Conv3D",
            "config": {
                "name": "conv",
                "filters": 3,
                "kernel_size": [3, 3, 3],
                "padding": "same",
                "data_format": "channels_last",
            },
        },
    ],
}


def layers_of(path: Path) -> list[dict[str, Any]]:
    with h5py.File(path) as file:
        config = json.loads(file.attrs["model_config"])["config"]
    layers: list[dict[str, Any]] = config if isinstance(config, list) else config["layers"]
    return layers


@pytest.mark.parametrize(
    ("to", "paddings"),
    [
        ("keras2", [[[1, 0], [0, 2], [1, 1]], [[1, 1], [1, 1], [1, 1]], "valid"]),
        ("keras2.0", [[[1, 0], [0, 2], [1, 1]], "same"]),
    ],
)
def test_same_behind_a_padding_is_written_out_for_tensorflow(
    to: str, paddings: list[Any], tmp_path: Path
) -> None:
    """In a graph of TensorFlow 2.21 oneDNN would lose it (runs of tf-keras 2.21)."""
    weights = {"pad": {}, "conv": {"conv/kernel:0": numbers(3, 3, 3, 2, 3)}}
    weights["conv"]["conv/bias:0"] = numbers(3)
    source = model_file(
        tmp_path / "old.h5", weights, PADDED, keras_version="2.0.8", backend="tensorflow"
    )
    convert(source, tmp_path / "new.h5", to=to)
    layers = layers_of(tmp_path / "new.h5")
    said = [layer["config"]["padding"] for layer in layers if "padding" in layer["config"]]
    assert said == paddings


def test_a_mask_of_steps_is_told_where_keras_3_leaves_it_as_it_was(tmp_path: Path) -> None:
    """Its TimeDistributed hands the mask of its input on, which no layer behind can use."""
    inner = {
        "class_name": "SimpleRNN",
        "config": {"name": "each", "units": 2},
    }
    config = {
        "class_name": "Sequential",
        "config": [
            {
                "class_name": "TimeDistributed",
                "config": {
                    "name": "mask",
                    "batch_input_shape": [None, 3, 4, 2],
                    "layer": {
                        "class_name": "Masking",
                        "config": {"name": "own", "mask_value": 0.5},
                    },
                },
            },
            {"class_name": "TimeDistributed", "config": {"name": "steps", "layer": inner}},
            {"class_name": "SimpleRNN", "config": {"name": "last", "units": 3}},
        ],
    }
    weights = {
        "mask": {},
        "steps": {
            "steps/kernel": numbers(2, 2) / 9,
            "steps/recurrent_kernel": numbers(2, 2) / 9,
            "steps/bias": numbers(2) / 9,
        },
        "last": {
            "last/kernel": numbers(2, 3) / 9,
            "last/recurrent_kernel": numbers(3, 3) / 9,
            "last/bias": numbers(3) / 9,
        },
    }
    said = {"keras_version": "2.2.4", "backend": "theano"}
    source = model_file(tmp_path / "old.h5", weights, config, **said)
    convert(source, tmp_path / "new.keras", io_layout="keep")
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 2)).astype("f4")
    x[0, :, 2:], x[1, 1], x[1, 2, :3] = 0.5, 0.5, 0.5
    one, other = (
        evaluate(solve(load(path).graph, Policy()), [x])[0]
        for path in (source, tmp_path / "new.keras")
    )
    np.testing.assert_allclose(other, one, rtol=1e-5)
    with zipfile.ZipFile(tmp_path / "new.keras") as archive:
        layers = json.loads(archive.read("config.json"))["config"]["layers"]
    (call,) = next(layer for layer in layers if layer["name"] == "last")["inbound_nodes"]
    assert "mask" in call["kwargs"]
