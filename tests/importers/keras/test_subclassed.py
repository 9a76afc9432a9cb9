"""Models of their authors' own classes: read as one layer that is not computed."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import kerasir
from kerasir.errors import ExportError
from kerasir.importers.keras.subclassed import ENTRY, own_arrays, subclassed
from kerasir.ir.layout import size_of

ARRAYS = {
    "blocks/dense/vars/0": (4, 3),
    "blocks/dense/vars/1": (3,),
    "first/vars/0": (6, 4),
    "first/vars/1": (4,),
    "vars/0": (2,),
}
STATE = {"optimizer/vars/0": (), "optimizer/vars/1": (), "optimizer/vars/2": (6, 4)}
CONFIG = {
    "module": None,
    "class_name": "Net",
    "config": {"name": "net", "units": 4},
    "registered_name": "mine>Net",
    "build_config": {"input_shape": [2, 6]},
    "compile_config": {"optimizer": "adam", "loss": "mse"},
}


def written(path: Path, version: str = "3.15.1", **more: Any) -> Path:
    """As Keras 3.15 saves a subclassed model that was trained."""
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        for number, (name, shape) in enumerate((ARRAYS | STATE).items()):
            file[name] = np.full(shape, number, "float32")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": version}))
        archive.writestr("config.json", json.dumps(CONFIG | more))
        archive.writestr("model.weights.h5", held.getvalue())
    return path


def test_it_is_one_layer_that_is_not_computed(tmp_path: Path) -> None:
    model = kerasir.load(written(tmp_path / "model.keras"))
    [node] = model.graph.nodes
    assert (model.kind, node.op.kind, node.name) == ("subclassed", "Opaque", "net")
    assert [size_of(term) for term in node.inputs[0].axes] == [None, 6]
    assert {name: array.shape for name, array in model.tensors.items()} == {
        "net/blocks_dense_0": (4, 3), "net/blocks_dense_1": (3,), "net/first_0": (6, 4),
        "net/first_1": (4,), "net/weight_0": (2,),
    }  # fmt: skip
    assert [event.code for event in model.report] == ["KE401", "KT201"]


@pytest.mark.parametrize("kind", ["keras", "weights.h5"])
def test_every_array_stays_where_it_was(kind: str, tmp_path: Path) -> None:
    target = tmp_path / f"again.{kind}"
    kerasir.convert(written(tmp_path / "model.keras"), target)
    held: Any = target
    if kind == "keras":
        with zipfile.ZipFile(target) as archive:
            assert json.loads(archive.read("config.json")) == CONFIG
            held = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(held) as file:
        for number, (name, shape) in enumerate(ARRAYS.items()):
            np.testing.assert_array_equal(file[name], np.full(shape, number, "float32"))
        assert ("optimizer" in file) == (kind == "keras")


def test_arrays_are_written_by_name(tmp_path: Path) -> None:
    kerasir.convert(written(tmp_path / "model.keras"), tmp_path / "arrays.npz")
    with np.load(tmp_path / "arrays.npz") as arrays:
        np.testing.assert_array_equal(arrays["net/first_0"], np.full((6, 4), 2, "float32"))
        assert len(arrays) == len(ARRAYS)


@pytest.mark.parametrize(
    ("version", "name", "why"),
    [
        ("3.15.1", "again.h5", "no Keras loads such a model from HDF5"),
        ("3.15.1", "again.onnx", "what a mine>Net computes is not known"),
        ("2.21.0", "again.keras", "that is not changed for keras3"),
    ],
)
def test_what_no_reader_takes_is_refused(version: str, name: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=why) as caught:
        kerasir.convert(written(tmp_path / "model.keras", version), tmp_path / name)
    assert "--plugin FILE" in caught.value.hint
    assert not (tmp_path / name).exists()


def test_inputs_by_name() -> None:
    built = {"input_shape": {"b": [None, 3], "a": [7, 2, 5]}}
    spec = subclassed({"config": {}, "build_config": built}, "Net", "mine>Net")
    assert [ref.layer for ref in spec.inputs] == ["net_a", "net_b"]
    assert spec.layers[0].config["batch_input_shape"] == [None, 2, 5]
    assert spec.extra[ENTRY] == {"config": {}, "build_config": built}


def test_what_it_was_built_for_may_be_unsaid() -> None:
    spec = subclassed({"config": None, "build_config": {"input_shape": None}}, "Net", "Net")
    assert spec.layers[0].config["batch_input_shape"] == [None]


def test_arrays_of_one_name_are_told_apart() -> None:
    assert own_arrays((), "named") == {}
