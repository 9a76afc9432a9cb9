"""Element-wise functions and softmax, written so that no large number overflows."""

from __future__ import annotations

import math

import numpy as np

from ..ir.ops.activation import (
    Abs,
    Affine,
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
from ..ir.source import Array
from .computing import Computing, Results
from .registry import computes, elementwise

SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772


@elementwise(Linear)
def linear(op: Linear, x: Array) -> Array:
    return x


@elementwise(TrainingOnly)
def training_only(op: TrainingOnly, x: Array) -> Array:
    return x


@elementwise(Relu)
def relu(op: Relu, x: Array) -> Array:
    top = x if op.max_value is None else np.minimum(x, op.max_value)
    return np.where(x >= op.threshold, top, op.negative_slope * (x - op.threshold))


@elementwise(LeakyRelu)
def leaky_relu(op: LeakyRelu, x: Array) -> Array:
    return np.where(x > 0, x, op.negative_slope * x)


@elementwise(Elu)
def elu(op: Elu, x: Array) -> Array:
    return np.where(x > 0, x, op.alpha * np.expm1(np.minimum(x, 0)))


@elementwise(Selu)
def selu(op: Selu, x: Array) -> Array:
    return SELU_SCALE * elu(Elu(alpha=SELU_ALPHA), x)


@elementwise(ThresholdedRelu)
def thresholded_relu(op: ThresholdedRelu, x: Array) -> Array:
    return np.where(x > op.theta, x, np.zeros_like(x))


@elementwise(Sigmoid)
def sigmoid(op: Sigmoid, x: Array) -> Array:
    small = np.exp(-np.abs(x))
    y: Array = np.where(x >= 0, 1, small) / (1 + small)
    return y


@elementwise(HardSigmoid)
def hard_sigmoid(op: HardSigmoid, x: Array) -> Array:
    return np.clip(op.slope * x + op.shift, 0, 1)


@elementwise(Tanh)
def tanh(op: Tanh, x: Array) -> Array:
    return np.tanh(x)


@elementwise(Softplus)
def softplus(op: Softplus, x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


@elementwise(Softsign)
def softsign(op: Softsign, x: Array) -> Array:
    y: Array = x / (1 + np.abs(x))
    return y


@elementwise(Exponential)
def exponential(op: Exponential, x: Array) -> Array:
    return np.exp(x)


@elementwise(Silu)
def silu(op: Silu, x: Array) -> Array:
    return x * sigmoid(Sigmoid(), x)


@elementwise(HardSilu)
def hard_silu(op: HardSilu, x: Array) -> Array:
    return x * np.clip(x / 6 + 0.5, 0, 1)


@elementwise(Gelu)
def gelu(op: Gelu, x: Array) -> Array:
    if op.approximate:
        share: Array = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
    else:
        share = _ERF(x / math.sqrt(2)).astype(x.dtype)
    y: Array = 0.5 * x * (1 + share)
    return y


_ERF = np.vectorize(math.erf, otypes=[np.float64])


@elementwise(Mish)
def mish(op: Mish, x: Array) -> Array:
    return x * np.tanh(softplus(Softplus(), x))


@elementwise(Celu)
def celu(op: Celu, x: Array) -> Array:
    return np.where(x > 0, x, op.alpha * np.expm1(np.minimum(x, 0) / op.alpha))


@elementwise(LogSigmoid)
def log_sigmoid(op: LogSigmoid, x: Array) -> Array:
    return -softplus(Softplus(), -x)


@elementwise(TanhShrink)
def tanh_shrink(op: TanhShrink, x: Array) -> Array:
    return x - np.tanh(x)


@elementwise(ThresholdedLinear)
def thresholded_linear(op: ThresholdedLinear, x: Array) -> Array:
    return np.where(np.abs(x) < op.theta, np.zeros_like(x), x)


@elementwise(HardShrink)
def hard_shrink(op: HardShrink, x: Array) -> Array:
    return np.where(np.abs(x) > op.threshold, x, np.zeros_like(x))


@elementwise(SoftShrink)
def soft_shrink(op: SoftShrink, x: Array) -> Array:
    y: Array = np.sign(x) * np.maximum(np.abs(x) - op.threshold, 0)
    return y


@elementwise(SquarePlus)
def square_plus(op: SquarePlus, x: Array) -> Array:
    return (x + np.hypot(x, math.sqrt(op.b))) / 2


@elementwise(SparsePlus)
def sparse_plus(op: SparsePlus, x: Array) -> Array:
    return np.where(x < 1, np.square(np.maximum(x + 1, 0)) / 4, x)


@elementwise(Affine)
def affine(op: Affine, x: Array) -> Array:
    return op.scale * x + op.offset


@elementwise(Power)
def power(op: Power, x: Array) -> Array:
    y: Array = np.power(x, np.asarray(op.exponent, x.dtype))
    return y


@elementwise(Abs)
def absolute(op: Abs, x: Array) -> Array:
    return np.abs(x)


@elementwise(Log)
def log(op: Log, x: Array) -> Array:
    return np.log(x)


@elementwise(Clip)
def clip(op: Clip, x: Array) -> Array:
    top = x if op.low is None else np.maximum(x, op.low)
    return top if op.high is None else np.minimum(top, op.high)


@computes(Softmax)
def softmax(op: Softmax, at: Computing) -> Results:
    return (normalized(at.x, at.settled.positions("axis")),)


def normalized(x: Array, axes: tuple[int, ...]) -> Array:
    """Softmax along these dimensions."""
    y = np.exp(x - x.max(axes, keepdims=True))
    found: Array = y / y.sum(axes, keepdims=True)
    return found


@computes(LogSoftmax)
def log_softmax(op: LogSoftmax, at: Computing) -> Results:
    axes = at.settled.positions("axis")
    y = at.x - at.x.max(axes, keepdims=True)
    return (y - np.log(np.exp(y).sum(axes, keepdims=True)),)


@computes(Sparsemax)
def sparsemax(op: Sparsemax, at: Computing) -> Results:
    x = at.take("... (axis)")
    falling = -np.sort(-x, -1)
    total = falling.cumsum(-1)
    counts = np.arange(1, x.shape[-1] + 1)
    remain = falling * counts + 1 > total
    sums = np.where(remain, total, 0).sum(-1, keepdims=True)
    threshold = (sums - 1) / remain.sum(-1, keepdims=True)
    return (at.give(np.maximum(x - threshold, 0), "... (axis)"),)


@computes(PRelu)
def prelu(op: PRelu, at: Computing) -> Results:
    return (np.where(at.x > 0, at.x, at.along("alpha") * at.x),)


@computes(ParametricSoftplus)
def parametric_softplus(op: ParametricSoftplus, at: Computing) -> Results:
    return (at.along("alpha") * np.logaddexp(0, at.along("beta") * at.x),)


@computes(SRelu)
def srelu(op: SRelu, at: Computing) -> Results:
    left = at.along("t_left")
    right = left + np.abs(at.along("t_right"))
    z = at.x - left
    below = at.along("a_left") * np.minimum(z, 0)
    if op.clips_left:
        inner = np.minimum(np.maximum(z, 0) + below, right - left)
    else:
        inner = np.minimum(np.maximum(z, 0), right - left) + below
    return (left + inner + at.along("a_right") * np.maximum(at.x - right, 0),)
