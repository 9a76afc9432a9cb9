"""Groups of `.keras` files of TensorFlow 2.12 and 2.13, which count a layer with weights twice.

`tests/data/make_tf_keras` makes genuine ones (`attention`, `losses_inside`); these are their names.
"""

from __future__ import annotations

import numpy as np
import pytest

from kerasir.errors import WeightError
from kerasir.importers.keras.archive.record import StoredWeight, WeightGroup
from kerasir.importers.keras.match_paths import assign_by_path
from kerasir.importers.keras.registry import Slot
from kerasir.importers.keras.spec import LayerSpec, ModelSpec
from kerasir.ir.source import ArraySource

LAYERS = "_layer_checkpoint_dependencies"


def group(path: str, *values: float) -> WeightGroup:
    arrays = tuple(
        StoredWeight(str(n), f"/{LAYERS}/{path}/vars/{n}", ArraySource(np.full((2,), value)))
        for n, value in enumerate(values)
    )
    return WeightGroup(f"{LAYERS}/{path}", arrays)


def model(*names: str) -> ModelSpec:
    layers = tuple(
        LayerSpec(name=name, class_name="Attention", source_class="Attention", config={})
        for name in names
    )
    return ModelSpec(name="model", kind="functional", layers=layers, inputs=(), outputs=())


NAMES = ("attention", "attention_1", "attention_2", "attention_3")
SCALE = (Slot("scale"),)
HELD = {"attention_1": SCALE, "attention_3": SCALE}
SLOTS = {(name,): HELD.get(name, ()) for name in NAMES}
GROUPS = (
    group("attention"), group("attention_1", 1.0), group("attention_3"), group("attention_4", 3.0),
)  # fmt: skip
"""`attention_2` was the second count of a layer, and so is `attention_5`, which is not there."""


def test_a_group_of_no_arrays_is_another_layers() -> None:
    found = assign_by_path(model(*NAMES), GROUPS, SLOTS)
    held = {path[0]: arrays["scale"].path for path, arrays in found.items() if arrays}
    assert held == {
        "attention_1": f"/{LAYERS}/attention_1/vars/0",
        "attention_3": f"/{LAYERS}/attention_4/vars/0",
    }


def test_the_state_of_metrics_belongs_to_no_layer() -> None:
    metrics = group("add_metric/_metrics/mean", 0.0, 0.0)
    assign_by_path(model(*NAMES), (*GROUPS, metrics), SLOTS)
    with pytest.raises(WeightError, match="belong to no layer"):
        assign_by_path(model(*NAMES), (*GROUPS, group("dense", 0.0)), SLOTS)
