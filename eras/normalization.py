"""What normalizations leave unsaid, by era.

Sources: tf-keras 2.21 `layers/normalization/unit_normalization.py` (`tf.linalg.l2_normalize`, whose
epsilon of 1e-12 is the square of a length); Keras 3.15 `ops/nn.py` `normalize`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

SHORTEST: Mapping[str, float] = {"tf_keras": 1e-6, "keras3": 1e-12}
"""The least length that UnitNormalization divides by, by vocabulary."""

NEGLIGIBLE = 1e-5
"""What single precision hardly tells from nothing beside a deviation: no default is larger."""


class Statistics(msgspec.Struct, frozen=True):
    """How a BatchNormalization computes with what it has gathered.

    Attributes:
        deviation: What its last array holds: a standard deviation, or a variance.
        beside: Whether epsilon is added to the deviation, or to the variance under the root.
        sample_root: Whether Keras 1's mode 1, which adds it to the deviation, adds it under the
            root too.
        batch_beside: Whether mode 2 adds it to the deviation, too.
    """

    deviation: bool = False
    beside: bool = False
    sample_root: bool = True
    batch_beside: bool = False


NOW = Statistics()

EARLY_STATISTICS: tuple[tuple[tuple[int, ...], Mapping[str, Statistics]], ...] = (
    ((1, 0, 4), {"": Statistics(True, True, False, True)}),
    ((1, 0, 5), {"": Statistics(True, True, True, True)}),
    ((1, 0, 6), {"": NOW, "theano": Statistics(True, True, True, True)}),
    ((1, 0, 7), {"": NOW, "theano": Statistics(False, True, True, True)}),
)
"""By the last version that computes so, and by backend, "" for the others; the array is called
`running_std` throughout. Sources: genuine runs on Theano of Keras 0.3.3, 1.0.0, 1.0.4 to 1.0.8;
`layers/normalization.py` `BatchNormalization.call` and `batch_normalization` of both backends in
those releases."""

LAST_UNSTATED = "1.0.3"
"""The last Keras whose architectures state no version (1.0.4 `engine/topology.py` `to_json`)."""

EARLY_KEYS = frozenset({"epsilon", "axis", "momentum"})
KEYS_OF_VARIANCE = frozenset({"gamma_regularizer", "beta_regularizer"})
"""Keys that a BatchNormalization has in all of Keras 1, and since 1.1.0."""


def statistics(version: str | None, backend: str) -> Statistics:
    """How a release computes; the newest where the version is not known."""
    numbers = tuple(int(part) for part in (version or "").split(".")[:3] if part.isdecimal())
    for last, kinds in EARLY_STATISTICS:
        if numbers and numbers <= last:
            return kinds.get(backend, kinds[""])
    return NOW
