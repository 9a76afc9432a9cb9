"""Operations on tensors in functional graphs, by the names that Keras 3 and TensorFlow give them.

Sources: Keras 3.15 `ops/numpy.py`, `ops/nn.py`, `ops/core.py`, `activations/activations.py` (the
classes, and what their constructors take); tf-keras 2.21 `layers/core/tf_op_layer.py`, whose
TFOpLambda stores TensorFlow's public names and whose TensorFlowOpLayer those of graph nodes.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..ir.op import Op
from ..ir.ops.activation import (
    Abs,
    Affine,
    Celu,
    Clip,
    Elu,
    Exponential,
    HardShrink,
    HardSilu,
    LeakyRelu,
    Linear,
    Log,
    LogSigmoid,
    Mish,
    Power,
    Relu,
    Selu,
    Sigmoid,
    Silu,
    Softplus,
    SoftShrink,
    Softsign,
    SparsePlus,
    SquarePlus,
    Tanh,
    TanhShrink,
)
from .activations import NEW_HARD_SIGMOID


class Meaning(msgspec.Struct, frozen=True):
    """What an operation is.

    Attributes:
        name: Of the function that translates it: `add`, `mean`, `elementwise`.
        op: What an element-wise operation of one tensor computes, with no arguments given.
        attributes: Its arguments that are attributes of `op`, and what they are called there.
        arguments: What TensorFlow calls its operands, in order.
    """

    name: str
    op: Op | None = None
    attributes: Mapping[str, str] = {}
    arguments: tuple[str, ...] = ("x", "y")


def _plain(op: Op, **attributes: str) -> Meaning:
    return Meaning("elementwise", op, attributes)


_BINARY = {
    name: Meaning(name)
    for name in (
        "add", "subtract", "multiply", "divide", "maximum", "minimum", "power", "not_equal",
        "logical_and", "logical_or",
    )
}  # fmt: skip

KERAS3: Mapping[str, Meaning] = {
    "Add": _BINARY["add"],
    "Subtract": _BINARY["subtract"],
    "Multiply": _BINARY["multiply"],
    "Divide": _BINARY["divide"],
    "TrueDivide": _BINARY["divide"],
    "Maximum": _BINARY["maximum"],
    "Minimum": _BINARY["minimum"],
    "Power": _BINARY["power"],
    "NotEqual": _BINARY["not_equal"],
    "LogicalAnd": _BINARY["logical_and"],
    "LogicalOr": _BINARY["logical_or"],
    "Any": Meaning("any"),
    "Negative": _plain(Affine(scale=-1.0)),
    "Absolute": _plain(Abs()),
    "Abs": _plain(Abs()),
    "Square": _plain(Power(exponent=2.0)),
    "Sqrt": _plain(Power(exponent=0.5)),
    "Rsqrt": _plain(Power(exponent=-0.5)),
    "Reciprocal": _plain(Power(exponent=-1.0)),
    "Exp": _plain(Exponential()),
    "Log": _plain(Log()),
    "Identity": _plain(Linear()),
    "Copy": _plain(Linear()),
    "StopGradient": _plain(Linear()),
    "Clip": _plain(Clip(), x_min="low", x_max="high"),
    "Relu": _plain(Relu()),
    "ReLU": _plain(
        Relu(), negative_slope="negative_slope", max_value="max_value", threshold="threshold"
    ),
    "Relu6": _plain(Relu(max_value=6.0)),
    "Sigmoid": _plain(Sigmoid()),
    "Silu": _plain(Silu()),
    "Softplus": _plain(Softplus()),
    "Softsign": _plain(Softsign()),
    "Tanh": _plain(Tanh()),
    "LeakyRelu": _plain(LeakyRelu(negative_slope=0.2), negative_slope="negative_slope"),
    "HardSigmoid": _plain(NEW_HARD_SIGMOID),
    "HardSilu": _plain(HardSilu()),
    "HardTanh": _plain(Clip(low=-1.0, high=1.0)),
    "HardShrink": _plain(HardShrink(threshold=0.5), threshold="threshold"),
    "SoftShrink": _plain(SoftShrink(threshold=0.5), threshold="threshold"),
    "TanhShrink": _plain(TanhShrink()),
    "Elu": _plain(Elu(), alpha="alpha"),
    "Selu": _plain(Selu()),
    "Celu": _plain(Celu(), alpha="alpha"),
    "LogSigmoid": _plain(LogSigmoid()),
    "SparsePlus": _plain(SparsePlus()),
    "Squareplus": _plain(SquarePlus(b=4.0), b="b"),
    "Mish": _plain(Mish()),
    "Gelu": Meaning("gelu"),
    "Softmax": Meaning("softmax"),
    "LogSoftmax": Meaning("log_softmax"),
    "Sparsemax": Meaning("sparsemax"),
    "Mean": Meaning("mean"),
    "Max": Meaning("max"),
    "Sum": Meaning("sum"),
    "Concatenate": Meaning("concatenate"),
    "Reshape": Meaning("reshape"),
    "Transpose": Meaning("transpose"),
    "ExpandDims": Meaning("expand_dims"),
    "Squeeze": Meaning("squeeze"),
    "GetItem": Meaning("get_item"),
    "Cast": Meaning("cast"),
}
"""By the name of the class."""

_NUMPY, _NN, _CORE = "keras.src.ops.numpy", "keras.src.ops.nn", "keras.src.ops.core"
_ACTIVATIONS = "keras.src.activations.activations"

KERAS3_MODULES: Mapping[str, str] = {
    **dict.fromkeys(KERAS3, _NUMPY),
    **dict.fromkeys(
        (
            "Relu", "Relu6", "Sigmoid", "Silu", "Softplus", "Softsign", "LeakyRelu", "HardSigmoid",
            "HardSilu", "HardTanh", "HardShrink", "SoftShrink", "TanhShrink", "Elu", "Selu",
            "Celu", "LogSigmoid", "SparsePlus", "Squareplus", "Gelu", "Softmax", "LogSoftmax",
            "Sparsemax",
        ),
        _NN,
    ),
    "StopGradient": _CORE,
    "Cast": _CORE,
    "Rsqrt": "keras.src.ops.math",
    "ReLU": _ACTIVATIONS,
    "Mish": _ACTIVATIONS,
}  # fmt: skip
"""Where Keras 3.15 has each class."""

_LARGEST = 3.4028234663852886e38

REQUIRED: Mapping[str, Mapping[str, float]] = {
    "Clip": {"x_min": -_LARGEST, "x_max": _LARGEST},
    "clip_by_value": {"clip_value_min": -_LARGEST, "clip_value_max": _LARGEST},
}
"""Arguments that have to be given though they say nothing: the largest numbers of float32."""

_TENSORS: Mapping[str, Meaning] = {
    **_BINARY,
    "mean": Meaning("mean", arguments=("input_tensor",)),
    "max": Meaning("max", arguments=("input_tensor",)),
    "sum": Meaning("sum", arguments=("input_tensor",)),
    "softmax": Meaning("softmax", arguments=("logits",)),
    "log_softmax": Meaning("log_softmax", arguments=("logits",)),
    "concatenate": Meaning("concatenate", arguments=("values",)),
    "reshape": Meaning("reshape", arguments=("tensor",)),
    "transpose": Meaning("transpose", arguments=("a",)),
    "expand_dims": Meaning("expand_dims", arguments=("input",)),
    "squeeze": Meaning("squeeze", arguments=("input",)),
    "gelu": Meaning("gelu", arguments=("features",)),
    "get_item": Meaning("get_item", arguments=("tensor",)),
    "cast": Meaning("cast", arguments=("x",)),
}

TENSORFLOW: Mapping[str, Meaning] = {
    "math.add": _TENSORS["add"],
    "__operators__.add": _TENSORS["add"],
    "add": _TENSORS["add"],
    "math.subtract": _TENSORS["subtract"],
    "subtract": _TENSORS["subtract"],
    "math.multiply": _TENSORS["multiply"],
    "multiply": _TENSORS["multiply"],
    "math.truediv": _TENSORS["divide"],
    "math.divide": _TENSORS["divide"],
    "realdiv": _TENSORS["divide"],
    "math.maximum": _TENSORS["maximum"],
    "math.minimum": _TENSORS["minimum"],
    "math.pow": _TENSORS["power"],
    "math.not_equal": _TENSORS["not_equal"],
    "__operators__.ne": _TENSORS["not_equal"],
    "math.negative": _plain(Affine(scale=-1.0)),
    "math.abs": _plain(Abs()),
    "math.square": _plain(Power(exponent=2.0)),
    "math.sqrt": _plain(Power(exponent=0.5)),
    "math.rsqrt": _plain(Power(exponent=-0.5)),
    "math.reciprocal": _plain(Power(exponent=-1.0)),
    "math.exp": _plain(Exponential()),
    "math.log": _plain(Log()),
    "identity": _plain(Linear()),
    "stop_gradient": _plain(Linear()),
    "clip_by_value": _plain(Clip(), clip_value_min="low", clip_value_max="high"),
    "nn.relu": _plain(Relu()),
    "nn.relu6": _plain(Relu(max_value=6.0)),
    "math.sigmoid": _plain(Sigmoid()),
    "nn.sigmoid": _plain(Sigmoid()),
    "nn.silu": _plain(Silu()),
    "nn.swish": _plain(Silu()),
    "math.softplus": _plain(Softplus()),
    "nn.softplus": _plain(Softplus()),
    "nn.softsign": _plain(Softsign()),
    "math.tanh": _plain(Tanh()),
    "nn.tanh": _plain(Tanh()),
    "nn.elu": _plain(Elu()),
    "nn.selu": _plain(Selu()),
    "nn.leaky_relu": _plain(LeakyRelu(negative_slope=0.2), alpha="negative_slope"),
    "nn.gelu": _TENSORS["gelu"],
    "nn.softmax": _TENSORS["softmax"],
    "nn.log_softmax": _TENSORS["log_softmax"],
    "math.reduce_mean": _TENSORS["mean"],
    "math.reduce_max": _TENSORS["max"],
    "math.reduce_sum": _TENSORS["sum"],
    "concat": _TENSORS["concatenate"],
    "reshape": _TENSORS["reshape"],
    "transpose": _TENSORS["transpose"],
    "compat.v1.transpose": _TENSORS["transpose"],
    "expand_dims": _TENSORS["expand_dims"],
    "compat.v1.expand_dims": _TENSORS["expand_dims"],
    "squeeze": _TENSORS["squeeze"],
    "compat.v1.squeeze": _TENSORS["squeeze"],
    "__operators__.getitem": _TENSORS["get_item"],
    "cast": _TENSORS["cast"],
}
"""By the name of the function."""

NODES: Mapping[str, Meaning] = {
    "Add": _BINARY["add"],
    "AddV2": _BINARY["add"],
    "BiasAdd": _BINARY["add"],
    "Sub": _BINARY["subtract"],
    "Mul": _BINARY["multiply"],
    "RealDiv": _BINARY["divide"],
    "Maximum": _BINARY["maximum"],
    "Minimum": _BINARY["minimum"],
    "Pow": _BINARY["power"],
    "Neg": _plain(Affine(scale=-1.0)),
    "Abs": _plain(Abs()),
    "Square": _plain(Power(exponent=2.0)),
    "Sqrt": _plain(Power(exponent=0.5)),
    "Rsqrt": _plain(Power(exponent=-0.5)),
    "Exp": _plain(Exponential()),
    "Log": _plain(Log()),
    "Identity": _plain(Linear()),
    "Relu": _plain(Relu()),
    "Relu6": _plain(Relu(max_value=6.0)),
    "Sigmoid": _plain(Sigmoid()),
    "Tanh": _plain(Tanh()),
    "Softplus": _plain(Softplus()),
    "Elu": _plain(Elu()),
    "Selu": _plain(Selu()),
    "Transpose": Meaning("transpose", arguments=("x", "perm")),
    "Reshape": Meaning("reshape", arguments=("tensor", "shape")),
    "ExpandDims": Meaning("expand_dims", arguments=("input", "axis")),
    "Mean": Meaning("mean", arguments=("input", "axis")),
    "Max": Meaning("max", arguments=("input", "axis")),
    "Sum": Meaning("sum", arguments=("input", "axis")),
    "Softmax": Meaning("softmax", arguments=("logits",)),
}
"""By the operator of a graph node (TensorFlowOpLayer, TensorFlow 1.13 to 2.3)."""

UNREAD: frozenset[str] = frozenset({"name", "dtype", "trainable", "initial", "out", "node_def"})
"""Arguments that change no number where they say anything."""
