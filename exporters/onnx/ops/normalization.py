"""Normalizations."""

from __future__ import annotations

from collections.abc import Sequence

from ....ir.layout import Axis, Layout, find, fuse
from ....ir.ops.normalization import (
    BatchNorm,
    BatchStatisticsNorm,
    GroupNorm,
    LayerNorm,
    RMSNorm,
    SampleNorm,
    UnitNorm,
)
from ....passes.scalings import scaling_of
from ..dims import product
from ..draft import Edge
from ..emitting import Emitting
from ..registry import emits


@emits(BatchNorm)
def batch_norm(op: BatchNorm, at: Emitting) -> Edge:
    """`BatchNormalization`, whose axis is the second: what is before it is one dimension here.

    A Reshape on either side costs nothing when the model runs, and keeps the four weights as they
    are. A `Mul` and an `Add` were measured to take ONNX Runtime twice as long.
    """
    if at.count("axis") != 1:
        return _over_several(at)
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


def _over_several(at: Emitting) -> Edge:
    """Statistics along several axes, or none: a `Mul` and an `Add`, of numbers computed here."""
    scaling = scaling_of(at.settled.node)
    assert scaling is not None  # of a BatchNorm
    layout = at.settled.params["mean"]
    y = at.add("Mul", at.x, at.met(scaling.scale, layout))
    return y if scaling.shift is None else at.add("Add", y, at.met(scaling.shift, layout))


@emits(SampleNorm)
def sample_norm(op: SampleNorm, at: Emitting) -> Edge:
    raised = op.epsilon * op.under_root
    centred, deviation = _statistics(at, at.settled.positions("axis"), raised)
    deviation = at.add("Add", deviation, at.number(op.epsilon))
    return _scaled(at, at.add("Div", centred, deviation))


@emits(BatchStatisticsNorm)
def batch_statistics_norm(op: BatchStatisticsNorm, at: Emitting) -> Edge:
    own = at.settled.positions("axis")
    along = [axis for axis in range(len(at.x.shape)) if axis not in own]
    centred, deviation = _statistics(at, along, op.epsilon)
    return _scaled(at, at.add("Div", centred, deviation))


@emits(LayerNorm)
def composed_layer_norm(op: LayerNorm, at: Emitting) -> Edge:
    return _normalized(at, op.epsilon)


@emits(LayerNorm, since=17)
def layer_norm(op: LayerNorm, at: Emitting) -> Edge:
    """ONNX normalizes the last dimensions only."""
    if not _are_last(at):
        return _normalized(at, op.epsilon)
    along = at.settled.positions("axis")
    layout = Layout(at.settled.bound["axis"])
    gamma = at.optional("gamma")
    gamma = at.filled("gamma", 1, layout) if gamma is None else gamma
    return at.add(
        "LayerNormalization",
        at.x,
        gamma,
        at.optional("beta"),
        shape=at.x.shape,
        axis=along[0],
        epsilon=op.epsilon,
    )


@emits(RMSNorm)
def rms_norm(op: RMSNorm, at: Emitting) -> Edge:
    """ONNX has `RMSNormalization` since opset 23, which ONNX Runtime may not run."""
    square = at.add("Mul", at.x, at.x)
    mean = at.reduce("ReduceMean", square, at.settled.positions("axis"), keepdims=True)
    y = at.add("Div", at.x, at.add("Sqrt", at.add("Add", mean, at.number(op.epsilon))))
    return at.add("Mul", y, at.along("scale")) if at.has("scale") else y


@emits(GroupNorm)
def group_norm(op: GroupNorm, at: Emitting) -> Edge:
    """Groups are the channels of an `InstanceNormalization`, if they come right behind the batch.

    ONNX' own `GroupNormalization` means by its weights what Keras does since opset 21 only, and
    runtimes take it apart again.
    """
    groups, inner = at.size("groups"), at.size("in_group")
    batch, place = at.settled.positions("batch"), _place_of_groups(at)
    shape = at.x.shape
    if (*batch, place) == tuple(range(len(batch) + 1)):
        rest = product((inner, *shape[place + 1 :]))
        x = at.reshape(at.x, (product(shape[:place]), groups, rest))
        layout = Layout.of(Axis("G", groups))
        ones, zeros = at.filled("ones", 1, layout), at.filled("zeros", 0, layout)
        y = at.add("InstanceNormalization", x, ones, zeros, shape=x.shape, epsilon=op.epsilon)
        return _scaled(at, at.reshape(y, shape))
    x = at.reshape(at.x, (*shape[:place], groups, inner, *shape[place + 1 :]))
    kept = {place, *(axis + (axis > place) for axis in batch)}
    along = [axis for axis in range(len(x.shape)) if axis not in kept]
    centred, deviation = _statistics(at, along, op.epsilon, x)
    return _scaled(at, at.reshape(at.add("Div", centred, deviation), shape))


@emits(UnitNorm)
def unit_norm(op: UnitNorm, at: Emitting) -> Edge:
    length = at.reduce("ReduceL2", at.x, at.settled.positions("axis"), keepdims=True)
    return at.add("Div", at.x, at.add("Max", length, at.number(op.epsilon)))


def _normalized(at: Emitting, epsilon: float) -> Edge:
    centred, deviation = _statistics(at, at.settled.positions("axis"), epsilon)
    return _scaled(at, at.add("Div", centred, deviation))


def _are_last(at: Emitting) -> bool:
    """Whether the axes are the last dimensions, in order."""
    along, rank = at.settled.positions("axis"), len(at.x.shape)
    return along == tuple(range(rank - len(along), rank))


def _place_of_groups(at: Emitting) -> int:
    """Which dimension the channels are: the one that groups and what is in them are fused in."""
    bound = at.settled.bound
    return find(at.settled.input.terms, fuse((*bound["groups"], *bound["in_group"])))


def _statistics(
    at: Emitting, along: Sequence[int], epsilon: float, x: Edge | None = None
) -> tuple[Edge, Edge]:
    """What is left of the input without the mean, and sqrt(variance + epsilon)."""
    x = at.x if x is None else x
    centred = at.add("Sub", x, at.reduce("ReduceMean", x, along, keepdims=True))
    square = at.add("Mul", centred, centred)
    variance = at.reduce("ReduceMean", square, along, keepdims=True)
    raised = at.add("Add", variance, at.number(epsilon)) if epsilon else variance
    return centred, at.add("Sqrt", raised)


def _scaled(at: Emitting, y: Edge) -> Edge:
    y = at.add("Mul", y, at.along("gamma")) if at.has("gamma") else y
    return at.add("Add", y, at.along("beta")) if at.has("beta") else y
