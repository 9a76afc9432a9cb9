"""Operations on tensors in the functional graphs of tf.keras, by the names of TensorFlow.

Sources: tf-keras 2.21 `layers/core/tf_op_layer.py`, whose TFOpLambda stores public names;
TensorFlow 2.21 for the arguments of each function. Those of graph nodes are in `tensorflow_nodes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import msgspec

from ..ir.ops.activation import (
    Abs,
    Affine,
    Clip,
    Elu,
    Exponential,
    LeakyRelu,
    Linear,
    Log,
    LogSigmoid,
    Power,
    Relu,
    Selu,
    Sigmoid,
    Silu,
    Softplus,
    Softsign,
    Tanh,
)
from ..ir.ops.maths import Function
from .operations import FUNCTIONS, Meaning, plain

_CUT = {"clip_value_min": "low", "clip_value_max": "high"}
_ONE: Mapping[str, Meaning] = {
    "negative": plain(Affine(scale=-1.0)),
    "abs": plain(Abs()),
    "square": plain(Power(exponent=2.0)),
    "sqrt": plain(Power(exponent=0.5)),
    "rsqrt": plain(Power(exponent=-0.5)),
    "reciprocal": plain(Power(exponent=-1.0)),
    "exp": plain(Exponential()),
    "log": plain(Log()),
    "sigmoid": plain(Sigmoid()),
    "log_sigmoid": plain(LogSigmoid()),
    "softplus": plain(Softplus()),
    "tanh": plain(Tanh()),
    "is_nan": plain(Function(function="isnan")),
    "is_inf": plain(Function(function="isinf")),
    "is_finite": plain(Function(function="isfinite")),
    "asin": plain(FUNCTIONS["arcsin"]),
    "acos": plain(FUNCTIONS["arccos"]),
    "atan": plain(FUNCTIONS["arctan"]),
    "asinh": plain(FUNCTIONS["arcsinh"]),
    "acosh": plain(FUNCTIONS["arccosh"]),
    "atanh": plain(FUNCTIONS["arctanh"]),
    "round": plain(Function(function="rint")),
    **{
        name: plain(FUNCTIONS[name])
        for name in ("sin", "cos", "tan", "sinh", "cosh", "erf", "floor", "ceil", "sign", "expm1",
                     "log1p")
    },
}  # fmt: skip
"""Functions of one number; most are both in `tf` and in `tf.math`."""

_TWO: Mapping[str, str] = {
    "add": "add",
    "subtract": "subtract",
    "multiply": "multiply",
    "truediv": "divide",
    "divide": "divide",
    "maximum": "maximum",
    "minimum": "minimum",
    "pow": "power",
    "floordiv": "floor_divide",
    "floor_div": "floor_divide",
    "floormod": "modulo",
    "mod": "modulo",
    "squared_difference": "squared_difference",
    "equal": "equal",
    "not_equal": "not_equal",
    "less": "less",
    "less_equal": "less_equal",
    "greater": "greater",
    "greater_equal": "greater_equal",
    "logical_and": "logical_and",
    "logical_or": "logical_or",
    "logical_xor": "logical_xor",
    "divide_no_nan": "divide_no_nan",
}
"""Functions of two tensors; most are both in `tf` and in `tf.math`."""

_OPERATORS: Mapping[str, str] = {
    "add": "add", "radd": "add", "sub": "subtract", "mul": "multiply", "rmul": "multiply",
    "truediv": "divide", "ne": "not_equal", "eq": "equal", "lt": "less", "le": "less_equal",
    "gt": "greater", "ge": "greater_equal", "pow": "power", "and": "logical_and",
    "or": "logical_or", "xor": "logical_xor", "floordiv": "floor_divide", "mod": "modulo",
    "matmul": "matmul", "getitem": "get_item",
}  # fmt: skip
"""Python's operators on tensors (`__operators__.add`)."""


def _of(kind: str, *arguments: str, **called: str) -> Meaning:
    return Meaning(kind, attributes=called, arguments=arguments)


def _reduce(kind: str) -> Meaning:
    return _of(kind, "input_tensor", "axis", "keepdims", keep_dims="keepdims")


_REDUCTIONS: Mapping[str, Meaning] = {
    "reduce_mean": _reduce("mean"),
    "reduce_max": _reduce("max"),
    "reduce_min": _reduce("min"),
    "reduce_sum": _reduce("sum"),
    "reduce_prod": _reduce("prod"),
    "reduce_any": _reduce("any"),
    "reduce_all": _reduce("all"),
    "reduce_std": _reduce("std"),
    "reduce_variance": _reduce("var"),
    "reduce_logsumexp": _reduce("logsumexp"),
    "cumsum": _of("cumsum", "x", "axis"),
    "cumprod": _of("cumprod", "x", "axis"),
    "argmax": _of("argmax", "input", "axis", output_type="dtype"),
    "argmin": _of("argmin", "input", "axis", output_type="dtype"),
    "top_k": _of("top_k", "input", "k", "sorted"),
    "l2_normalize": _of("l2_normalize", "x", "axis", "epsilon"),
}

_BOTH = {
    **_ONE,
    **{name: Meaning(kind) for name, kind in _TWO.items()},
    **_REDUCTIONS,
    "logical_not": _of("logical_not", "x"),
    "add_n": _of("add_n", "inputs"),
}

_NORM = _of("norm", "tensor", "ord", "axis", "keepdims")
_POOL = _of("max_pool", "input", "pool_size", "strides", "padding", "data_format",
            ksize="pool_size")  # fmt: skip
_MEANS = msgspec.structs.replace(_POOL, name="average_pool")
_OLD_SIZE = ("images", "size", "align_corners", "name", "half_pixel_centers")
_BLOCKS = ("input", "block_size", "data_format")

_conv = partial(_of, dilations="dilation_rate", rate="dilation_rate", stride="strides")
_STEPS = ("strides", "padding", "data_format", "dilations")
_CONV = _conv("conv", "input", "filters", *_STEPS)
_BACK = _conv("conv_transpose", "input", "filters", "output_shape", *_STEPS)
_OLD_BACK = _conv(
    "conv_transpose", "value", "filter", "output_shape", "strides", "padding", "data_format",
    "name", "input", "filters", "dilations",
)  # fmt: skip
_FILTERS: Mapping[str, Meaning] = {
    "nn.conv2d": _CONV,
    "nn.conv1d": _CONV,
    "nn.conv3d": _CONV,
    "nn.convolution": _CONV,
    "nn.depthwise_conv2d": _conv("depthwise_conv", "input", "filter", *_STEPS),
    "nn.separable_conv2d": _conv(
        "separable_conv", "input", "depthwise_filter", "pointwise_filter", *_STEPS
    ),
    "nn.conv2d_transpose": _BACK,
    "nn.conv1d_transpose": _BACK,
    "nn.conv3d_transpose": _BACK,
    "compat.v1.nn.conv1d": _conv(
        "conv", "value", "filters", "stride", "padding", "use_cudnn_on_gpu", "data_format",
        "name", "input", "dilations",
    ),
    "compat.v1.nn.conv3d": _conv(
        "conv", "input", "filter", "strides", "padding", "data_format", "dilations", "name",
        "filters",
    ),
    "compat.v1.nn.conv2d_transpose": _OLD_BACK,
    "compat.v1.nn.conv3d_transpose": _OLD_BACK,
    "compat.v1.nn.conv2d": _conv(
        "conv", "input", "filter", "strides", "padding", "use_cudnn_on_gpu", "data_format",
        "dilations", "name", "filters",
    ),
    "compat.v1.nn.convolution": _conv(
        "conv", "input", "filter", "padding", "strides", "dilation_rate", "name", "data_format",
        "filters", "dilations",
    ),
    "compat.v1.nn.depthwise_conv2d": _conv(
        "depthwise_conv", "input", "filter", "strides", "padding", "rate", "name", "data_format",
        "dilations",
    ),
    "compat.v1.nn.separable_conv2d": _conv(
        "separable_conv", "input", "depthwise_filter", "pointwise_filter", "strides", "padding",
        "rate", "name", "data_format", "dilations",
    ),
}  # fmt: skip
"""Convolutions; those of TensorFlow 1 call their operands by two names, and have another order."""

_IMAGES: Mapping[str, Meaning] = {
    "nn.max_pool1d": _POOL,
    "nn.max_pool2d": _POOL,
    "nn.max_pool3d": _POOL,
    "nn.max_pool": _POOL,
    "compat.v1.nn.max_pool": _POOL,
    "nn.avg_pool1d": _MEANS,
    "nn.avg_pool2d": _MEANS,
    "nn.avg_pool3d": _MEANS,
    "nn.avg_pool": _MEANS,
    "compat.v1.nn.avg_pool": _MEANS,
    "image.resize": _of("resize", "images", "size", "method", "preserve_aspect_ratio",
                        "antialias"),
    "compat.v1.image.resize_bilinear": _of("resize_bilinear", *_OLD_SIZE),
    "compat.v1.image.resize_nearest_neighbor": _of("resize_nearest", *_OLD_SIZE),
    "nn.depth_to_space": _of("depth_to_space", *_BLOCKS),
    "compat.v1.depth_to_space": _of("depth_to_space", "input", "block_size", "name", "data_format"),
    "nn.space_to_depth": _of("space_to_depth", *_BLOCKS),
    "compat.v1.space_to_depth": _of("space_to_depth", "input", "block_size", "name", "data_format"),
    "image.extract_patches": _of(
        "extract_patches", "images", "sizes", "strides", "rates", "padding",
        sizes="size", rates="dilation_rate",
    ),
    "compat.v1.image.extract_image_patches": _of(
        "extract_patches", "images", "ksizes", "strides", "rates", "padding", "name", "sizes",
        ksizes="size", sizes="size", rates="dilation_rate",
    ),
    "image.flip_left_right": _of("flip_left_right", "image"),
    "image.flip_up_down": _of("flip_up_down", "image"),
    "image.rgb_to_grayscale": _of("rgb_to_grayscale", "images"),
    "image.per_image_standardization": _of("standardize_image", "image"),
    "image.crop_to_bounding_box": _of(
        "crop_images", "image", "offset_height", "offset_width", "target_height", "target_width",
        offset_height="top_cropping", offset_width="left_cropping",
    ),
    "image.pad_to_bounding_box": _of(
        "pad_images", "image", "offset_height", "offset_width", "target_height", "target_width",
        offset_height="top_padding", offset_width="left_padding",
    ),
}  # fmt: skip

TENSORFLOW: Mapping[str, Meaning] = {
    **{f"math.{name}": meaning for name, meaning in _BOTH.items()},
    "linalg.matmul": _of("matmul", "a", "b", "transpose_a", "transpose_b"),
    **{
        f"__operators__.{name}": Meaning(kind, arguments=("tensor", "slice_spec"))
        if name == "getitem"
        else Meaning(kind)
        for name, kind in _OPERATORS.items()
    },
    "realdiv": Meaning("divide"),
    "identity": plain(Linear()),
    "stop_gradient": plain(Linear()),
    "convert_to_tensor": plain(Linear()),
    "clip_by_value": plain(Clip(), **_CUT),
    "nn.relu": plain(Relu()),
    "nn.relu6": plain(Relu(max_value=6.0)),
    "nn.sigmoid": plain(Sigmoid()),
    "nn.silu": plain(Silu()),
    "nn.swish": plain(Silu()),
    "nn.softplus": plain(Softplus()),
    "nn.softsign": plain(Softsign()),
    "nn.tanh": plain(Tanh()),
    "nn.elu": plain(Elu()),
    "nn.selu": plain(Selu()),
    "nn.leaky_relu": plain(LeakyRelu(negative_slope=0.2), alpha="negative_slope"),
    "nn.gelu": _of("gelu", "features", "approximate"),
    "nn.softmax": _of("softmax", "logits", "axis"),
    "nn.log_softmax": _of("log_softmax", "logits", "axis"),
    "nn.l2_normalize": _REDUCTIONS["l2_normalize"],
    "nn.bias_add": _of("bias_add", "value", "bias", "data_format"),
    "nn.top_k": _REDUCTIONS["top_k"],
    "concat": _of("concatenate", "values", "axis"),
    "stack": _of("stack", "values", "axis"),
    "unstack": _of("unstack", "value", "num", "axis"),
    "split": _of("split", "value", "indices_or_sections", "axis", num_or_size_splits="sizes"),
    "reshape": _of("reshape", "tensor", "shape"),
    "transpose": _of("transpose", "a", "perm"),
    "compat.v1.transpose": _of("transpose", "a", "perm"),
    "expand_dims": _of("expand_dims", "input", "axis"),
    "compat.v1.expand_dims": _of("expand_dims", "input", "axis"),
    "squeeze": _of("squeeze", "input", "axis"),
    "compat.v1.squeeze": _of("squeeze", "input", "axis"),
    "tile": _of("tile", "input", "repeats", multiples="repeats"),
    "compat.v1.tile": _of("tile", "input", "repeats", multiples="repeats"),
    "repeat": _of("repeat", "input", "repeats", "axis"),
    "roll": _of("roll", "input", "shift", "axis"),
    "reverse": _of("flip", "tensor", "axis"),
    "pad": _of("pad", "tensor", "pad_width", "mode", "constant_values", paddings="pad_width"),
    "compat.v1.pad": _of(
        "pad", "tensor", "pad_width", "mode", "name", "constant_values", paddings="pad_width"
    ),
    "where": _of("where", "condition", "x", "y"),
    "compat.v1.where": _of("where", "condition", "x", "y"),
    "one_hot": _of("one_hot", "indices", "num_classes", depth="num_classes"),
    "gather": _of("take", "params", "indices", "validate_indices", "axis", "batch_dims"),
    "compat.v1.gather": _of("take", "params", "indices", "validate_indices", "name", "axis",
                            "batch_dims"),
    "broadcast_to": _of("broadcast_to", "input", "shape"),
    "zeros_like": _of("zeros_like", "input", "dtype"),
    "ones_like": _of("ones_like", "input", "dtype"),
    "compat.v1.zeros_like": _of("zeros_like", "tensor", "dtype"),
    "compat.v1.ones_like": _of("ones_like", "tensor", "dtype"),
    "slice": _of("slice", "input_", "begin", "shape", size="shape"),
    "strided_slice": _of("strided_slice", "input_", "begin", "end", "strides", "begin_mask",
                         "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"),
    "linalg.band_part": _of("band_part", "input", "num_lower", "num_upper"),
    "sort": _of("sort", "values", "axis", "direction"),
    "argsort": _of("argsort", "values", "axis", "direction"),
    "norm": _NORM,
    "compat.v1.norm": _NORM,
    "linalg.norm": _NORM,
    **_FILTERS,
    **_IMAGES,
    "math.reduce_euclidean_norm": _of("norm", "input_tensor", "axis", "keepdims"),
    "math.erfc": Meaning("erfc", arguments=("x",)),
    "math.rint": plain(Function(function="rint")),
    "math.atan2": Meaning("arctan2", arguments=("y", "x")),
    "math.count_nonzero": _of("count_nonzero", "input", "axis"),
    "linalg.cross": _of("cross", "a", "b"),
    "searchsorted": _of("searchsorted", "sorted_sequence", "values", "side"),
    "nn.batch_normalization": _of(
        "batch_norm", "x", "mean", "variance", "offset", "scale", "variance_epsilon",
        variance_epsilon="epsilon",
    ),
    "matmul": _of("matmul", "a", "b", "transpose_a", "transpose_b"),
    "einsum": _of("einsum"),
    "tensordot": _of("tensordot", "a", "b", "axes"),
    "cast": _of("cast", "x", "dtype"),
    **_BOTH,
    "shape": _of("shape", "input", out_type="dtype"),
    "compat.v1.shape": _of("shape", "input", "name", out_type="dtype"),
}  # fmt: skip
"""By the name of the function; the first of several is the one that files have."""
