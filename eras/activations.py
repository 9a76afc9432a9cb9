"""What an activation's name means in each era.

Sources: Keras 1.2.2 and 2.3.1 `activations.py`; Keras 3 `activations/activations.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..ir.op import Op
from ..ir.ops.activation import (
    Elu,
    Exponential,
    HardSigmoid,
    Linear,
    Relu,
    Selu,
    Sigmoid,
    Softplus,
    Softsign,
    Tanh,
)

OLD_HARD_SIGMOID = HardSigmoid(slope=0.2, shift=0.5)
"""clip(0.2 x + 0.5, 0, 1): up to Keras 2 and in tf-keras."""

NEW_HARD_SIGMOID = HardSigmoid(slope=1 / 6, shift=0.5)
"""clip(x / 6 + 0.5, 0, 1): Keras 3, under the same name."""

_ALL: Mapping[str, Op] = {
    "linear": Linear(),
    "relu": Relu(),
    "sigmoid": Sigmoid(),
    "tanh": Tanh(),
    "softplus": Softplus(),
    "softsign": Softsign(),
    "hard_sigmoid": OLD_HARD_SIGMOID,
}

FUNCTIONS: Mapping[str, Mapping[str, Op]] = {
    "keras1": _ALL,
    "keras2": {
        **_ALL,
        "elu": Elu(),
        "selu": Selu(),
        "exponential": Exponential(),
        "relu6": Relu(max_value=6.0),
    },
    "keras3": {
        **_ALL,
        "elu": Elu(),
        "selu": Selu(),
        "exponential": Exponential(),
        "relu6": Relu(max_value=6.0),
        "hard_sigmoid": NEW_HARD_SIGMOID,
    },
}
"""Element-wise functions by name; `softmax` needs an axis and is an op of its own."""
