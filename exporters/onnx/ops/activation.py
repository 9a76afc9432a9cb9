"""Element-wise functions and softmax: one operator each, where ONNX has it."""

from __future__ import annotations

from ....ir.ops.activation import (
    Elu,
    Exponential,
    HardSigmoid,
    LeakyRelu,
    Linear,
    ParametricSoftplus,
    PRelu,
    Relu,
    Selu,
    Sigmoid,
    Softmax,
    Softplus,
    Softsign,
    SRelu,
    Tanh,
    ThresholdedRelu,
    TrainingOnly,
)
from ..draft import Edge
from ..emitting import Emitting
from ..registry import emits


@emits(Linear)
def linear(op: Linear, at: Emitting) -> Edge:
    return at.x


@emits(TrainingOnly)
def training_only(op: TrainingOnly, at: Emitting) -> Edge:
    return at.x


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


@emits(Softmax)
def softmax(op: Softmax, at: Emitting) -> Edge:
    return at.add("Softmax", at.x, axis=at.settled.position("axis"))


@emits(PRelu)
def prelu(op: PRelu, at: Emitting) -> Edge:
    return at.add("PRelu", at.x, at.along("alpha"), shape=at.x.shape)


@emits(ParametricSoftplus)
def parametric_softplus(op: ParametricSoftplus, at: Emitting) -> Edge:
    inner = at.add("Mul", at.x, at.along("beta"))
    return at.add("Mul", at.add("Softplus", inner), at.along("alpha"))


@emits(SRelu)
def srelu(op: SRelu, at: Emitting) -> Edge:
    """With z = x - t_left and b = |t_right|: t_left + min(prelu(z), b) + a_right * relu(z - b)."""
    left, bound = at.along("t_left"), at.add("Abs", at.along("t_right"))
    z = at.add("Sub", at.x, left)
    inner = at.add("Min", at.add("PRelu", z, at.along("a_left"), shape=z.shape), bound)
    outer = at.add("Relu", at.add("Sub", z, bound))
    return at.add("Sum", left, inner, at.add("Mul", outer, at.along("a_right")))
