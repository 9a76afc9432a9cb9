"""Dense."""

from __future__ import annotations

from ....ir.ops.dense import Dense
from ..registry import writes
from ..site import Site
from .activation import fused


@writes(Dense)
def dense(site: Site) -> None:
    """Dense over the last axis, whatever is before it."""
    x = site.x()
    config = {
        "units": site.size("units"),
        "use_bias": "bias" in site.settled.node.params,
        "activation": fused(site),
    }
    arrays = [site.array("kernel", "kernel"), site.array("bias", "bias")]
    repeats = site.own_repeats()
    site.give(site.put("Dense", config, [x], arrays=arrays, repeats=repeats, mask=x.mask))
