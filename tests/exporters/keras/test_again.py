"""A file of its own dialect, in which nothing is changed, says the same to the last word."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import h5py
import numpy as np
import pytest
from crafted import model_file, numbers
from said import differences, said

import kerasir
from genuine import FixtureCase, fixture_cases

OWN = {"keras3.15.1-jax": "keras3", "tf-keras2.21.0-tensorflow": "tf-keras"}
"""By era of the files: the dialect that is theirs."""

CONTAINERS = ("model.keras", "model.h5", "model.weights.h5")

FILES = [
    pytest.param(case, name, id=f"{case.id}/{name}")
    for case in fixture_cases()
    for name in CONTAINERS
    if case.era in OWN and (case.folder / name).exists()
]


def again(source: Path, target: Path, to: str, **options: Any) -> Path:
    """The file, converted to what it is."""
    kerasir.convert(source, target, to=to, data_format="keep", io_layout="keep", **options)
    return target


@pytest.mark.parametrize(("case", "name"), FILES)
def test_every_word_and_every_number_comes_out_again(
    case: FixtureCase, name: str, tmp_path: Path
) -> None:
    source, to = case.folder / name, OWN[case.era]
    arch = case.folder / "arch.json" if name == "model.weights.h5" else None
    first = again(source, tmp_path / f"first-{name}", to, arch=arch)
    assert list(differences(said(source), said(first))) == []
    second = again(first, tmp_path / f"second-{name}", to, arch=arch)
    assert second.read_bytes() == first.read_bytes()


@pytest.mark.parametrize("case", ["m_nested_tf", "m_operations_tf", "vgg_tf"])
def test_the_way_through_the_ir_takes_no_word_away(case: str, tmp_path: Path) -> None:
    source = vgg().parent.with_name(case) / "model.keras"
    there = tmp_path / "there.kerasir"
    kerasir.convert(source, there)
    assert list(differences(said(source), said(again(there, tmp_path / "b.keras", "keras3")))) == []


def vgg() -> Path:
    found = (case for case in fixture_cases() if case.id == "keras3.15.1-jax/vgg_tf")
    return next(found).folder / "model.keras"


@pytest.mark.parametrize(
    "options",
    [
        {"data_format": "channels_first"},
        {"passes": ["drop_training_ops", "fold_batchnorm", "fuse_activation", "dead_code"]},
    ],
    ids=["another order", "passes"],
)
def test_what_is_changed_is_not_said_as_it_was(options: dict[str, Any], tmp_path: Path) -> None:
    chosen = {"data_format": "keep", "io_layout": "keep", **options}
    done = kerasir.convert(vgg(), tmp_path / "new.keras", **chosen, verify=True)
    assert "KX410" not in {event.code for event in done.report}


def test_what_nothing_reads_is_carried_along(tmp_path: Path) -> None:
    """Numbers of two opaque bytes, those that no layer asks for, and an author's own attribute."""
    made = again(vgg(), tmp_path / "weights.weights.h5", "keras3")
    with h5py.File(made, "r+") as file:
        count = file["layers/conv2d/vars/1"].size
        del file["layers/conv2d/vars/1"]
        file["layers/conv2d/vars/1"] = np.frombuffer(b"\x80\x3f" * count, "V2")
        file["layers/conv2d/vars/1"].attrs["dtype"] = "bfloat16"
        file["layers/flatten/seed_generator/vars/0"] = numbers(2)
    done = again(made, tmp_path / "again.weights.h5", "keras3", arch=vgg())
    assert list(differences(said(made), said(done))) == []


REGISTERED = {"class_name": "Reg", "config": {"k": 1}, "registered_name": "pkg>Reg", "module": "my"}
SEEDED = {
    "module": "keras.initializers",
    "class_name": "HeUniform",
    "config": {"seed": {"module": "keras.random", "class_name": "SeedGenerator",
                        "config": {"seed": 3}, "registered_name": None}},
    "registered_name": None,
}  # fmt: skip
USERS: dict[str, Any] = {
    "kernel_regularizer": REGISTERED,
    "bias_constraint": {**REGISTERED, "shared_object_id": 7},
    "kernel_initializer": SEEDED,
    "trainable": False,
    "lora_rank": None,
    "dtype": {"module": "keras", "class_name": "DTypePolicy",
              "config": {"name": "float32"}, "registered_name": None, "shared_object_id": 9},
}  # fmt: skip
"""What an author may say of a layer."""

ORDERED = {"data_format", "batch_shape", "axis"}
"""Keys that say in which order a layer works."""


def edited(source: Path, target: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of an archive with another configuration."""
    with ZipFile(source) as old, ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                edit(config)
                data = json.dumps(config).encode()
            new.writestr(name, data)
    return target


def with_users_words(config: dict[str, Any]) -> None:
    for layer in config["config"]["layers"]:
        if layer["class_name"] in {"Conv2D", "Dense"}:
            layer["config"] |= USERS
            layer["shared_object_id"] = 5
    config["config"]["note"] = {"by": "an author"}
    config["compile_config"] |= {"steps_per_execution": 4, "loss": {**REGISTERED}}


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_changed_model_keeps_the_words_that_are_still_true(suffix: str, tmp_path: Path) -> None:
    """Another order of axes, another container: what an author said of layers is all there."""
    source = edited(vgg(), tmp_path / "source.keras", with_users_words)
    target = tmp_path / f"target{suffix}"
    kerasir.convert(source, target, to="keras3", data_format="channels_first", io_layout="keep")
    before = said(source)["config.json"]
    if suffix == ".keras":
        after = said(target)["config.json"]
        assert after["compile_config"] == before["compile_config"]
    else:
        after = said(target)[""]["model_config"]
    assert after["config"]["note"] == before["config"]["note"]
    assert (after["module"], after["registered_name"]) == ("keras", None)
    named = {layer["config"]["name"]: layer for layer in after["config"]["layers"]}
    for layer in before["config"]["layers"]:
        again = named[layer["config"]["name"]]
        for one in (layer, again):
            one.pop("build_config", None)
            one["config"] = {k: v for k, v in one["config"].items() if k not in ORDERED}
        assert again == layer


def test_a_record_of_training_has_modules_in_an_archive(tmp_path: Path) -> None:
    """HDF5 of Keras 3 names a loss by its class alone, which no `.keras` file may."""
    loss = {"class_name": "Huber", "config": {"name": "huber_loss", "delta": 0.5}}
    source = again(vgg().with_name("model.h5"), tmp_path / "source.h5", "keras3")
    with h5py.File(source, "r+") as file:
        sgd = {"class_name": "SGD", "config": {"learning_rate": 0.01, "momentum": 0.0}}
        record = {"loss": loss, "optimizer_config": sgd}
        file.attrs["training_config"] = json.dumps(record).encode()
    kerasir.convert(source, tmp_path / "target.keras")
    told = said(tmp_path / "target.keras")["config.json"]["compile_config"]
    assert told["loss"] == {**loss, "module": "keras.losses", "registered_name": None}


def test_what_layers_have_beside_their_variables_comes_along(tmp_path: Path) -> None:
    source = edited(vgg(), tmp_path / "source.keras", lambda config: None)
    with ZipFile(source, "a") as archive:
        archive.writestr("assets/layers/dense/note.txt", "of the author's own\n")
    written = again(source, tmp_path / "target.keras", "keras3")
    with ZipFile(written) as archive:
        assert archive.read("assets/layers/dense/note.txt") == b"of the author's own\n"


def test_words_for_what_is_written_as_a_layer_of_its_own_are_not_kept(tmp_path: Path) -> None:
    """A Resizing to an aspect ratio is a Cropping2D and a Resizing, which must not crop again."""
    told = {"name": "small", "height": 9, "width": 4, "interpolation": "nearest"}
    config = {
        "class_name": "Sequential",
        "config": {
            "name": "chain",
            "layers": [
                {
                    "class_name": "InputLayer",
                    "config": {"name": "x", "batch_shape": [None, 7, 10, 3]},
                },
                {
                    "module": "keras.layers",
                    "class_name": "Resizing",
                    "config": {**told, "crop_to_aspect_ratio": True},
                },
            ],
        },
    }
    source = model_file(tmp_path / "model.h5", {"small": {}}, config, keras_version="3.10.0")
    kerasir.convert(source, tmp_path / "model.keras", verify=True)
    written = json.loads(ZipFile(tmp_path / "model.keras").read("config.json"))
    kept = {layer["config"]["name"]: layer["config"] for layer in written["config"]["layers"]}
    assert "small_cropped" in kept
    assert not kept["small"].get("crop_to_aspect_ratio")


def test_an_operation_gives_no_layer_its_words(tmp_path: Path) -> None:
    """HDF5 of Keras 3 calls `ops.reshape` as the layer is called, which has no `newshape`."""
    (case,) = (one for one in fixture_cases() if one.id == "keras3.15.1-jax/m_operations_tf")
    again(case.folder / "model.h5", tmp_path / "model.keras", "keras3")
    written = json.loads(ZipFile(tmp_path / "model.keras").read("config.json"))
    configs = [
        one["config"] for one in written["config"]["layers"] if one["class_name"] == "Reshape"
    ]
    assert configs
    assert not any("newshape" in config for config in configs)
