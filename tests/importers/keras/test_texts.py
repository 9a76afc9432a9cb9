"""Layers over texts: kept, with what they give known in shape and dtype."""

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
from kerasir.errors import ConfigError, ExportError, UnsupportedLayerError
from kerasir.ir.layout import size_of


def written(path: Path, config: dict[str, Any], class_name: str = "StringLookup") -> Path:
    """As Keras 3.15 saves a chain of a text's input and a layer over texts."""
    layers = [
        {"module": "keras.layers", "class_name": "InputLayer", "registered_name": None,
         "config": {"name": "x", "batch_shape": [None, 1], "dtype": "string"}},
        {"module": "keras.layers", "class_name": class_name, "registered_name": None,
         "config": {"name": "words", "trainable": True, **config}},
    ]  # fmt: skip
    whole = {"module": "keras", "class_name": "Sequential", "registered_name": None,
             "config": {"name": "chain", "layers": layers}}  # fmt: skip
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        group = file.create_group("layers/string_lookup/vars")
        if config.get("output_mode") == "tf_idf":
            group["idf_weights"] = np.array([0.5, 1.0, 2.0], "float32")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", json.dumps(whole))
        archive.writestr("model.weights.h5", held.getvalue())
        archive.writestr("assets/layers/string_lookup/vocabulary.txt", "[UNK]\na\nb")
    return path


LOOKUP = {"vocabulary": None, "vocabulary_size": 3, "num_oov_indices": 1}


@pytest.mark.parametrize(
    ("class_name", "config", "shape", "dtype"),
    [
        ("StringLookup", LOOKUP, [None, 1], "int64"),
        ("StringLookup", {**LOOKUP, "invert": True}, [None, 1], "string"),
        ("StringLookup", {**LOOKUP, "output_mode": "one_hot"}, [None, 3], "float32"),
        ("StringLookup", {**LOOKUP, "output_mode": "count", "max_tokens": 9,
                          "pad_to_max_tokens": True}, [None, 9], "float32"),
        ("TextVectorization", {"vocabulary": ["a"]}, [None, None], "int64"),
        ("TextVectorization", {"vocabulary": ["a"], "output_sequence_length": 4}, [None, 4],
         "int64"),
        ("TextVectorization", {"vocabulary": ["a"], "vocabulary_size": 3,
                               "output_mode": "multi_hot"}, [None, 3], "float32"),
        ("Hashing", {"num_bins": 5}, [None, 1], "int64"),
        ("Hashing", {"num_bins": 5, "output_mode": "one_hot"}, [None, 5], "float32"),
    ],
)  # fmt: skip
def test_what_it_gives_is_known(
    class_name: str, config: dict[str, Any], shape: list[int | None], dtype: str, tmp_path: Path
) -> None:
    model = kerasir.load(written(tmp_path / "model.keras", config, class_name))
    [node] = model.graph.nodes
    assert node.op.kind == "Opaque"
    assert [size_of(term) for term in node.result.axes] == shape
    assert node.result.dtype == dtype


def test_its_vocabulary_goes_along(tmp_path: Path) -> None:
    source, target = written(tmp_path / "model.keras", LOOKUP), tmp_path / "model.h5"
    kerasir.convert(source, target, to="tf-keras")
    with h5py.File(target) as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
    assert layers[1]["class_name"] == "StringLookup"
    assert layers[1]["config"]["vocabulary"] == ["[UNK]", "a", "b"]
    assert "dtype" not in layers[1]["config"]
    kerasir.convert(source, tmp_path / "again.keras")
    with zipfile.ZipFile(tmp_path / "again.keras") as archive:
        assert archive.read("assets/layers/string_lookup/vocabulary.txt") == b"[UNK]\na\nb"


def test_weights_of_words_go_to_tf_keras(tmp_path: Path) -> None:
    source = written(tmp_path / "model.keras", {**LOOKUP, "output_mode": "tf_idf"})
    kerasir.convert(source, tmp_path / "model.h5", to="tf-keras")
    with h5py.File(tmp_path / "model.h5") as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
        (held,) = file["model_weights/words/words"].values()
        np.testing.assert_array_equal(held, [0.5, 1, 2])
    assert layers[1]["config"]["idf_weights"] == [0.5, 1, 2]
    with pytest.raises(ExportError, match="weights of words"):
        kerasir.convert(source, tmp_path / "other.h5", to="keras3")


def test_nothing_computes_with_texts(tmp_path: Path) -> None:
    source = written(tmp_path / "model.keras", LOOKUP)
    with pytest.raises(ExportError, match="a StringLookup is of texts: no ONNX"):
        kerasir.convert(source, tmp_path / "model.onnx")
    with pytest.raises(UnsupportedLayerError, match="an input of texts"):
        kerasir.verify(source, source)


@pytest.mark.parametrize(
    ("class_name", "config", "why"),
    [
        ("TextVectorization", {}, "whose vocabulary is not in the file"),
        ("TextVectorization", {"vocabulary": ["a"], "ragged": True}, "ragged"),
        ("StringLookup", {"vocabulary": ["a"], "sparse": True}, "sparse"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    class_name: str, config: dict[str, Any], why: str, tmp_path: Path
) -> None:
    with pytest.raises((ConfigError, UnsupportedLayerError), match=why):
        kerasir.load(written(tmp_path / "model.keras", config, class_name))
