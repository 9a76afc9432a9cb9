"""Merges and Lambdas by Python code: kept, never run, with the shape that they state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import pytest

import kerasir
from kerasir.ir.ops.opaque import Opaque


def saved(path: Path, **said: Any) -> Path:
    """A model of Keras 1 that merges two inputs by code, as `Merge.get_config` has it."""
    merge = {"name": "m", "mode": "4wEAAAA=", "mode_type": "lambda", "concat_axis": -1, **said}
    layers: list[dict[str, Any]] = [
        {"class_name": "InputLayer", "name": name, "inbound_nodes": [],
         "config": {"name": name, "batch_input_shape": [None, size], "input_dtype": "float32"}}
        for name, size in (("a", 5), ("b", 3))
    ]  # fmt: skip
    links = [[["a", 0, 0], ["b", 0, 0]]]
    layers.append({"class_name": "Merge", "name": "m", "config": merge, "inbound_nodes": links})
    config = {"name": "model", "layers": layers, "output_layers": [["m", 0, 0]],
              "input_layers": [["a", 0, 0], ["b", 0, 0]]}  # fmt: skip
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"1.2.2"
        file.attrs["model_config"] = json.dumps({"class_name": "Model", "config": config}).encode()
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"a", b"b", b"m"]
        for name in "abm":
            weights.create_group(name).attrs["weight_names"] = []
    return path


@pytest.mark.parametrize(
    ("said", "shape"),
    [
        ({"output_shape": [7], "output_shape_type": "raw"}, (None, 7)),
        ({"output_shape": None, "output_shape_type": "raw"}, (None, 5)),
        ({"output_shape": "4wEAAAA=", "output_shape_type": "lambda"}, (None, 5)),
    ],
)
def test_a_merge_by_code_is_kept(
    said: dict[str, Any], shape: tuple[int | None, ...], tmp_path: Path
) -> None:
    model = kerasir.load(saved(tmp_path / "m.h5", **said))
    [node] = model.graph.nodes
    assert node.op == Opaque(layer_class="Merge", has_code=True)
    assert node.result.layout.shape == shape
    assert "KS101" in {event.code for event in model.report.events}
