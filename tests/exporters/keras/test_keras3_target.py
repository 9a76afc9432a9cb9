"""Files for Keras 3: what the archives look like, and that kerasir reads back what it wrote."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import kerasir
from genuine import FixtureCase, fixture_cases
from kerasir.errors import KerasirError
from kerasir.exporters.keras import layers as _  # ruff: ignore[unused-import]  (registers them)
from kerasir.exporters.keras.registry import WRITERS
from kerasir.ir.op import OPS

CASES = {case.id: case for case in fixture_cases()}

TRIED = [
    "keras1.2.2-theano/vgg_th",
    "keras1.2.2-theano/siamese_th",
    "keras2.2.4-theano/adv_act_th",
    "keras1.2.2-theano/multi_io_tf",
    "keras2.2.4-theano/bidir_th",
    "keras2.2.4-theano/nested_model_th",
    "keras2.2.4-theano/td_dense_conv_tf",
    "keras2.2.4-theano/rnn_variants_tf",
    "keras2.2.4-theano/gru_reset_after_th",
]


def said(case: FixtureCase) -> dict[str, Any]:
    return {"arch": case.arch, "backend": case.backend} if case.arch else {}


@pytest.mark.parametrize("name", TRIED)
@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_what_is_written_computes_the_same(name: str, ending: str, tmp_path: Path) -> None:
    case = CASES[name]
    done = kerasir.convert(
        case.model, tmp_path / f"new{ending}", to="keras3", verify=True, **said(case)
    )
    assert done.verification is not None
    assert done.verification.equal


@pytest.mark.parametrize("name", TRIED)
def test_weights_alone_fit_the_architecture(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    whole, weights = tmp_path / "new.keras", tmp_path / "new.weights.h5"
    kerasir.convert(case.model, whole, **said(case))
    kerasir.convert(case.model, weights, **said(case))
    with zipfile.ZipFile(whole) as archive:
        (tmp_path / "config.json").write_bytes(archive.read("config.json"))
    again = kerasir.load(weights, arch=tmp_path / "config.json")
    expected = {w.name: w for w in kerasir.load(whole).graph.weights()}
    found = {w.name: w for w in again.graph.weights()}
    assert found.keys() == expected.keys()
    for key, weight in found.items():
        for source, other in zip(weight.sources, expected[key].sources, strict=True):
            assert np.array_equal(numbers(source), numbers(other))


def numbers(source: Any) -> np.ndarray:
    held = np.empty(int(np.prod(source.shape)), source.dtype)
    source.read_into(0, held)
    return held


def test_the_archive_is_a_plain_zip_of_three_stored_members(tmp_path: Path) -> None:
    case, path = CASES["keras2.2.4-theano/vgg_tf"], tmp_path / "new.keras"
    kerasir.convert(case.model, path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        members = archive.infolist()
        config = json.loads(archive.read("config.json"))
        weights = archive.extract("model.weights.h5", tmp_path)
    assert [member.filename for member in members] == [
        "metadata.json", "config.json", "model.weights.h5",
    ]  # fmt: skip
    assert {member.compress_type for member in members} == {zipfile.ZIP_STORED}
    assert config["module"] == "keras"
    assert config["class_name"] == "Sequential"
    assert config["compile_config"]["optimizer"]["class_name"] == "SGD"
    with h5py.File(weights) as file:
        assert file["layers/conv2d/vars"].attrs["name"] == "conv1_1"
        assert file["layers/conv2d/vars/0"].shape[-2:] == (3, 4)
        assert file["optimizer/vars/0"][()] == 2


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    case = CASES["keras2.2.4-theano/resnet_th"]
    for name in ("a.keras", "b.keras"):
        kerasir.convert(case.model, tmp_path / name)
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()


@pytest.mark.parametrize(
    ("name", "options", "what"),
    [
        ("a.keras", {"target_backend": "theano"}, "Keras 3 never reverses kernels"),
        ("a.keras", {"weights_only": True}, "name it .weights.h5"),
        ("a.weights.h5", {"verify": True}, "verify with weights alone"),
    ],
)
def test_what_keras3_cannot_have(
    name: str, options: dict[str, Any], what: str, tmp_path: Path
) -> None:
    with pytest.raises(KerasirError, match=what):
        kerasir.convert(CASES[TRIED[0]].model, tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


def test_an_optimizer_is_put_in_the_words_of_keras3(tmp_path: Path) -> None:
    case = CASES["keras2.2.4-theano/vgg_tf"]
    kerasir.convert(case.model, tmp_path / "new.keras")
    again = kerasir.load(tmp_path / "new.keras").training
    first = kerasir.load(case.model).training
    assert again is not None
    assert first is not None
    rate = again.config["learning_rate"]
    assert rate["class_name"] == "InverseTimeDecay"
    assert rate["config"]["decay_rate"] == first.config["decay"]
    assert again.iterations == first.iterations == 2
    assert len(again.slots) == len(first.slots) > 0
    kinds = {slot.kind for slot in again.slots}
    assert kinds == {"momentum"}


def test_preserved_settings_are_objects_of_keras3(tmp_path: Path) -> None:
    case = CASES["keras1.2.2-theano/vgg_th"]
    kerasir.convert(case.model, tmp_path / "new.keras", **said(case))
    with zipfile.ZipFile(tmp_path / "new.keras") as archive:
        config = json.loads(archive.read("config.json"))
    stated = config["config"]["layers"][2]["config"]["kernel_initializer"]
    assert stated["module"] == "keras.initializers"
    assert stated["registered_name"] is None


def test_every_op_has_a_writer() -> None:
    assert OPS.keys() - {op.__name__ for op in WRITERS} == set()


@pytest.mark.parametrize(
    "name",
    [
        "keras2.2.4-theano/adv_act_th",  # LeakyReLU's alpha has another name
        "keras1.2.2-theano/deconv_th",  # the shape that a Deconvolution states follows from it
        "keras1.2.2-theano/embed_mask_lstm_th",  # forget_bias_init="one"
        "keras2.2.4-theano/rnn_variants_tf",  # implementation=2
    ],
)
def test_nothing_is_called_lost_that_is_said_otherwise(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    done = kerasir.convert(case.model, tmp_path / "new.keras", **said(case))
    lost = [event.message for event in done.report if event.code == "KX201"]
    assert lost == []


def test_rms_normalization_stands_along_the_last_axes_alone(tmp_path: Path) -> None:
    """Along another axis Keras 3.15 multiplies by its scale as if that lay along the last one."""
    case = next(c for c in fixture_cases() if c.id == "keras3.15.1-jax/m_norms_tf")
    target = tmp_path / "first.keras"
    kept = {"data_format": "channels_first", "io_layout": "keep"}
    kerasir.convert(case.model, target, **kept, verify=True)
    with zipfile.ZipFile(target) as archive:
        config = json.loads(archive.read("config.json"))
    classes = [layer["class_name"] for layer in config["config"]["layers"]]
    assert "Conv2D" in classes
    assert "RMSNormalization" not in classes
