"""Normalizations."""

from __future__ import annotations

from ....ir.ops.normalization import BatchNorm
from ....ir.source import MappedSource
from ....ir.tensor import Param, Weight
from ..network import Array
from ..registry import writes
from ..site import Site

STORED = {"gamma": "gamma", "beta": "beta", "mean": "moving_mean", "variance": "moving_variance"}
"""What Keras calls the op's parameters, in the order in which it stores them."""

SMALLEST, RAISED = 1e-5, 1.1e-5
"""The smallest epsilon that Keras 2.2.4 takes on Theano (`theano_backend.batch_normalization`), and
what smaller ones are raised to: TensorFlow takes 1.001e-5 for anything below that."""


@writes(BatchNorm, attributes="epsilon")
def batch_norm(site: Site) -> None:
    """BatchNormalization; its axis counted from the end where it is the last.

    An epsilon too small for the target is raised and the variance lowered by as much.
    """
    op, x = site.op, site.x()
    assert isinstance(op, BatchNorm)
    if len(site.settled.bound["axis"]) != 1:
        raise site.refuse("normalization along several axes at once is tf.keras' alone")
    repeats = site.own_repeats()
    axis = site.axis("axis") - repeats
    rank = len(site.seen(site.settled.input)) - repeats
    params = site.settled.node.params
    epsilon = op.epsilon if op.epsilon >= SMALLEST else RAISED
    config = {
        "axis": site.number(axis, rank),
        "epsilon": epsilon,
        "center": "beta" in params,
        "scale": "gamma" in params,
    }
    arrays = [
        site.array(name, port, trains=port in {"gamma", "beta"}) for port, name in STORED.items()
    ]
    if epsilon != op.epsilon:
        site.tell("KN303", "changed", f"epsilon {op.epsilon} raised to {epsilon}, variance lowered")
        arrays[-1] = _shifted(site, arrays[-1], op.epsilon - epsilon)
    y = site.put("BatchNormalization", config, [x], arrays=arrays, repeats=repeats, mask=x.mask)
    site.give(y)


def _shifted(site: Site, array: Array | None, by: float) -> Array:
    assert array is not None  # a variance is no optional parameter

    def shift(weight: Weight) -> Weight:
        sources = tuple(MappedSource(source, lambda held: held + by) for source in weight.sources)
        return Weight(weight.name, sources, trainable=weight.trainable)

    made = site.emission.derived(array.param.weight, f"shifted by {by}", shift)
    param = Param(made, array.param.stored)
    return Array(array.name, param, array.layout, array.trains, parts=(array,))
