"""Normalizations."""

from __future__ import annotations

from ....ir.ops.normalization import BatchNorm
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
