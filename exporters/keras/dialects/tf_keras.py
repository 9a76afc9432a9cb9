"""Classes of tf.keras that older versions lack: written where a model needs them, and told.

Sources: the constructors of tf-keras 2.21 and Keras 3.15, and genuine files of both.
"""

from __future__ import annotations

from collections.abc import Mapping

from .records import Keys, Known

_LEARNT: Keys = (
    "beta_initializer", "gamma_initializer", "beta_regularizer", "gamma_regularizer",
    "beta_constraint", "gamma_constraint",
)  # fmt: skip
_OLD = "Keras 2.2 and 2.3"


def _newer(*stated: str, kept: Keys = (), missing: str = _OLD) -> Known:
    """A class of tf.keras and Keras 3."""
    return Known(stated, kept, {}, missing, era="tf_keras")


TF_KERAS: Mapping[str, Known] = {
    "LayerNormalization": _newer("axis", "epsilon", "center", "scale", kept=_LEARNT),
    "GroupNormalization": _newer("groups", "axis", "epsilon", "center", "scale", kept=_LEARNT),
    "UnitNormalization": _newer("axis"),
    "Rescaling": _newer("scale", "offset"),
    "TFOpLambda": _newer("function", missing=f"{_OLD} and Keras 3"),
}
