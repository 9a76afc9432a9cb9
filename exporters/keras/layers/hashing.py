"""Hashing and HashedCrossing, which TensorFlow computes for all of Keras' backends."""

from __future__ import annotations

from ....ir.ops.hashing import Hash, HashCross
from ..registry import writes
from ..site import Site

SIGNED = 2**63
"""From which number on TensorFlow has a half of a key as a negative one."""


@writes(Hash, attributes="bins key masked")
def hashing(site: Site) -> None:
    """Hashing that gives the bins by their numbers."""
    op = site.op
    assert isinstance(op, Hash)
    salt = None if op.key is None else [_signed(half) for half in op.key]
    config = {"num_bins": op.bins, "mask_value": op.masked, "salt": salt, "output_mode": "int"}
    site.give(site.put("Hashing", config, [site.x()]))


def _signed(half: int) -> int:
    return half - 2 * SIGNED if half >= SIGNED else half


@writes(HashCross, attributes="bins")
def hashed_crossing(site: Site) -> None:
    """HashedCrossing that gives the bins by their numbers."""
    op = site.op
    assert isinstance(op, HashCross)
    site.give(site.put("HashedCrossing", {"num_bins": op.bins, "output_mode": "int"}, site.all()))
