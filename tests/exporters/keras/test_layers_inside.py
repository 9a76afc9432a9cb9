"""An author's layer that holds layers of its own: its arrays stay where Keras 3 looks for them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import kerasir
from kerasir.importers.keras.nodes import built_shape
from kerasir.ir.layout import size_of

ARRAYS = {
    "layers/block/d/vars/0": (5, 4),
    "layers/block/d/vars/1": (4,),
    "layers/block/layers/dense_1/vars/0": (4, 2),
    "layers/block/layers/dense_1/vars/1": (2,),
    "layers/block/vars/0": (3,),
    "layers/dense/vars/0": (2, 7),
    "layers/dense/vars/1": (7,),
}


def _tensor(layer: str, *shape: int | None) -> dict[str, Any]:
    config = {"shape": shape, "dtype": "float32", "keras_history": [layer, 0, 0]}
    return {"args": [{"class_name": "__keras_tensor__", "config": config}], "kwargs": {}}


def _entry(module: str | None, class_name: str, name: str, *nodes: Any, **more: Any) -> Any:
    registered = None if module else f"package>{class_name}"
    config = {"name": name, "trainable": True, **more}
    return {"module": module, "class_name": class_name, "config": config, "name": name,
            "registered_name": registered, "inbound_nodes": list(nodes)}  # fmt: skip


def _written(path: Path) -> Path:
    """As Keras 3.15 writes a functional model with a subclassed one inside."""
    layers = [
        _entry("keras.layers", "InputLayer", "x", batch_shape=[None, 5], dtype="float32"),
        _entry(None, "Block", "block", _tensor("x", None, 5), width=4),
        _entry("keras.layers", "Dense", "dense", _tensor("block", None, 2), units=7),
    ]
    config = {"name": "model", "layers": layers, "input_layers": ["x", 0, 0],
              "output_layers": ["dense", 0, 0]}  # fmt: skip
    whole = {"module": "keras.src.models.functional", "class_name": "Functional",
             "config": config, "registered_name": "Functional"}  # fmt: skip
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        for number, (name, shape) in enumerate(ARRAYS.items()):
            file[name] = np.full(shape, number, "float32")
        for layer in ("block", "dense"):
            file[f"layers/{layer}/vars"].attrs["name"] = layer
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", json.dumps(whole))
        archive.writestr("model.weights.h5", held.getvalue())
    return path


def test_arrays_inside_keep_their_paths(tmp_path: Path) -> None:
    target = tmp_path / "again.keras"
    kerasir.convert(_written(tmp_path / "model.keras"), target)
    with zipfile.ZipFile(target) as archive:
        entry = json.loads(archive.read("config.json"))["config"]["layers"][1]
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            for number, (name, shape) in enumerate(ARRAYS.items()):
                np.testing.assert_array_equal(file[name], np.full(shape, number, "float32"))
    assert (entry["class_name"], entry["registered_name"]) == ("Block", "package>Block")
    assert entry["config"]["width"] == 4


def test_the_shape_of_its_result_is_what_its_reader_states(tmp_path: Path) -> None:
    model = kerasir.load(_written(tmp_path / "model.keras"))
    block = next(node for node in model.graph.nodes if node.name == "block")
    assert [size_of(term) for term in block.result.axes] == [None, 2]


def test_tf_keras_says_the_shape_where_its_reader_was_built() -> None:
    assert built_shape({"build_config": {"input_shape": [None, 2]}}) == (None, 2)
    for stored in (None, {}, {"build_config": {"input_shape": [[None, 2], [None, 3]]}}):
        assert built_shape(stored) is None
