"""Normalizations."""

from __future__ import annotations

from collections.abc import Sequence

from ....ir.ops.normalization import BatchNorm, BatchStatisticsNorm, SampleNorm
from ..dims import product
from ..draft import Edge
from ..emitting import Emitting
from ..registry import emits


@emits(BatchNorm)
def batch_norm(op: BatchNorm, at: Emitting) -> Edge:
    """`BatchNormalization`, whose axis is the second: what is before it is one dimension here.

    A Reshape on either side costs nothing when the model runs, and keeps the four weights as they
    are: a `Mul` and an `Add` would need numbers that no file has.
    """
    layout = at.settled.params["mean"]
    axis = at.settled.position("axis")
    gamma, beta = at.optional("gamma"), at.optional("beta")
    gamma = at.filled("gamma", 1, layout) if gamma is None else gamma
    beta = at.filled("beta", 0, layout) if beta is None else beta
    mean, variance = at.param("mean"), at.param("variance")
    shape = at.x.shape
    x = at.x if axis == 1 else at.reshape(at.x, (product(shape[:axis]), *shape[axis:]))
    y = at.add(
        "BatchNormalization", x, gamma, beta, mean, variance, shape=x.shape, epsilon=op.epsilon
    )
    return y if axis == 1 else at.reshape(y, shape)


@emits(SampleNorm)
def sample_norm(op: SampleNorm, at: Emitting) -> Edge:
    centred, deviation = _statistics(at, at.settled.positions("axis"), op.epsilon)
    deviation = at.add("Add", deviation, at.number(op.epsilon))
    return _scaled(at, at.add("Div", centred, deviation))


@emits(BatchStatisticsNorm)
def batch_statistics_norm(op: BatchStatisticsNorm, at: Emitting) -> Edge:
    own = at.settled.positions("axis")
    along = [axis for axis in range(len(at.x.shape)) if axis not in own]
    centred, deviation = _statistics(at, along, op.epsilon)
    return _scaled(at, at.add("Div", centred, deviation))


def _statistics(at: Emitting, along: Sequence[int], epsilon: float) -> tuple[Edge, Edge]:
    """What is left without the mean, and sqrt(variance + epsilon)."""
    centred = at.add("Sub", at.x, at.reduce("ReduceMean", at.x, along, keepdims=True))
    square = at.add("Mul", centred, centred)
    variance = at.reduce("ReduceMean", square, along, keepdims=True)
    return centred, at.add("Sqrt", at.add("Add", variance, at.number(epsilon)))


def _scaled(at: Emitting, y: Edge) -> Edge:
    y = at.add("Mul", y, at.along("gamma")) if at.has("gamma") else y
    return at.add("Add", y, at.along("beta")) if at.has("beta") else y
