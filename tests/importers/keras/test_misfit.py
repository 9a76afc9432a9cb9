"""A stored array of the wrong shape: what is expected, what is found, and what it would fit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import kerasir
from genuine import FixtureCase
from kerasir.errors import ConfigError, WeightError

TH, TF = "keras1.2.2-theano/vgg_th", "keras1.2.2-theano/vgg_tf"


def test_weights_of_the_other_ordering_are_told_from_wrong_ones(
    genuine: Callable[[str], FixtureCase],
) -> None:
    weights, arch = genuine(TH).folder / "weights.h5", genuine(TF).folder / "arch.json"
    with pytest.raises(WeightError) as raised:
        kerasir.load(weights, arch=arch)
    error = raised.value
    assert error.where == "conv1_1/kernel"
    assert error.what == "stored shape (4, 3, 3, 3) does not fit ~H:3 ~W:3 I:3 O:4"
    assert error.hint == (
        "the weights are channels_first, the architecture says channels_last: "
        "do they belong together?"
    )
    assert error.details == (
        "expected   (3, 3, 3, 4)   from the configuration of Conv2D",
        "found      (4, 3, 3, 3)   at /conv1_1/conv1_1_W",
        "It would fit as O:4 I:3 ~H:3 ~W:3.",
    )


def test_weights_that_fit_nowhere(genuine: Callable[[str], FixtureCase], tmp_path: Path) -> None:
    config = json.loads((genuine(TH).folder / "arch.json").read_text())
    conv = next(one for one in config["config"] if one["class_name"] == "Convolution2D")
    conv["config"]["nb_filter"] = 7
    arch = tmp_path / "model.json"
    arch.write_text(json.dumps(config))
    with pytest.raises(WeightError) as raised:
        kerasir.load(genuine(TH).folder / "weights.h5", arch=arch)
    assert raised.value.hint == "is it the architecture that these weights were trained with?"
    assert len(raised.value.details) == 2


def test_an_architecture_in_the_same_folder_is_proposed_if_it_fits(
    genuine: Callable[[str], FixtureCase], tmp_path: Path
) -> None:
    weights = shutil.copy(genuine(TH).folder / "weights.h5", tmp_path)
    (tmp_path / "a.json").write_text("{}")
    shutil.copy(genuine(TF).folder / "arch.json", tmp_path / "b.json")
    with pytest.raises(ConfigError) as raised:
        kerasir.load(weights)
    assert raised.value.hint == "add --arch model.json"
    with pytest.raises(ConfigError):
        kerasir.load(weights, arch="auto")
    shutil.copy(genuine(TH).folder / "arch.json", tmp_path / "c.json")
    with pytest.raises(ConfigError) as raised:
        kerasir.load(weights)
    assert raised.value.hint == f"add --arch {tmp_path / 'c.json'}"
    assert raised.value.what.endswith("; c.json lies in the same folder, and has these layers")
    model = kerasir.load(weights, arch="auto")
    assert [event.message for event in model.report if event.code == "KE210"] == [
        f"the architecture is {tmp_path / 'c.json'}: "
        "c.json lies in the same folder, and has these layers"
    ]
    done = kerasir.convert(weights, tmp_path / "new.onnx", arch="auto", verify=True)
    assert done.verification is not None
    assert done.verification.equal


def test_a_model_with_an_architecture_of_its_own_keeps_it(
    genuine: Callable[[str], FixtureCase], tmp_path: Path
) -> None:
    model = shutil.copy(genuine(TH).model, tmp_path)
    shutil.copy(genuine(TF).folder / "arch.json", tmp_path / "b.json")
    found = kerasir.load(model, arch="auto")
    assert "KE210" not in [event.code for event in found.report]
