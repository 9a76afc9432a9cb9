"""Embedding and masks. Keras carries masks along with values: they need no layer of their own."""

from __future__ import annotations

from ....ir.ops.embedding import Embedding, Masking
from ..registry import writes
from ..site import Site


@writes(Embedding)
def embedding(site: Site) -> None:
    """Embedding; `mask_zero` where a mask is made of its indices."""
    mask = site.emission.masks.get(site.layer) if site.layer else None
    stated = site.layer.config.get("mask_zero") if site.layer else None
    config = {
        "input_dim": site.size("vocabulary"),
        "output_dim": site.size("features"),
        "mask_zero": bool(stated) or mask is not None,
    }
    table = site.array("embeddings", "embeddings")
    repeats = site.own_repeats()
    y = site.put("Embedding", config, [site.x()], arrays=[table], repeats=repeats, mask=mask)
    site.give(y)


@writes(Masking, attributes="mask_value")
def masking(site: Site) -> None:
    """Masking; for each step by itself where no mask is seen outside, and nobody wants one."""
    op = site.op
    assert isinstance(op, Masking)
    mask = site.settled.node.results[1]
    hidden = site.dialect.masks_past_steps and not site.emission.is_read(mask)
    repeats = site.own_repeats() if hidden else 0
    config = {"mask_value": op.mask_value}
    y = site.put("Masking", config, [site.x()], repeats=repeats, mask=mask)
    site.give(y)
