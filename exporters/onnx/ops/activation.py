"""Element-wise functions and softmax: one operator each, where ONNX has it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ....ir.arithmetic import combined
from ....ir.ops.activation import (
    Abs,
    Affine,
    AlongAxis,
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
    Log,
    LogSigmoid,
    LogSoftmax,
    Mish,
    ParametricSoftplus,
    Power,
    PRelu,
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
    SRelu,
    Tanh,
    TanhShrink,
    ThresholdedLinear,
    ThresholdedRelu,
    TrainingOnly,
)
from ..draft import Edge
from ..emitting import Emitting
from ..registry import emits

ROOTS: Mapping[float, str] = {0.5: "Sqrt", -1.0: "Reciprocal"}
"""Powers that have an operator of their own."""


@emits(Linear)
def linear(op: Linear, at: Emitting) -> Edge:
    return at.x


@emits(TrainingOnly)
def training_only(op: TrainingOnly, at: Emitting) -> Edge:
    return at.x


@emits(Affine)
def affine(op: Affine, at: Emitting) -> Edge:
    y = at.x if op.scale == 1 else at.add("Mul", at.x, at.number(op.scale))
    return y if op.offset == 0 else at.add("Add", y, at.number(op.offset))


@emits(Power)
def power(op: Power, at: Emitting) -> Edge:
    if op.exponent == 2:
        return at.add("Mul", at.x, at.x)
    if op.exponent in ROOTS:
        return at.add(ROOTS[op.exponent], at.x)
    return at.add("Pow", at.x, at.number(op.exponent))


@emits(Abs)
def absolute(op: Abs, at: Emitting) -> Edge:
    return at.add("Abs", at.x)


@emits(Log)
def log(op: Log, at: Emitting) -> Edge:
    return at.add("Log", at.x)


@emits(Relu)
def relu(op: Relu, at: Emitting) -> Edge:
    """The shortest form that is exact for these attributes."""
    top, slope = op.max_value, op.negative_slope
    if op.threshold != 0 or slope < 0 or (top is not None and top < 0):
        return _pieces(op, at)
    if slope != 0:
        y = at.add("LeakyRelu", at.x, alpha=slope)
        return y if top is None else at.add("Min", y, at.number(top))
    if top is None:
        return at.add("Relu", at.x)
    return at.add("Clip", at.x, at.number(0), at.number(top), shape=at.x.shape)


def _pieces(op: Relu, at: Emitting) -> Edge:
    """Either side of the threshold by itself."""
    threshold = at.number(op.threshold)
    above = at.x if op.max_value is None else at.add("Min", at.x, at.number(op.max_value))
    below = at.number(0)
    if op.negative_slope != 0:
        below = at.add("Mul", at.add("Sub", at.x, threshold), at.number(op.negative_slope))
    reached = at.add("GreaterOrEqual", at.x, threshold, dtype="bool")
    return at.add("Where", reached, above, below, dtype=at.dtype)


@emits(LeakyRelu)
def leaky_relu(op: LeakyRelu, at: Emitting) -> Edge:
    return at.add("LeakyRelu", at.x, alpha=op.negative_slope)


@emits(Elu)
def elu(op: Elu, at: Emitting) -> Edge:
    return at.add("Elu", at.x, alpha=op.alpha)


@emits(Selu)
def selu(op: Selu, at: Emitting) -> Edge:
    """ONNX' default constants are the paper's, as `selu` of every Keras has them."""
    return at.add("Selu", at.x)


@emits(ThresholdedRelu)
def thresholded_relu(op: ThresholdedRelu, at: Emitting) -> Edge:
    return at.add("ThresholdedRelu", at.x, alpha=op.theta)


@emits(Sigmoid)
def sigmoid(op: Sigmoid, at: Emitting) -> Edge:
    return at.add("Sigmoid", at.x)


@emits(HardSigmoid)
def hard_sigmoid(op: HardSigmoid, at: Emitting) -> Edge:
    return at.add("HardSigmoid", at.x, alpha=op.slope, beta=op.shift)


@emits(Tanh)
def tanh(op: Tanh, at: Emitting) -> Edge:
    return at.add("Tanh", at.x)


@emits(Softplus)
def softplus(op: Softplus, at: Emitting) -> Edge:
    return at.add("Softplus", at.x)


@emits(Softsign)
def softsign(op: Softsign, at: Emitting) -> Edge:
    return at.add("Softsign", at.x)


@emits(Exponential)
def exponential(op: Exponential, at: Emitting) -> Edge:
    return at.add("Exp", at.x)


@emits(Silu)
def silu(op: Silu, at: Emitting) -> Edge:
    """ONNX has `Swish` since opset 24, which ONNX Runtime 1.32 still cannot run."""
    return at.add("Mul", at.x, at.add("Sigmoid", at.x))


@emits(HardSilu)
def hard_silu(op: HardSilu, at: Emitting) -> Edge:
    return at.add("Mul", at.x, at.add("HardSigmoid", at.x, alpha=1 / 6, beta=0.5))


@emits(HardSilu, since=14)
def hard_swish(op: HardSilu, at: Emitting) -> Edge:
    return at.add("HardSwish", at.x)


@emits(Gelu)
def composed_gelu(op: Gelu, at: Emitting) -> Edge:
    """Spelt as runtimes know it again, to make one kernel of it."""
    x = at.x
    if op.approximate:
        cube = at.add("Mul", at.add("Mul", x, at.add("Mul", x, x)), at.number(0.044715))
        inner = at.add("Mul", at.add("Add", x, cube), at.number(math.sqrt(2 / math.pi)))
        whole = at.add("Tanh", inner)
    else:
        whole = at.add("Erf", at.add("Div", x, at.number(math.sqrt(2))))
    share = at.add("Add", whole, at.number(1))
    return at.add("Mul", at.add("Mul", x, share), at.number(0.5))


@emits(Gelu, since=20)
def gelu(op: Gelu, at: Emitting) -> Edge:
    return at.add("Gelu", at.x, approximate="tanh" if op.approximate else None)


@emits(Mish)
def composed_mish(op: Mish, at: Emitting) -> Edge:
    return at.add("Mul", at.x, at.add("Tanh", at.add("Softplus", at.x)))


@emits(Mish, since=18)
def mish(op: Mish, at: Emitting) -> Edge:
    return at.add("Mish", at.x)


@emits(Celu)
def celu(op: Celu, at: Emitting) -> Edge:
    return at.add("Celu", at.x, alpha=op.alpha)


@emits(LogSigmoid)
def log_sigmoid(op: LogSigmoid, at: Emitting) -> Edge:
    return at.add("Neg", at.add("Softplus", at.add("Neg", at.x)))


@emits(TanhShrink)
def tanh_shrink(op: TanhShrink, at: Emitting) -> Edge:
    return at.add("Sub", at.x, at.add("Tanh", at.x))


@emits(ThresholdedLinear)
def thresholded_linear(op: ThresholdedLinear, at: Emitting) -> Edge:
    small = at.add("Less", at.add("Abs", at.x), at.number(op.theta), dtype="bool")
    return at.add("Where", small, at.number(0), at.x, dtype=at.x.dtype, shape=at.x.shape)


@emits(HardShrink)
def hard_shrink(op: HardShrink, at: Emitting) -> Edge:
    return at.add("Shrink", at.x, lambd=op.threshold)


@emits(SoftShrink)
def soft_shrink(op: SoftShrink, at: Emitting) -> Edge:
    if op.threshold >= 0:
        return at.add("Shrink", at.x, lambd=op.threshold, bias=op.threshold)
    longer = at.add("Sub", at.add("Abs", at.x), at.number(op.threshold))
    return at.add("Mul", at.add("Sign", at.x), longer)


@emits(SquarePlus)
def square_plus(op: SquarePlus, at: Emitting) -> Edge:
    square = at.add("Add", at.add("Mul", at.x, at.x), at.number(op.b))
    return at.add("Mul", at.add("Add", at.x, at.add("Sqrt", square)), at.number(0.5))


@emits(SparsePlus)
def sparse_plus(op: SparsePlus, at: Emitting) -> Edge:
    above = at.add("Relu", at.add("Add", at.x, at.number(1)))
    bent = at.add("Mul", at.add("Mul", above, above), at.number(0.25))
    low = at.add("Less", at.x, at.number(1), dtype="bool")
    return at.add("Where", low, bent, at.x, dtype=at.dtype)


@emits(Clip)
def clip(op: Clip, at: Emitting) -> Edge:
    if op.low is None and op.high is None:
        return at.x
    bounds = (None if bound is None else at.number(bound) for bound in (op.low, op.high))
    return at.add("Clip", at.x, *bounds, shape=at.x.shape)


# ---- along axes ----------------------------------------------------------------------------


@emits(Softmax)
def softmax(op: Softmax, at: Emitting) -> Edge:
    if at.count("axis") == 1:
        return at.add("Softmax", at.x, axis=at.settled.position("axis"))
    exponential = at.add("Exp", _below_zero(op, at))
    total = at.reduce("ReduceSum", exponential, at.settled.positions("axis"), keepdims=True)
    return at.add("Div", exponential, total)


@emits(LogSoftmax)
def log_softmax(op: LogSoftmax, at: Emitting) -> Edge:
    if at.count("axis") == 1:
        return at.add("LogSoftmax", at.x, axis=at.settled.position("axis"))
    x = _below_zero(op, at)
    axes = at.settled.positions("axis")
    total = at.reduce("ReduceSum", at.add("Exp", x), axes, keepdims=True)
    return at.add("Sub", x, at.add("Log", total))


def _below_zero(op: AlongAxis, at: Emitting) -> Edge:
    """Without the largest number, so that none is too large for an exponential."""
    largest = at.reduce("ReduceMax", at.x, at.settled.positions("axis"), keepdims=True)
    return at.add("Sub", at.x, largest)


@emits(Sparsemax)
def sparsemax(op: Sparsemax, at: Emitting) -> Edge:
    own, size = at.settled.positions("axis"), at.size("axis")
    if len(own) == 1:
        return _sparse(at, at.x, own[0], size)
    rest = tuple(axis for axis in range(len(at.x.shape)) if axis not in own)
    turned = at.permuted(at.x, (*rest, *own))
    flat = at.reshape(turned, (*turned.shape[: len(rest)], size))
    y = at.reshape(_sparse(at, flat, len(rest), size), turned.shape)
    return at.permuted(y, [(*rest, *own).index(place) for place in range(len(at.x.shape))])


def _sparse(at: Emitting, x: Edge, axis: int, size: int) -> Edge:
    """Sparsemax along one dimension.

    The k largest numbers remain if k times the k-th, plus 1, is above their sum; the threshold is
    what their running sums together have above 1, shared among them.
    """
    falling = Edge(f"{at.name}/TopK", at.dtype, x.shape)
    places = Edge(f"{at.name}/TopK", "int64", x.shape)
    at.place("TopK", (x, at.constant([size], wish="size")), (falling, places), axis=axis)
    where = at.constant([axis], "int64", (), wish="axis")
    total = at.add("CumSum", falling, where, shape=x.shape)
    counts = [float(count) for count in range(1, size + 1)]
    behind = (1,) * (len(x.shape) - axis - 1)
    ranks = at.constant(counts, at.dtype, (size, *behind), wish="ranks")
    scaled = at.add("Add", at.add("Mul", falling, ranks), at.number(1))
    above = at.cast(at.add("Greater", scaled, total, dtype="bool"), at.dtype)
    count = at.reduce("ReduceSum", above, [axis], keepdims=True)
    sum_above = at.reduce("ReduceSum", at.add("Mul", total, above), [axis], keepdims=True)
    threshold = at.add("Div", at.add("Sub", sum_above, at.number(1)), count)
    return at.add("Relu", at.add("Sub", x, threshold))


# ---- with weights --------------------------------------------------------------------------


@emits(PRelu)
def prelu(op: PRelu, at: Emitting) -> Edge:
    return at.add("PRelu", at.x, at.along("alpha"), shape=at.x.shape)


@emits(ParametricSoftplus)
def parametric_softplus(op: ParametricSoftplus, at: Emitting) -> Edge:
    inner = at.add("Mul", at.x, at.along("beta"))
    return at.add("Mul", at.add("Softplus", inner), at.along("alpha"))


@emits(SRelu)
def srelu(op: SRelu, at: Emitting) -> Edge:
    """t_left + min(prelu(z), b) + a_right * relu(z - b), z = x - t_left, b = |t_right|.

    Where only what is positive is clipped: min(relu(z), b) + (prelu(z) - relu(z)) in the middle.
    """
    right, layout = at.settled.node.params["t_right"], at.settled.params["t_right"]
    width = combined(f"{at.name}/width", layout, "magnitude", abs, right)
    left, bound = at.along("t_left"), at.met(width, layout)
    z = at.add("Sub", at.x, left)
    bent = at.add("PRelu", z, at.along("a_left"), shape=z.shape)
    if op.clips_left:
        inner = at.add("Min", bent, bound)
    else:  # bent and plain differ below zero alone
        plain = at.add("Relu", z)
        inner = at.add("Add", at.add("Min", plain, bound), at.add("Sub", bent, plain))
    outer = at.add("Relu", at.add("Sub", z, bound))
    return at.add("Sum", left, inner, at.add("Mul", outer, at.along("a_right")))
