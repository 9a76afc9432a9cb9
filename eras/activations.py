"""What an activation's name means in each era.

Sources: Keras 1.2.2, 2.3.1 and tf-keras 2.21 `activations.py`; Keras 3.15 `activations` and `ops`.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..ir.op import Op
from ..ir.ops.activation import (
    Celu,
    Clip,
    Elu,
    Exponential,
    Gelu,
    HardShrink,
    HardSigmoid,
    HardSilu,
    LeakyRelu,
    Linear,
    LogSigmoid,
    LogSoftmax,
    Mish,
    Relu,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    SoftShrink,
    Softsign,
    Sparsemax,
    SparsePlus,
    SquarePlus,
    Tanh,
    TanhShrink,
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
    "elu": Elu(),
}

_KERAS20: Mapping[str, Op] = {**_ALL, "selu": Selu()}

_SINCE_KERAS2: Mapping[str, Op] = {
    **_KERAS20,
    "exponential": Exponential(),
    "relu6": Relu(max_value=6.0),
}
_SINCE_TF: Mapping[str, Op] = {
    **_SINCE_KERAS2,
    "swish": Silu(),
    "silu": Silu(),
    "gelu": Gelu(approximate=False),
    "mish": Mish(),
    "leaky_relu": LeakyRelu(negative_slope=0.2),
}

FUNCTIONS: Mapping[str, Mapping[str, Op]] = {
    "keras1": _ALL,
    "keras2.0": _KERAS20,
    "keras2": _SINCE_KERAS2,
    "tf_keras": _SINCE_TF,
    "keras3": {
        **_SINCE_TF,
        "hard_sigmoid": NEW_HARD_SIGMOID,
        "hard_silu": HardSilu(),
        "hard_swish": HardSilu(),
        "celu": Celu(),
        "log_sigmoid": LogSigmoid(),
        "tanh_shrink": TanhShrink(),
        "hard_shrink": HardShrink(threshold=0.5),
        "soft_shrink": SoftShrink(threshold=0.5),
        "squareplus": SquarePlus(b=4.0),
        "sparse_plus": SparsePlus(),
        "sparse_sigmoid": HardSigmoid(slope=0.5, shift=0.5),
        "hard_tanh": Clip(low=-1.0, high=1.0),
    },
}
"""Element-wise functions by name."""

ALONG_LAST: Mapping[str, Mapping[str, Op]] = {
    **{era: {"softmax": Softmax()} for era in ("keras1", "keras2.0", "keras2")},
    "tf_keras": {"softmax": Softmax(), "softmax_v2": Softmax(), "log_softmax_v2": LogSoftmax()},
    "keras3": {"softmax": Softmax(), "log_softmax": LogSoftmax(), "sparsemax": Sparsemax()},
}
"""Functions along the last axis; TensorFlow's own are called `..._v2`."""

READ_ALONE: frozenset[str] = frozenset({"log_softmax_v2"})
"""Names that files have and no version finds again (a run of tf-keras 2.21)."""
