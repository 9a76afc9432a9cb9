"""Layers that act in training alone: at inference each passes its input on."""

from __future__ import annotations

from ....ir.graph import Value
from ....ir.ops.activation import TrainingOnly
from ..call import LayerCall
from ..registry import Config, translates


class NoiseConfig(Config, frozen=True, kw_only=True):
    """Nothing here changes an inference; the exporters write it back."""

    data_format: str | None = None


@translates(
    "Dropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "GaussianDropout",
    "GaussianNoise",
    "AlphaDropout",
    "ActivityRegularization",
    config=NoiseConfig,
)
def training_only(call: LayerCall, x: Value) -> Value:
    """Dropout, noise, activity regularization: inverted, so identity at inference in every era."""
    return call.add(TrainingOnly(layer_class=call.class_name), [x], call.axes(x)).result
