"""Layers that are not computed, of whose results nothing says the shape: the file is read.

What reads such a result shows that its input's shape is none of it. What is guessed then is right
of no model in general, so what is held here is that every array and every word comes out again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from crafted import model_file, numbers

from kerasir import convert, load
from kerasir.errors import ConfigError, KerasirError
from kerasir.importers.keras.read import MOST_TRIES

CODE = ["4wEAAAA=\n", None, None]


def unknown(name: str, *reads: str, **said: Any) -> dict[str, Any]:
    return layer("Lambda", name, *reads, function=CODE, function_type="lambda", **said)


def layer(class_name: str, name: str, *reads: str, **config: Any) -> dict[str, Any]:
    nodes = [[[one, 0, 0, {}] for one in reads]] if reads else []
    said = {"name": name, **config}
    return {"name": name, "class_name": class_name, "config": said, "inbound_nodes": nodes}


def image(name: str, *shape: int) -> dict[str, Any]:
    return layer("InputLayer", name, batch_input_shape=[None, *shape], dtype="float32")


def model(*layers: dict[str, Any]) -> dict[str, Any]:
    inputs = [one["name"] for one in layers if one["class_name"] == "InputLayer"]
    config = {
        "name": "model",
        "layers": list(layers),
        "input_layers": [[name, 0, 0] for name in inputs],
        "output_layers": [[layers[-1]["name"], 0, 0]],
    }
    return {"class_name": "Model", "config": config}


def dense(name: str, *reads: str, rows: int, units: int) -> tuple[dict[str, Any], dict[str, Any]]:
    arrays = {f"{name}/kernel:0": numbers(rows, units), f"{name}/bias:0": numbers(units)}
    return layer("Dense", name, *reads, units=units), {name: arrays}


def convolution(name: str, *reads: str, channels: int) -> tuple[dict[str, Any], dict[str, Any]]:
    arrays = {f"{name}/kernel:0": numbers(3, 3, channels, 4), f"{name}/bias:0": numbers(4)}
    config = {"filters": 4, "kernel_size": [3, 3], "data_format": "channels_last"}
    return layer("Conv2D", name, *reads, **config), {name: arrays}


def resized() -> Any:
    """Another extent of the image: Flatten gives what the Dense behind it has rows for."""
    conv, first = convolution("conv", "lambda", channels=3)
    last, second = dense("dense", "flat", rows=4 * 6 * 4, units=2)
    flat = layer("Flatten", "flat", "conv", data_format="channels_last")
    return model(image("x", 9, 9, 3), unknown("lambda", "x"), conv, flat, last), first | second


def expanded() -> Any:
    """One more dimension, which a Conv2D takes."""
    conv, weights = convolution("conv", "lambda", channels=1)
    return model(image("x", 9, 7), unknown("lambda", "x"), conv), weights


def joined() -> Any:
    """Fewer extents of space, more channels, beside an input that has them."""
    join = layer("Concatenate", "join", "lambda", "y", axis=-1)
    return model(image("x", 6, 6, 4), image("y", 3, 3, 16), unknown("lambda", "x"), join), {}


def pooled() -> Any:
    """A vector, beside another one."""
    pool = layer("GlobalMaxPooling2D", "pool", "x", data_format="channels_last")
    join = layer("Concatenate", "join", "lambda", "pool", axis=-1)
    last, weights = dense("dense", "join", rows=6, units=2)
    return model(image("x", 6, 5, 3), unknown("lambda", "x"), pool, join, last), weights


def in_steps() -> Any:
    """A vector made a sequence, for a recurrent layer."""
    arrays = {"rnn/kernel:0": numbers(3, 8), "rnn/recurrent_kernel:0": numbers(2, 8)}
    rnn = layer("LSTM", "rnn", "lambda", units=2, use_bias=False)
    return model(image("x", 12), unknown("lambda", "x"), rnn), {"rnn": arrays}


MODELS = [resized, expanded, joined, pooled, in_steps]


def written(folder: Path, said: Any) -> Path:
    config, weights = said
    names = [one["name"] for one in config["config"]["layers"]]
    held = {name: weights.get(name, {}) for name in names}
    return model_file(folder / "old.h5", held, config, keras_version="2.2.4", backend="tensorflow")


@pytest.mark.parametrize("to", ["keras2", "keras2.2"])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_every_array_comes_out_in_the_order_that_the_code_expects(
    make: Any, data_format: str, to: str, tmp_path: Path
) -> None:
    """Around a layer that is not computed no axis moves."""
    source, target = written(tmp_path, make()), tmp_path / "new.h5"
    convert(source, target, to=to, data_format=data_format, io_layout="keep")
    with h5py.File(source) as old, h5py.File(target) as new:
        config = json.loads(new.attrs["model_config"])["config"]
        kinds = {one["name"]: one["class_name"] for one in config["layers"]}
        for one in json.loads(old.attrs["model_config"])["config"]["layers"]:
            assert kinds[one["name"]] == one["class_name"]
        for name in make()[1]:
            before, after = (file[f"model_weights/{name}/{name}"] for file in (old, new))
            assert before.keys() == after.keys()
            assert all(np.array_equal(before[key][()], after[key][()]) for key in before)


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_what_was_guessed_is_told(make: Any, tmp_path: Path) -> None:
    report = load(written(tmp_path, make())).report
    told = [event for event in report if event.layer == "lambda" and event.code == "KS101"]
    assert len(told) == 1
    assert "is taken to have" in told[0].message


def test_a_reader_is_kept_where_nothing_else_does(tmp_path: Path) -> None:
    report = load(written(tmp_path, resized())).report
    (told,) = [event for event in report if event.layer == "flat"]
    assert told.code == "KE401"
    assert "--lambda" in told.fix


def test_a_shape_that_is_said_is_held_against_what_reads_it(tmp_path: Path) -> None:
    config, weights = resized()
    config["config"]["layers"][1]["config"]["output_shape"] = [9, 9, 3]
    config["config"]["layers"][1]["config"]["output_shape_type"] = "raw"
    with pytest.raises(KerasirError, match="does not fit"):
        load(written(tmp_path, (config, weights)))


def test_no_file_is_read_over_and_over(tmp_path: Path) -> None:
    """Guesses are mended so often and no more."""
    layers = [image("x", 6, 6, 4), image("y", 2)]
    for number in range(MOST_TRIES):
        layers.append(unknown(f"lambda_{number}", "x"))
        layers.append(layer("Dot", f"dot_{number}", f"lambda_{number}", "y", axes=[3, 5]))
    with pytest.raises(ConfigError):
        load(written(tmp_path, (model(*layers), {})))
