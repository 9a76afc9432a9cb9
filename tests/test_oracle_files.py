"""The files that the oracle writes: they must look as if old Keras had written them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from genuine import FixtureCase, fixture_cases
from oracle.builder import Keras
from oracle.cases import CASES
from oracle.defaults import full_config
from oracle.example import entries
from oracle.files import architecture, read_keras2, write_keras2, write_keras2_weights
from oracle.generate import random_model
from oracle.keras1 import RENAMED, permits, write_keras1
from oracle.layer import Config, NotModelled, known_classes

GIVEN_BY_POSITION = {"batch_input_shape", "dtype", "sparse", "name"}
"""Keys that a config has because of where its layer stands."""


def keys_of(example_or_file: Config) -> dict[str, set[str]]:
    """The keys that each class has in a config; wrapped layers are looked into."""
    found: dict[str, set[str]] = {}
    for entry in entries(example_or_file):
        if isinstance(entry["config"], dict) and "layers" not in entry["config"]:
            found[entry["class_name"]] = set(entry["config"]) - GIVEN_BY_POSITION
    return found


NAMED_OTHERWISE = "g_distributed_twice_"
"""A case whose wrapper's weights Keras called as another layer's: the oracle goes by names."""


@pytest.mark.fixture_cases(
    eras=("keras2.2.4-theano", "keras2.2.4-tensorflow"),
    where=lambda case: not case.case.startswith(NAMED_OTHERWISE),
)
def test_configs_have_the_keys_of_genuine_ones(fixture_case: FixtureCase) -> None:
    for class_name, genuine in keys_of(read_keras2(fixture_case.model).config).items():
        if class_name in BUILT:
            required = dict.fromkeys(genuine & REQUIRED_OF.get(class_name, set()), 1)
            ours = full_config(class_name, "x", "channels_last", required)
            assert set(ours) - GIVEN_BY_POSITION == genuine, class_name


REQUIRED_OF = {
    "Activation": {"activation"},
    "ActivityRegularization": {"l1", "l2"},
    "AlphaDropout": {"rate"},
    "Bidirectional": {"layer"},
    "Conv1D": {"filters", "kernel_size"},
    "Conv2D": {"filters", "kernel_size"},
    "Conv2DTranspose": {"filters", "kernel_size"},
    "Conv3D": {"filters", "kernel_size"},
    "Dense": {"units"},
    "DepthwiseConv2D": {"kernel_size"},
    "Dot": {"axes"},
    "Dropout": {"rate"},
    "Embedding": {"input_dim", "output_dim"},
    "GRU": {"units"},
    "GaussianDropout": {"rate"},
    "GaussianNoise": {"stddev"},
    "LSTM": {"units"},
    "Permute": {"dims"},
    "Reshape": {"target_shape"},
    "SeparableConv2D": {"filters", "kernel_size"},
    "SimpleRNN": {"units"},
    "TimeDistributed": {"layer"},
}
"""What a layer of the class must be told."""

BUILT = known_classes() - {
    "ConvLSTM2D", "LocallyConnected1D", "LocallyConnected2D", "SpatialDropout2D",
}  # fmt: skip
"""The others are evaluated, but no generator or case makes them."""


@pytest.mark.parametrize("backend", ["theano", "tensorflow"])
@pytest.mark.parametrize("seed", range(12))
def test_files_come_back(seed: int, backend: str, tmp_path: Path) -> None:
    example = random_model(seed, 14, sequential=seed % 4 == 0)
    found = read_keras2(write_keras2(example, tmp_path / "model.h5", backend))
    assert (found.config, found.backend, found.version) == (example.config, backend, "2.2.4")
    full = {name: arrays for name, arrays in example.weights.items() if arrays}
    assert {name: arrays for name, arrays in found.weights.items() if arrays}.keys() == full.keys()
    for name, arrays in full.items():
        pairs = zip(found.weights[name], arrays, strict=True)
        assert all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in pairs)


def attributes(group: h5py.Group) -> dict[str, tuple[str, ...]]:
    """The type of every attribute, as HDF5 sees it; how long a string is does not matter."""
    found = {}
    for key in group.attrs:
        kind = group.attrs.get_id(key).get_type()
        text = kind.get_class() == h5py.h5t.STRING
        told = (kind.is_variable_str(), kind.get_cset(), kind.get_strpad()) if text else ()
        found[key] = (str(kind.get_class()), *map(str, told))
    return found


@pytest.mark.parametrize("name", ["nested_model_th", "vgg_th"])
def test_files_look_genuine(
    name: str, genuine: Callable[[str], FixtureCase], tmp_path: Path
) -> None:
    k = Keras("channels_first")
    y = k("Flatten", k.input(3, 5, 4))
    written = write_keras2(k.model(k("Dense", y, units=2)), tmp_path / "model.h5")
    model = genuine(f"keras2.2.4-theano/{name}").model
    with h5py.File(written) as ours, h5py.File(model) as theirs:
        root = attributes(theirs) | {"training_config": None}
        assert attributes(ours) | {"training_config": None} == root
        ours, theirs = ours["model_weights"], theirs["model_weights"]
        assert attributes(ours) == attributes(theirs)
        bare = next(group for group in theirs.values() if not len(group))
        assert attributes(ours["flatten_1"]) == attributes(bare)
        full = next(group for group in theirs.values() if len(group))
        assert attributes(ours["dense_1"]) == attributes(full)


def test_weights_without_architecture(tmp_path: Path) -> None:
    example = CASES["siamese"]()
    written = write_keras2_weights(example, tmp_path / "weights.h5", "tensorflow")
    with h5py.File(written) as file:
        assert set(file.attrs) == {"layer_names", "backend", "keras_version"}
        (tower,) = (name for name in file if name.startswith("sequential"))
        assert b"conv2d_1/kernel:0" in file[tower].attrs["weight_names"]
    assert json.loads(architecture(example))["config"] == example.config["config"]


def test_layers_are_listed_by_depth() -> None:
    """As genuine Keras 2.2.4 lists this model: by the longest way to an output."""
    k = Keras()
    shared = k.layer("Dense", units=3)
    a, b = k.input(3), k.input(3)
    late = k("Activation", b, activation="tanh")
    y = shared(k("Dense", k("Dense", a, units=4), units=3))
    config = k.model(k("Add", y, shared(late))).config["config"]
    names = [entry["name"] for entry in config["layers"]]
    assert names == [
        "input_1", "dense_2", "input_2", "dense_3", "activation_1", "dense_1", "add_1",
    ]  # fmt: skip
    assert config["input_layers"] == [["input_1", 0, 0], ["input_2", 0, 0]]


# Keras 1


def keras1_entries(found: object) -> Iterator[Config]:
    """Every layer of a Keras 1 config, nested and wrapped ones too."""
    if isinstance(found, dict):
        if "class_name" in found and isinstance(found["config"], dict):
            yield found
        found = list(found.values())
    if isinstance(found, list):
        for inner in found:
            yield from keras1_entries(inner)


def keras1_keys(path: Path) -> dict[str, set[str]]:
    with h5py.File(path) as file:
        config = json.loads(file.attrs["model_config"])
    at_start = {"batch_input_shape", "input_dtype"}
    return {
        entry["class_name"]: set(entry["config"]) - at_start for entry in keras1_entries(config)
    }


def test_keras1_configs_have_the_keys_of_genuine_ones(tmp_path: Path) -> None:
    ours: dict[str, set[str]] = {}
    for seed in range(60):
        example = random_model(seed, 10, permits=permits)
        ours |= keras1_keys(write_keras1(example, tmp_path / "model.h5"))
    genuine: dict[str, set[str]] = {}
    for case in fixture_cases():
        if case.era == "keras1.2.2-theano":
            genuine |= keras1_keys(case.model)
    plain = ours.keys() & {name for name, _ in RENAMED.values()} & genuine.keys()
    assert len(plain) > 20
    assert {name: ours[name] for name in plain} == {name: genuine[name] for name in plain}


def test_keras1_weights_have_names_and_shapes_of_their_own(tmp_path: Path) -> None:
    k = Keras("channels_first")
    y = k("Conv2D", k.input(3, 7, 6), filters=4, kernel_size=[3, 2])
    y = k("BatchNormalization", y, axis=1)
    y = k("Reshape", y, target_shape=[5, 20])
    y = k("LSTM", k("Conv1D", y, filters=2, kernel_size=3), units=6)
    example = k.model(y)
    with h5py.File(write_keras1(example, tmp_path / "model.h5")) as file:
        assert "backend" not in file.attrs
        groups = {
            name: list(group.attrs["weight_names"]) for name, group in file["model_weights"].items()
        }
        kernel = file["model_weights/conv2d_1/conv2d_1_W"][()]
        line = file["model_weights/conv1d_1/conv1d_1_W"][()]
        forget = file["model_weights/lstm_1/lstm_1_W_f"][()]
    assert groups["batch_normalization_1"][-1] == b"batch_normalization_1_running_std"
    gates = [name.decode() for name in groups["lstm_1"]]
    assert gates == [f"lstm_1_{kind}_{gate}" for gate in "icfo" for kind in "WUb"]
    stored = example.weights["conv2d_1"][0]
    assert kernel.shape == (4, 3, 3, 2)
    assert kernel[3, 1, 2, 0] == stored[2, 0, 1, 3]
    assert line.shape == (3, 1, 20, 2)
    assert np.array_equal(forget, example.weights["lstm_1"][0][:, 6:12])


def test_keras1_refuses_what_it_has_not(tmp_path: Path) -> None:
    with pytest.raises(NotModelled):
        write_keras1(CASES["dot_of_flattened"](), tmp_path / "model.h5")
