"""Weights and layers that do not meet: missing, extra, called otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from crafted import model_file, numbers, weights_file

import kerasir
from kerasir.errors import ConfigError, WeightError
from kerasir.ir.ops.opaque import Opaque
from kerasir.ir.source import Array

SIZES = (2, 3, 4, 5, 6, 7)


def arch(path: Path, *names: str) -> Path:
    """Dense layers in a row, of different sizes."""
    layers = [
        {"class_name": "Dense", "config": {"name": name, "units": size}}
        for name, size in zip(names, SIZES[1:], strict=False)
    ]
    layers[0]["config"]["batch_input_shape"] = [None, SIZES[0]]
    config = {"class_name": "Sequential", "keras_version": "2.2.4", "config": layers}
    path.write_text(json.dumps(config))
    return path


def stored(*names: str) -> dict[str, Mapping[str, Array]]:
    """The weights of such layers, under names of their own."""
    return {
        name: {f"{name}/kernel:0": numbers(*SIZES[at : at + 2]), f"{name}/bias:0": numbers(size)}
        for at, (name, size) in enumerate(zip(names, SIZES[1:], strict=False))
    }


def load(folder: Path, layers: Mapping[str, Mapping[str, Array]], *names: str) -> kerasir.Model:
    weights = weights_file(folder / "weights.h5", layers)
    return kerasir.load(weights, arch=arch(folder / "model.json", *names))


def test_extra_weights_are_left_out_and_told(tmp_path: Path) -> None:
    layers = stored("one", "two", "old_a", "old_b", "old_c")
    model = load(tmp_path, {"empty": {}, **layers}, "one", "two")
    assert [(e.code, e.kind, e.level, e.message) for e in model.report] == [
        (
            "KE203",
            "lost",
            "warning",
            "weights in the file that belong to no layer: old_a, old_b, old_c",
        )
    ]
    assert list(model.tensors) == ["one/kernel", "one/bias", "two/kernel", "two/bias"]


def test_missing_weights_are_an_error_that_lists_them(tmp_path: Path) -> None:
    layers = {**stored("one"), "other": {"other/kernel:0": numbers(3, 4)}}
    with pytest.raises(WeightError) as raised:
        load(tmp_path, layers, "one", "two", "three", "four", "five")
    assert raised.value.what == "4 layers have no weights in the file: two, three, four and 1 more"
    assert raised.value.details == ("The file has weights that belong to no layer: other",)


def test_one_missing_layer(tmp_path: Path) -> None:
    with pytest.raises(WeightError, match="1 layer has no weights in the file: two") as raised:
        load(tmp_path, stored("one"), "one", "two")
    assert raised.value.details == ()


def test_position_decides_where_no_name_matches(tmp_path: Path) -> None:
    model = load(tmp_path, stored("a", "b", "c", "d"), "one", "two", "three", "four")
    (event,) = model.report
    assert (event.code, event.kind, event.level) == ("KE201", "assumed", "warning")
    assert event.message == (
        "no layer is called as in the file; weights taken by position: "
        "one from a, two from b, three from c and 1 more"
    )
    assert model.tensors["three/kernel"].numpy().tolist() == numbers(4, 5).tolist()


def test_position_does_not_decide_where_some_names_match(tmp_path: Path) -> None:
    with pytest.raises(WeightError, match="1 layer has no weights in the file: two"):
        load(tmp_path, stored("one", "zwei"), "one", "two")


def test_position_does_not_decide_where_counts_differ(tmp_path: Path) -> None:
    layers = stored("a", "b")
    layers["b"] = {"b/kernel:0": numbers(3, 4)}
    with pytest.raises(WeightError, match="2 layers have no weights in the file: one, two"):
        load(tmp_path, layers, "one", "two")


def test_by_position_shapes_must_fit(tmp_path: Path) -> None:
    layers = stored("a", "b", "c")
    swapped = {"a": layers["b"], "b": layers["a"], "c": layers["c"]}
    with pytest.raises(
        WeightError, match=r"one/kernel: stored shape \(3, 4\) does not fit F:2 O:3"
    ):
        load(tmp_path, swapped, "one", "two", "three")


def test_metadata_is_no_architecture(tmp_path: Path) -> None:
    (tmp_path / "metadata.json").write_text('{"keras_version": "3.10.0"}')
    weights = weights_file(tmp_path / "weights.h5", stored("one"))
    with pytest.raises(ConfigError, match="no architecture of Keras: neither a class_name"):
        kerasir.load(weights, arch=tmp_path / "metadata.json")


def test_a_layer_whose_arrays_nobody_knows_is_named(tmp_path: Path) -> None:
    """An author's layer that goes both ways: kept as it is, with the arrays that it has."""
    inner = {"class_name": "Oscillator", "config": {"name": "o", "units": 2}}
    config = {
        "class_name": "Sequential",
        "config": [
            {"class_name": "Bidirectional",
             "config": {"name": "both", "layer": inner, "batch_input_shape": [None, 3, 4]}},
        ],
    }  # fmt: skip
    arrays = {f"both/{half}_o/frequency": numbers(4, 2) for half in ("forward", "backward")}
    path = model_file(tmp_path / "m.h5", {"both": arrays}, config, keras_version="2.2.4")
    (node,) = kerasir.load(path, backend="tensorflow").graph.nodes
    assert node.op == Opaque(layer_class="Bidirectional", has_code=False)
    kept = [param.numpy(param.stored[0].layout) for param in node.params.values()]
    assert all(map(np.array_equal, kept, arrays.values()))


def test_a_name_inside_and_outside_is_the_outer_ones(tmp_path: Path) -> None:
    """A nested model without weights, in which a layer is called as one of the model around it."""
    inside = {"class_name": "Activation", "config": {"name": "one", "activation": "relu"}}
    inside["config"]["batch_input_shape"] = [None, 3]
    nested = {"class_name": "Sequential", "config": {"name": "inner", "layers": [inside]}}
    dense = {"class_name": "Dense", "config": {"name": "one", "units": 3}}
    dense["config"]["batch_input_shape"] = [None, 2]
    chain = {"name": "outer", "layers": [dense, nested]}
    config = {"class_name": "Sequential", "config": chain}
    layers = {**stored("one"), "inner": {}}
    path = model_file(tmp_path / "model.h5", layers, config, keras_version="2.2.4")
    assert list(kerasir.load(path).tensors) == ["one/kernel", "one/bias"]
