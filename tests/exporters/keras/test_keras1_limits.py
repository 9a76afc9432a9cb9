"""What Keras 1.2.2 cannot load of what newer Kerases say, written in another way."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from kerasir.api import convert
from kerasir.ir.plan import Policy
from kerasir.loading import load
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate
from oracle.builder import Keras
from oracle.evaluate import evaluate as oracle
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


def test_entries_are_normalized_along_the_last_axis_that_keras_1_sees(tmp_path: Path) -> None:
    """In the other order what was the last axis is brought there, and back."""
    kernel = np.random.default_rng(0).normal(size=(4, 3, 2, 2)).astype(np.float32)
    layers = [
        ("Convolution2D", {
            "name": "conv", "nb_filter": 4, "nb_row": 2, "nb_col": 2, "dim_ordering": "th",
            "batch_input_shape": [None, 3, 5, 6], "border_mode": "valid", "bias": False,
        }),
        ("BatchNormalization", {"name": "norm", "mode": 1, "axis": -1, "epsilon": 0.001}),
    ]  # fmt: skip
    gamma, beta = np.arange(1, 6, dtype=np.float32), np.arange(5, dtype=np.float32)
    norm = {"norm_gamma": gamma, "norm_beta": beta}
    norm |= {"norm_running_mean": beta, "norm_running_std": gamma}
    with h5py.File(tmp_path / "source.h5", "w") as file:
        config = [{"class_name": name, "config": said} for name, said in layers]
        stated = {"class_name": "Sequential", "config": config, "keras_version": "1.2.2"}
        file.attrs["model_config"] = json.dumps(stated).encode()
        file.attrs["keras_version"] = b"1.2.2"
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"conv", b"norm"]
        for layer, arrays in (("conv", {"conv_W": kernel}), ("norm", norm)):
            group = weights.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in arrays]
            for name, array in arrays.items():
                group[name] = array
    target = tmp_path / "last.h5"
    convert(
        tmp_path / "source.h5", target, backend="theano", to="keras1", data_format="channels_last",
        target_backend="theano", io_layout="keep",
    )  # fmt: skip
    x = np.random.default_rng(1).normal(size=(2, 3, 5, 6))
    y = np.zeros((2, 4, 4, 5))
    for row in range(4):
        for column in range(5):
            patch = x[:, None, :, row : row + 2, column : column + 2]
            y[:, :, row, column] = (patch * kernel[None, :, :, ::-1, ::-1]).sum((2, 3, 4))
    deviation = np.sqrt(y.var(-1, keepdims=True) + 0.001) + 0.001
    wanted = (y - y.mean(-1, keepdims=True)) / deviation * gamma + beta
    model = load(target, backend="theano")
    (found,) = evaluate(solve(model.graph, Policy()), [x])
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("kind", ["keras1", "keras2.0"])
def test_no_model_inside_another_is_given_a_mask(kind: str, tmp_path: Path) -> None:
    """Its InputLayer would refuse it (2.0.8 `Layer.compute_mask`): the layers stand outside."""
    k = Keras("channels_last")
    inner = k.child()
    nested = k.nested(inner.model(inner("Activation", inner.input(4, 3), activation="tanh")))
    masked = k("Masking", k.input(4, 3), mask_value=0.0)
    example = k.model(k("LSTM", nested(masked), units=2))
    source, target = write_keras2(example, tmp_path / "source.h5", "theano"), tmp_path / "old.h5"
    convert(source, target, to=kind, target_backend="theano")
    with h5py.File(target, "r") as file:
        config = json.loads(file.attrs["model_config"])["config"]
    layers = config["layers"] if isinstance(config, dict) else config
    assert not {"Model", "Sequential"} & {layer["class_name"] for layer in layers}
    x = example.inputs[0].copy()
    x[:, 2:] = 0
    wanted = oracle(example.config, example.weights, [x], "theano", "2.2.4")
    (found,) = evaluate(solve(load(target, backend="theano").graph, Policy()), [x])
    np.testing.assert_allclose(found, wanted[0], atol=1e-6)
