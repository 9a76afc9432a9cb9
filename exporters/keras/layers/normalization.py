"""Normalizations."""

from __future__ import annotations

from ....ir.ops.normalization import BatchNorm
from ..registry import writes
from ..site import Site

STORED = {"gamma": "gamma", "beta": "beta", "mean": "moving_mean", "variance": "moving_variance"}
"""What Keras calls the op's parameters, in the order in which it stores them."""


@writes(BatchNorm, attributes="epsilon")
def batch_norm(site: Site) -> None:
    """BatchNormalization; its axis counted from the end where it is the last."""
    op, x = site.op, site.x()
    assert isinstance(op, BatchNorm)
    if len(site.settled.bound["axis"]) != 1:
        raise site.refuse("normalization along several axes at once is tf.keras' alone")
    repeats = site.own_repeats()
    axis = site.axis("axis") - repeats
    last = axis == len(site.seen(site.settled.input)) - 1 - repeats
    params = site.settled.node.params
    config = {
        "axis": -1 if last else axis,
        "epsilon": op.epsilon,
        "center": "beta" in params,
        "scale": "gamma" in params,
    }
    arrays = [
        site.array(name, port, trains=port in {"gamma", "beta"})
        for port, name in STORED.items()
    ]
    y = site.put("BatchNormalization", config, [x], arrays=arrays, repeats=repeats, mask=x.mask)
    site.give(y)
