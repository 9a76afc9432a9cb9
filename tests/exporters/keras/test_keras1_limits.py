"""What Keras 1.2.2 cannot load of what newer Kerases say, written in another way."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np

from kerasir.api import convert, load
from kerasir.ir.plan import Policy
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate
from oracle.builder import Keras
from oracle.files import write_keras2


def test_halves_that_keras_1_does_not_merge_are_layers_of_their_own(tmp_path: Path) -> None:
    """Its Bidirectional makes no two results but of sequences (1.2.2 `compute_mask`)."""
    k = Keras("channels_last")
    config = {"filters": 2, "kernel_size": 2, "data_format": "channels_last"}
    example = k.model(k.wrapped("Bidirectional", "ConvLSTM2D", **config)(k.input(3, 5, 4, 2)))
    source = write_keras2(example, tmp_path / "source.h5", "theano")
    convert(
        source, tmp_path / "k1.h5", to="keras1", data_format="channels_first",
        target_backend="theano", io_layout="keep",
    )  # fmt: skip
    with h5py.File(tmp_path / "k1.h5", "r") as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
    assert [layer["class_name"] for layer in layers].count("ConvLSTM2D") == 2
    assert "Bidirectional" not in [layer["class_name"] for layer in layers]
    model = load(tmp_path / "k1.h5", backend="theano")
    (found,) = evaluate(solve(model.graph, Policy()), example.inputs)
    np.testing.assert_allclose(found, example.outputs("theano")[0], atol=1e-5)


def test_keras_1_is_told_no_loss_by_a_name_that_it_forgets(tmp_path: Path) -> None:
    """A Sequential in a model is called otherwise once Keras 1 has loaded it."""
    k = Keras("channels_last")
    x = k.input(4)
    inner = k.child()
    chain = inner.sequential(inner("Dense", inner.input(4), units=3))
    example = k.model(k.nested(chain)(x), k("Dense", x, units=2))
    source = write_keras2(example, tmp_path / "source.h5", "theano")
    names = [name for name, _, _ in example.config["config"]["output_layers"]]
    record = {
        "optimizer_config": {"class_name": "SGD", "config": {"lr": 0.1}},
        "loss": dict(zip(names, ["mse", "mae"], strict=True)),
        "metrics": [], "sample_weight_mode": None, "loss_weights": dict.fromkeys(names, 0.5),
    }  # fmt: skip
    with h5py.File(source, "a") as file:
        file.attrs["training_config"] = json.dumps(record).encode()
    convert(source, tmp_path / "k1.h5", to="keras1")
    with h5py.File(tmp_path / "k1.h5", "r") as file:
        said = json.loads(file.attrs["training_config"])
    assert said["loss"] == ["mse", "mae"]
    assert said["loss_weights"] == [0.5, 0.5]
