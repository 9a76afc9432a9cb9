"""Losses and metrics that a model of tf.keras adds to itself.

`model.add_loss(tensor)` on a functional model makes layers: the operations that compute the tensor,
and an AddLoss behind them, whose result nothing reads (tf-keras 2.21 `engine/functional.py`,
`_graph_network_add_loss`; `engine/base_layer.py`, `AddLoss`, `AddMetric`). They act in training
alone.
"""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from ...ir.report import Report
from .classes import FUNCTION_LAYERS
from .spec import LayerSpec, ModelSpec

LOSSES = frozenset({"AddLoss", "AddMetric"})


def without_losses(model: ModelSpec, report: Report) -> ModelSpec:
    """The model without what only such losses and metrics need; nested models too.

    Layers that hold weights stay, whoever reads them.
    """
    layers = tuple(
        layer if layer.model is None else replace(layer, model=without_losses(layer.model, report))
        for layer in model.layers
    )
    found = [layer for layer in layers if layer.source_class in LOSSES]
    found = [layer for layer in found if layer.name not in _read(model, layers)]
    for layer in found:
        report.add(
            "KT203",
            "lost",
            f"{layer.source_class}: what the model adds to its own loss or metrics in training",
            layer=layer.name,
            level="warning",
            fix="add it again in code before training on",
        )
    idle = found
    while idle:
        layers = tuple(layer for layer in layers if layer not in idle)
        read = _read(model, layers)
        operations = [layer for layer in layers if layer.class_name in FUNCTION_LAYERS]
        idle = [layer for layer in operations if layer.name not in read]
    return replace(model, layers=layers)


def _read(model: ModelSpec, layers: Collection[LayerSpec]) -> frozenset[str]:
    """The layers whose results others of these read, or who reads the model."""
    calls = [call for layer in layers for call in layer.calls]
    needed = [*model.outputs, *(ref for call in calls for ref in call.needs)]
    return frozenset(ref.layer for ref in needed)
