"""Nodes of TensorFlow's graph as layers of tf.keras (TensorFlowOpLayer, 1.13 to 2.3).

Such a layer stores a `NodeDef` and, by their places, those operands that are constants. Sources:
TensorFlow 1.15 and 2.3 `python/keras/engine/base_layer.py` (`TensorFlowOpLayer`),
`core/framework/node_def.proto`; the operators' definitions in `core/ops/*.cc`; genuine files.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..ir.op import Op
from ..ir.ops.activation import (
    Abs,
    Affine,
    Elu,
    Exponential,
    LeakyRelu,
    Linear,
    Log,
    Power,
    Relu,
    Selu,
    Sigmoid,
    Softplus,
    Softsign,
    Tanh,
)
from ..ir.ops.maths import Function
from .operations import FUNCTIONS, Meaning, plain


class Operator(msgspec.Struct, frozen=True):
    """What a node's operator is.

    Attributes:
        meaning: The operation; its `arguments` are the operands in order.
        reads: Attributes of the node that matter, by what the operation calls them.
        listed: Whether all operands but the last `behind` are one list.
        behind: How many operands stand behind that list.
    """

    meaning: Meaning
    reads: Mapping[str, str] = {}
    listed: bool = False
    behind: int = 0


def _of(kind: str, *arguments: str, **reads: str) -> Operator:
    return Operator(Meaning(kind, arguments=arguments), reads)


def _list(kind: str, *behind: str, **reads: str) -> Operator:
    meaning = Meaning(kind, arguments=("values", *behind))
    return Operator(meaning, reads, listed=True, behind=len(behind))


_ONE: Mapping[str, Op] = {
    "Neg": Affine(scale=-1.0),
    "Abs": Abs(),
    "Square": Power(exponent=2.0),
    "Sqrt": Power(exponent=0.5),
    "Rsqrt": Power(exponent=-0.5),
    "Reciprocal": Power(exponent=-1.0),
    "Inv": Power(exponent=-1.0),
    "Exp": Exponential(),
    "Log": Log(),
    "Identity": Linear(),
    "StopGradient": Linear(),
    "Relu": Relu(),
    "Relu6": Relu(max_value=6.0),
    "Sigmoid": Sigmoid(),
    "Tanh": Tanh(),
    "Softplus": Softplus(),
    "Softsign": Softsign(),
    "Elu": Elu(),
    "Selu": Selu(),
    "Round": Function(function="rint"),
    "IsNan": Function(function="isnan"),
    "IsInf": Function(function="isinf"),
    "IsFinite": Function(function="isfinite"),
    **{name.replace("arc", "a").capitalize(): op for name, op in FUNCTIONS.items()},
}

_TWO: Mapping[str, str] = {
    "Add": "add", "AddV2": "add", "BiasAdd": "add", "Sub": "subtract", "Mul": "multiply",
    "RealDiv": "divide", "Maximum": "maximum", "Minimum": "minimum", "Pow": "power",
    "FloorDiv": "floor_divide", "FloorMod": "modulo", "SquaredDifference": "squared_difference",
    "DivNoNan": "divide_no_nan", "Equal": "equal", "NotEqual": "not_equal", "Less": "less",
    "LessEqual": "less_equal", "Greater": "greater", "GreaterEqual": "greater_equal",
    "LogicalAnd": "logical_and", "LogicalOr": "logical_or",
}  # fmt: skip

_REDUCTIONS: Mapping[str, str] = {
    "Mean": "mean", "Max": "max", "Min": "min", "Sum": "sum", "Prod": "prod", "Any": "any",
    "All": "all",
}  # fmt: skip

_PRODUCT = _of("matmul", "x", "y", transpose_a="adj_x", transpose_b="adj_y")
_POOLED = {"pool_size": "ksize", "strides": "strides", "padding": "padding",
           "data_format": "data_format"}  # fmt: skip
_RESIZED = {"align_corners": "align_corners", "half_pixel_centers": "half_pixel_centers"}
_FILTERED = {"strides": "strides", "padding": "padding", "data_format": "data_format",
             "dilation_rate": "dilations"}  # fmt: skip
_BLOCKS = {"block_size": "block_size", "data_format": "data_format"}

NODES: Mapping[str, Operator] = {
    **{name: Operator(plain(op)) for name, op in _ONE.items()},
    **{name: Operator(Meaning(kind)) for name, kind in _TWO.items()},
    **{name: _of(kind, "input", "axis", keepdims="keep_dims")
       for name, kind in _REDUCTIONS.items()},
    "LeakyRelu": Operator(
        plain(LeakyRelu(negative_slope=0.2), alpha="negative_slope"), {"alpha": "alpha"}
    ),
    "ArgMax": _of("argmax", "input", "axis", dtype="output_type"),
    "ArgMin": _of("argmin", "input", "axis", dtype="output_type"),
    "Cumsum": _of("cumsum", "input", "axis", exclusive="exclusive", reverse="reverse"),
    "Cumprod": _of("cumprod", "input", "axis", exclusive="exclusive", reverse="reverse"),
    "LogicalNot": _of("logical_not", "x"),
    "Select": _of("where", "condition", "x", "y"),
    "SelectV2": _of("where", "condition", "x", "y"),
    "Cast": _of("cast", "x", dtype="DstT"),
    "AddN": _list("add_n"),
    "IdentityN": _list("identities"),
    "Transpose": _of("transpose", "x", "perm"),
    "Reshape": _of("reshape", "tensor", "shape"),
    "ExpandDims": _of("expand_dims", "input", "axis"),
    "Squeeze": _of("squeeze", "input", axis="squeeze_dims"),
    "ConcatV2": _list("concatenate", "axis"),
    "Pack": _list("stack", axis="axis"),
    "Unpack": _of("unstack", "value", axis="axis", num="num"),
    "Split": _of("split", "axis", "value", sizes="num_split"),
    "SplitV": _of("split", "value", "sizes", "axis"),
    "Slice": _of("slice", "input", "begin", "shape"),
    "StridedSlice": _of(
        "strided_slice", "input", "begin", "end", "strides", begin_mask="begin_mask",
        end_mask="end_mask", ellipsis_mask="ellipsis_mask", new_axis_mask="new_axis_mask",
        shrink_axis_mask="shrink_axis_mask",
    ),
    "GatherV2": _of("take", "params", "indices", "axis", batch_dims="batch_dims"),
    "Tile": _of("tile", "input", "repeats"),
    "Roll": _of("roll", "input", "shift", "axis"),
    "ReverseV2": _of("flip", "tensor", "axis"),
    "Pad": _of("pad", "input", "pad_width"),
    "PadV2": _of("pad", "input", "pad_width", "constant_values"),
    "MirrorPad": _of("pad", "input", "pad_width", mode="mode"),
    "BroadcastTo": _of("broadcast_to", "input", "shape"),
    "OneHot": _of("one_hot", "indices", "num_classes", "on_value", "off_value", axis="axis"),
    "TopKV2": _of("top_k", "input", "k"),
    "ZerosLike": _of("zeros_like", "input"),
    "OnesLike": _of("ones_like", "input"),
    "Shape": _of("shape", "input", dtype="out_type"),
    "MatrixBandPart": _of("band_part", "input", "num_lower", "num_upper"),
    "Softmax": _of("softmax", "logits"),
    "LogSoftmax": _of("log_softmax", "logits"),
    "BatchMatMul": _PRODUCT,
    "BatchMatMulV2": _PRODUCT,
    "BatchMatMulV3": _PRODUCT,
    "MatMul": _of("matmul", "x", "y", transpose_a="transpose_a", transpose_b="transpose_b"),
    "Einsum": Operator(Meaning("einsum", arguments=("values",)), {"subscripts": "equation"}),
    "MaxPool": Operator(Meaning("max_pool", arguments=("input",)), _POOLED),
    "AvgPool": Operator(Meaning("average_pool", arguments=("value",)), _POOLED),
    "Conv2D": _of("conv", "input", "filter", **_FILTERED),
    "Conv3D": _of("conv", "input", "filter", **_FILTERED),
    "DepthwiseConv2dNative": _of("depthwise_conv", "input", "filter", **_FILTERED),
    "ResizeBilinear": Operator(
        Meaning("resize_bilinear", arguments=("images", "size")), _RESIZED
    ),
    "ResizeNearestNeighbor": Operator(
        Meaning("resize_nearest", arguments=("images", "size")), _RESIZED
    ),
    "DepthToSpace": Operator(Meaning("depth_to_space", arguments=("input",)), _BLOCKS),
    "SpaceToDepth": Operator(Meaning("space_to_depth", arguments=("input",)), _BLOCKS),
    "ExtractImagePatches": _of(
        "extract_patches", "images", size="ksizes", strides="strides", dilation_rate="rates",
        padding="padding",
    ),
}  # fmt: skip
"""By the operator of the node."""
