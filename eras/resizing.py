"""What up-sampling by an interpolation's name means in each era.

Sources: Keras 2.2.4 `backend/tensorflow_backend.py` `resize_images` (TensorFlow 1's
`resize_bilinear`, which takes corners); tf-keras 2.21 `backend.py` `resize_images` and Keras 3.15
`layers/reshaping/up_sampling2d.py` (half-pixel centres).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ..errors import ConfigError

Interpolation = Literal["nearest", "bilinear", "bilinear_corner"]

_CORNERS: Mapping[str, Interpolation] = {"nearest": "nearest", "bilinear": "bilinear_corner"}
_CENTRES: Mapping[str, Interpolation] = {"nearest": "nearest", "bilinear": "bilinear"}

INTERPOLATIONS: Mapping[str, Mapping[str, Interpolation]] = {
    "keras1": _CORNERS,
    "keras2": _CORNERS,
    "tf_keras": _CENTRES,
    "keras3": _CENTRES,
}

DOUBTFUL_VERSIONS: frozenset[str] = frozenset({"2.1.6-tf", "2.2.4-tf"})
"""Versions that several releases of TensorFlow gave their tf.keras, before and after the change."""


def interpolation(vocabulary: str, name: str) -> Interpolation:
    """What an interpolation is called in the graph.

    Raises:
        ConfigError: The era has no such interpolation, or kerasir has none.
    """
    known = INTERPOLATIONS[vocabulary]
    if name not in known:
        raise ConfigError(
            f"interpolation {name!r:.80} is not known", details=(f"known: {', '.join(known)}",)
        )
    return known[name]
