"""Operations on tensors in the functional graphs of Keras 3, by their names.

Sources: Keras 3.15 `ops/numpy.py`, `ops/nn.py`, `ops/core.py`, `ops/math.py`, `ops/linalg.py`,
`activations/activations.py`: the classes, and what their constructors take. TensorFlow's names are
in `tensorflow.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

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
    HardSigmoid,
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
from ..ir.ops.maths import Function
from .activations import NEW_HARD_SIGMOID


class Meaning(msgspec.Struct, frozen=True):
    """What an operation is.

    Attributes:
        name: Of the function that translates it: `add`, `mean`, `elementwise`.
        op: What an element-wise operation of one tensor computes, with no arguments given.
        attributes: Its arguments that are attributes of `op`, and what they are called there; of
            other operations, arguments that Keras 3 calls otherwise.
        arguments: What TensorFlow calls its arguments, in order.
    """

    name: str
    op: Op | None = None
    attributes: Mapping[str, str] = {}
    arguments: tuple[str, ...] = ("x", "y")


def plain(op: Op, **attributes: str) -> Meaning:
    """An element-wise operation of one tensor."""
    return Meaning("elementwise", op, attributes)


FUNCTIONS: Mapping[str, Op] = {
    "sin": Function(function="sin"),
    "cos": Function(function="cos"),
    "tan": Function(function="tan"),
    "arcsin": Function(function="arcsin"),
    "arccos": Function(function="arccos"),
    "arctan": Function(function="arctan"),
    "sinh": Function(function="sinh"),
    "cosh": Function(function="cosh"),
    "arcsinh": Function(function="arcsinh"),
    "arccosh": Function(function="arccosh"),
    "arctanh": Function(function="arctanh"),
    "erf": Function(function="erf"),
    "floor": Function(function="floor"),
    "ceil": Function(function="ceil"),
    "sign": Function(function="sign"),
    "expm1": Function(function="expm1"),
    "log1p": Function(function="log1p"),
}
"""Functions of one number, as NumPy and Keras 3 call them."""

_OF_TENSORS = {
    "Add": "add", "Subtract": "subtract", "Multiply": "multiply", "Divide": "divide",
    "TrueDivide": "divide", "Maximum": "maximum", "Minimum": "minimum", "Power": "power",
    "FloorDivide": "floor_divide", "Mod": "modulo", "Equal": "equal", "NotEqual": "not_equal",
    "Less": "less", "LessEqual": "less_equal", "Greater": "greater",
    "GreaterEqual": "greater_equal", "LogicalAnd": "logical_and", "LogicalOr": "logical_or",
    "LogicalXor": "logical_xor", "LogicalNot": "logical_not", "Where": "where", "Any": "any",
    "All": "all", "Amax": "max", "Amin": "min", "Min": "min", "Prod": "prod", "Std": "std",
    "Var": "var", "Logsumexp": "logsumexp", "Norm": "norm", "Argmax": "argmax",
    "Argmin": "argmin", "Cumsum": "cumsum", "Cumprod": "cumprod", "Stack": "stack",
    "Split": "split", "Unstack": "unstack", "Flip": "flip", "Roll": "roll", "Repeat": "repeat",
    "Tile": "tile", "Pad": "pad", "Swapaxes": "swapaxes", "Moveaxis": "moveaxis",
    "BroadcastTo": "broadcast_to", "Take": "take", "ZerosLike": "zeros_like",
    "OnesLike": "ones_like", "FullLike": "full_like", "OneHot": "one_hot", "TopK": "top_k",
    "Sort": "sort", "Argsort": "argsort", "Tril": "tril", "Triu": "triu", "Matmul": "matmul",
    "Einsum": "einsum", "Tensordot": "tensordot", "Dot": "dot", "Normalize": "normalize",
    "Hstack": "hstack", "Append": "append", "Moments": "moments",
    "Glu": "glu",
    "Slice": "slice", "Threshold": "threshold", "Log2": "log2", "Log10": "log10",
    "Exp2": "exp2", "Cbrt": "cbrt", "Trunc": "trunc", "Erfc": "erfc", "Isposinf": "isposinf",
    "Isneginf": "isneginf", "Hypot": "hypot", "Logaddexp": "logaddexp", "Fmod": "fmod",
    "DivideNoNan": "divide_no_nan", "Heaviside": "heaviside", "Ptp": "ptp",
    "CountNonzero": "count_nonzero", "Average": "average", "MultiHot": "multi_hot",
    "DepthToSpace": "depth_to_space", "SpaceToDepth": "space_to_depth", "Resize": "image_resize",
    "DotProductAttention": "dot_product_attention", "RGBToGrayscale": "rgb_to_grayscale",
    "Arctan2": "arctan2", "Isclose": "isclose",
    "Select": "select", "NanToNum": "nan_to_num", "Diff": "diff", "Diagonal": "diagonal",
    "Trace": "trace", "Median": "median", "Digitize": "digitize", "CropImages": "crop_images",
    "PadImages": "pad_images", "Sinc": "sinc", "Fmax": "fmax", "Fmin": "fmin",
    "Signbit": "signbit", "Ldexp": "shift_left", "LeftShift": "shift_left",
    "BitwiseLeftShift": "shift_left", "RightShift": "shift_right",
    "BitwiseRightShift": "shift_right", "Real": "real", "Conj": "real", "Conjugate": "real",
    "Imag": "imag", "IsIn": "isin", "Nansum": "nansum", "Nanmean": "nanmean", "Nanmax": "nanmax",
    "Nanmin": "nanmin", "Nanprod": "nanprod", "Nanvar": "nanvar", "Nanstd": "nanstd",
    "Nancumsum": "nancumsum", "Nancumprod": "nancumprod", "Quantile": "quantile",
    "Percentile": "percentile", "Trapezoid": "trapezoid", "SearchSorted": "searchsorted",
    "TakeAlongAxis": "take_along_axis", "Cross": "cross", "Dstack": "dstack", "Hsplit": "hsplit",
    "Dsplit": "dsplit", "ArraySplit": "array_split", "Fliplr": "fliplr", "Rot90": "rot90",
    "RFFT": "rfft", "FFT": "fft", "AveragePool": "pool_mean", "MaxPool": "pool_largest",
    "AdaptiveAveragePool": "adaptive_mean", "AdaptiveMaxPool": "adaptive_largest",
    "LayerNorm": "layer_norm", "RMSNorm": "rms_norm", "BatchNorm": "batch_norm",
    "ExtractPatches": "extract_patches", "Conv": "conv", "DepthwiseConv": "depthwise_conv",
    "SeparableConv": "separable_conv", "GaussianBlur": "gaussian_blur",
    "SobelEdges": "sobel_edges",
}  # fmt: skip

KERAS3: Mapping[str, Meaning] = {
    **{name: Meaning(kind) for name, kind in _OF_TENSORS.items()},
    **{name.capitalize(): plain(op) for name, op in FUNCTIONS.items()},
    "Isnan": plain(Function(function="isnan")),
    "Isinf": plain(Function(function="isinf")),
    "Isfinite": plain(Function(function="isfinite")),
    "SparseSigmoid": plain(HardSigmoid(slope=0.5, shift=0.5)),
    "Deg2rad": plain(Affine(scale=math.pi / 180)),
    "Rad2deg": plain(Affine(scale=180 / math.pi)),
    "ConvertToTensor": plain(Linear()),
    "Round": plain(Function(function="rint")),
    "Fabs": plain(Abs()),
    "Negative": plain(Affine(scale=-1.0)),
    "Absolute": plain(Abs()),
    "Abs": plain(Abs()),
    "Square": plain(Power(exponent=2.0)),
    "Sqrt": plain(Power(exponent=0.5)),
    "Rsqrt": plain(Power(exponent=-0.5)),
    "Reciprocal": plain(Power(exponent=-1.0)),
    "Exp": plain(Exponential()),
    "Log": plain(Log()),
    "Identity": plain(Linear()),
    "Copy": plain(Linear()),
    "StopGradient": plain(Linear()),
    "Clip": plain(Clip(), x_min="low", x_max="high"),
    "Relu": plain(Relu()),
    "ReLU": plain(
        Relu(), negative_slope="negative_slope", max_value="max_value", threshold="threshold"
    ),
    "Relu6": plain(Relu(max_value=6.0)),
    "Sigmoid": plain(Sigmoid()),
    "Silu": plain(Silu()),
    "Softplus": plain(Softplus()),
    "Softsign": plain(Softsign()),
    "Tanh": plain(Tanh()),
    "LeakyRelu": plain(LeakyRelu(negative_slope=0.2), negative_slope="negative_slope"),
    "HardSigmoid": plain(NEW_HARD_SIGMOID),
    "HardSilu": plain(HardSilu()),
    "HardTanh": plain(Clip(low=-1.0, high=1.0)),
    "HardShrink": plain(HardShrink(threshold=0.5), threshold="threshold"),
    "SoftShrink": plain(SoftShrink(threshold=0.5), threshold="threshold"),
    "TanhShrink": plain(TanhShrink()),
    "Elu": plain(Elu(), alpha="alpha"),
    "Selu": plain(Selu()),
    "Celu": plain(Celu(), alpha="alpha"),
    "LogSigmoid": plain(LogSigmoid()),
    "SparsePlus": plain(SparsePlus()),
    "Squareplus": plain(SquarePlus(b=4.0), b="b"),
    "Mish": plain(Mish()),
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
_ACTIVATIONS, _MATH = "keras.src.activations.activations", "keras.src.ops.math"

KERAS3_MODULES: Mapping[str, str] = {
    **dict.fromkeys(KERAS3, _NUMPY),
    **dict.fromkeys(
        (
            "Relu", "Relu6", "Sigmoid", "Silu", "Softplus", "Softsign", "LeakyRelu", "HardSigmoid",
            "HardSilu", "HardTanh", "HardShrink", "SoftShrink", "TanhShrink", "Elu", "Selu",
            "Celu", "LogSigmoid", "SparsePlus", "Squareplus", "Gelu", "Softmax", "LogSoftmax",
            "Sparsemax", "SparseSigmoid", "Glu", "Threshold", "OneHot", "Normalize", "Moments",
            "MultiHot", "DepthToSpace", "SpaceToDepth", "DotProductAttention", "AveragePool",
            "MaxPool", "AdaptiveAveragePool", "AdaptiveMaxPool", "LayerNorm", "RMSNorm",
            "BatchNorm", "Conv", "DepthwiseConv", "SeparableConv",
        ),
        _NN,
    ),
    **dict.fromkeys(
        ("Resize", "RGBToGrayscale", "CropImages", "PadImages", "GaussianBlur", "SobelEdges"),
        "keras.src.ops.image",
    ),
    **dict.fromkeys(("StopGradient", "Cast", "Unstack", "Slice", "ConvertToTensor"), _CORE),
    **dict.fromkeys(("Rsqrt", "TopK", "Logsumexp", "Erf", "Erfc", "RFFT", "FFT"), _MATH),
    "Norm": "keras.src.ops.linalg",
    "ReLU": _ACTIVATIONS,
    "Mish": _ACTIVATIONS,
}  # fmt: skip
"""Where Keras 3.15 has each class."""

MODULES = ("keras.src.ops.", "keras.ops.", "keras.src.activations.")


def says_operation(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of Keras 3 is an operation, not the layer that may have its name.

    By its module; in HDF5, which leaves modules out, by what every layer's config says.
    """
    module, config = entry.get("module"), entry.get("config")
    if isinstance(module, str):
        return module.startswith(MODULES)
    return (
        "module" not in entry
        and isinstance(config, Mapping)
        and entry["class_name"] != "InputLayer"
        and not config.keys() & {"trainable", "batch_input_shape"}
        and ("dtype" not in config or entry["class_name"] in KERAS3)
    )


TAKE_DTYPE: frozenset[str] = frozenset({
    "Cast", "OneHot", "FullLike", "ZerosLike", "OnesLike",
})  # fmt: skip
"""Classes of Keras 3 that are told the dtype of their result, which no layer's policy is."""

_LARGEST = 3.4028234663852886e38

REQUIRED: Mapping[str, Mapping[str, float]] = {
    "Clip": {"x_min": -_LARGEST, "x_max": _LARGEST},
    "clip_by_value": {"clip_value_min": -_LARGEST, "clip_value_max": _LARGEST},
}
"""Arguments that have to be given though they say nothing: the largest numbers of float32."""

UNREAD: frozenset[str] = frozenset({
    "name", "dtype", "trainable", "initial", "out", "node_def", "use_cudnn_on_gpu",
})  # fmt: skip
"""Arguments that change no number where they say anything."""
