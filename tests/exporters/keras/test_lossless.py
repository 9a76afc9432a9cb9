"""A file that is written for the Keras that wrote its source says the same, value for value.

Genuine files of Keras 2.2.4 and 2.3.1, written again in their own order and for their own backend:
as `keras2.2`, which is for these alone, they are the same to the last word. As `keras2` for Theano
they are as well, since no other Keras reads them. For TensorFlow later ones do. What differs then
has a reason, and `told` takes it out before the two are compared:

- A Sequential begins with an InputLayer: Keras 3 reads no `batch_input_shape` of a first layer.
- A wrapped layer and a cell state their module, a nested model is called twice: Keras 3 asks for
  both.
- ThresholdedReLU is a ReLU with a threshold, SpatialDropout and ConvLSTM2D have fewer keys: as
  Keras 3 has them.
- The learning rate is called `lr`, as all of Keras 2 reads it; an optimizer's arrays are numbered,
  as all load them by their order; not all of Keras 2 count the steps of every optimizer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from said import differences, said

import kerasir
from genuine import FixtureCase, fixture_cases
from kerasir.exporters.keras.dialects import DIALECTS, LOADED_BY

OTHERWISE = {"g_cudnn_tf", "g_legacy_tf", "g_bilinear_tf", "g_masks_of_steps_tf"}
"""Cases of cuDNN's layers and Keras 1's layers: written as the layers that they are, which
tf.keras and Keras 3 have too. Of bilinear up-sampling from corners, which those compute otherwise:
written as what computes it in all of them. Of a Masking inside TimeDistributed: written without."""

NAMED_BY_ANOTHER = {"g_distributed_twice_tf"}
"""Cases in which Keras calls a wrapper's weights as those of another; it reads them by order."""

OWN = [case for case in fixture_cases() if case.era.startswith(("keras2.2", "keras2.3"))]
CASES = [case for case in OWN if case.case not in OTHERWISE]
FED = ("batch_input_shape", "input_dtype")
FEWER = ("noise_shape", "seed", "trainable", "data_format")
"""Keys of SpatialDropout that Keras 3 does not have, or Keras 2 did not save."""


def told(entry: dict[str, Any]) -> dict[str, Any]:
    """A layer or a model without what differs for a reason."""
    config = dict(entry["config"])
    kind = entry["class_name"]
    if "layers" in config:
        layers = list(config["layers"])
        if kind == "Sequential":
            layers = [layer for layer in layers if layer["class_name"] != "InputLayer"]
        config["layers"] = [told(layer) for layer in layers]
        if kind == "Sequential" and layers:
            config["layers"][0]["config"].pop("dtype", None)
        for key in ("input_layers", "output_layers"):
            config[key] = [ref[0] for ref in config.get(key, [])]
    for key in ("layer", "cell"):
        if isinstance(config.get(key), dict):
            config[key] = told(config[key])
    if "cells" in config:
        config["cells"] = [told(cell) for cell in config["cells"]]
    if kind != "InputLayer":
        config = {key: value for key, value in config.items() if key not in FED}
    if kind == "ConvLSTM2D":
        config.pop("unroll", None)
    if kind.startswith("SpatialDropout"):
        config = {key: value for key, value in config.items() if key not in FEWER}
    if kind == "ThresholdedReLU":
        kind = "ReLU"
        threshold = {"threshold": config.pop("theta"), "max_value": None, "negative_slope": 0.0}
        config |= threshold
    found = {"class_name": kind, "config": config}
    if "inbound_nodes" in entry:
        found |= {"name": entry["name"], "inbound_nodes": list(calls(entry))}
    return found


def calls(entry: dict[str, Any]) -> Iterator[Any]:
    """Which layers each call reads; of a nested model's calls every second one is a repetition."""
    nodes = entry["inbound_nodes"]
    nested = "layers" in entry["config"]
    pairs = zip(nodes[::2], nodes[1::2], strict=False)
    doubled = nested and len(nodes) % 2 == 0 and all(a == b for a, b in pairs)
    for node in nodes[::2] if doubled else nodes:
        yield [(ref[0], ref[3]) for ref in node]


def datasets(file: h5py.File, group: str) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    if group in file:
        file[group].visititems(
            lambda name, item: found.update({name: item[()]}) if hasattr(item, "shape") else None
        )
    return found


def slots(file: h5py.File) -> list[np.ndarray]:
    """An optimizer's arrays in the order in which they are loaded, without counts and schedules."""
    if "optimizer_weights" not in file:
        return []
    group = file["optimizer_weights"]
    arrays = [group[name][()] for name in group.attrs["weight_names"]]
    return [array for array in arrays if array.shape]


def training(file: h5py.File) -> dict[str, Any]:
    record = json.loads(file.attrs.get("training_config", "{}"))
    config = record.get("optimizer_config", {}).get("config", {})
    if "learning_rate" in config:
        config["lr"] = config.pop("learning_rate")
    return record


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_is_written_again_says_the_same(case: FixtureCase, tmp_path: Path) -> None:
    target, second = tmp_path / "model.h5", tmp_path / "second.h5"
    for source, written in ((case.model, target), (target, second)):
        kerasir.convert(
            source,
            written,
            data_format=case.ordering,
            target_backend=case.backend,
            io_layout="keep",
        )
    assert second.read_bytes() == target.read_bytes()
    if case.backend == "theano":
        assert list(differences(said(case.model), said(target))) == []
    with h5py.File(case.model) as old, h5py.File(target) as new:
        for name in ("backend", "keras_version"):
            assert new.attrs[name] == old.attrs[name]
        configs = [told(json.loads(file.attrs["model_config"])) for file in (old, new)]
        assert configs[1] == configs[0]
        assert training(new) == training(old)
        before, after = datasets(old, "model_weights"), datasets(new, "model_weights")
        assert after.keys() == before.keys() or case.case in NAMED_BY_ANOTHER
        for mine, theirs in zip(after.values(), before.values(), strict=True):
            assert mine.dtype == theirs.dtype
            np.testing.assert_array_equal(mine, theirs)
        assert len(slots(new)) == len(slots(old))
        for mine, theirs in zip(slots(new), slots(old), strict=True):
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("case", OWN, ids=lambda case: case.id)
def test_for_its_own_versions_every_word_is_said_again(case: FixtureCase, tmp_path: Path) -> None:
    target = tmp_path / "model.h5"
    options = {"data_format": case.ordering, "target_backend": case.backend, "io_layout": "keep"}
    kerasir.convert(case.model, target, to="keras2.2", **options)
    assert list(differences(said(case.model), said(target))) == []


def test_layers_of_cudnn_stay_or_are_told(tmp_path: Path) -> None:
    """Their weights lie as cuDNN has them: where they stay, nothing is told to have moved."""
    source = next(case for case in OWN if case.case == "g_cudnn_tf").model
    stays = kerasir.convert(source, tmp_path / "same.h5", to="keras2.2")
    assert {event.code for event in stays.report} & {"KX410", "KL101", "KX102"} == {"KX410"}
    told = kerasir.convert(source, tmp_path / "for_all.h5").report
    words = {event.message.partition(":")[0] for event in told if event.code == "KX102"}
    assert words == {"CuDNNLSTM is written as LSTM", "CuDNNGRU is written as GRU"}


def first(case: str, tmp_path: Path) -> tuple[list[Any], list[Any]]:
    """The layers of a Sequential and of the same with its channels first, for these versions."""
    target = tmp_path / "model.h5"
    source = next(one for one in OWN if one.id == f"keras2.2.4-tensorflow/{case}").model
    kerasir.convert(source, target, to="keras2.2", data_format="channels_first")
    with h5py.File(source) as old, h5py.File(target) as new:
        layers = [json.loads(file.attrs["model_config"])["config"] for file in (old, new)]
    return layers[0]["layers"], layers[1]["layers"]


def test_what_is_changed_keeps_the_words_of_every_layer(tmp_path: Path) -> None:
    """A first layer says what it is fed, layers keep their classes, and keys at their defaults."""
    before, after = first("vgg_tf", tmp_path)
    assert [layer["class_name"] for layer in after] == [layer["class_name"] for layer in before]
    for old, new in zip(before, after, strict=True):
        assert list(new["config"]) == list(old["config"])
        other = {key for key, value in new["config"].items() if old["config"][key] != value}
        assert other <= {"data_format", "batch_input_shape"}


def test_every_class_that_some_versions_lack_says_what_has_it() -> None:
    missing = {known.missing for one in DIALECTS.values() for known in one.classes.values()}
    assert missing - {""} == set(LOADED_BY)
