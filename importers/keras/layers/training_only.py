"""Layers that act in training alone: at inference each passes its input on."""

from __future__ import annotations

from ....eras.augmentation import AUGMENTATION
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
@translates(*AUGMENTATION, free=True)
def training_only(call: LayerCall, x: Value) -> Value:
    """Dropout, noise, augmentation, regularization: identity at inference in every era."""
    if call.training:
        call.report.add(
            "KN103",
            "assumed",
            f"{call.name} ({call.class_name}) is called with training=True; it is computed as at "
            "inference, where it changes nothing",
            layer=call.name,
            level="warning",
        )
    return call.add(TrainingOnly(layer_class=call.class_name), [x], call.axes(x)).result
