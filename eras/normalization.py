"""What normalizations leave unsaid, by era.

Sources: tf-keras 2.21 `layers/normalization/unit_normalization.py` (`tf.linalg.l2_normalize`, whose
epsilon of 1e-12 is the square of a length); Keras 3.15 `ops/nn.py` `normalize`.
"""

from __future__ import annotations

from collections.abc import Mapping

SHORTEST: Mapping[str, float] = {"tf_keras": 1e-6, "keras3": 1e-12}
"""The least length that UnitNormalization divides by, by vocabulary."""
