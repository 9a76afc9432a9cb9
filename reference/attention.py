"""Attention."""

from __future__ import annotations

import math

import numpy as np

from ..ir.ops.attention import Attention, MultiHeadAttention
from ..ir.source import Array
from .computing import Computing, Results
from .registry import computes

MASKED = -1e9
"""The score of what a mask leaves out."""


def softmax(scores: Array) -> Array:
    """exp(x) / sum of exp(x) along the last axis."""
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    found: Array = powers / powers.sum(-1, keepdims=True)
    return found


def _seen(steps: int, source: int, *, causal: bool, window: int | None = None) -> Array:
    """Which positions of the key each position of the query may look at."""
    apart = np.arange(steps)[:, None] - np.arange(source)
    seen = np.full(apart.shape, True) if not causal else apart >= 0
    found: Array = seen if window is None else seen & (abs(apart) < window)
    return found


@computes(Attention)
def attention(op: Attention, at: Computing) -> Results:
    query = at.take("(batch) (steps) (features)")
    value = at.take("(value_batch) (value_source) (columns)", 1)
    key = at.take("(key_batch) (key_source) (key_features)", 2) if at.fed(2) else value
    scores = _scores(op, at, query, key)
    allowed = _seen(*scores.shape[1:], causal=op.causal)
    if at.fed(4):
        allowed = allowed & at.input(4).reshape(len(scores), 1, -1)
    weights = softmax(np.where(allowed, scores, MASKED))
    y = weights @ value
    if at.fed(3):
        y = np.where(at.input(3).reshape(len(y), -1, 1), y, 0)
    return at.give(y, "(batch) (steps) (columns)"), at.give(weights, "(batch) (steps) (source)", 1)


def _scores(op: Attention, at: Computing, query: Array, key: Array) -> Array:
    scale = at.param("scale") if at.has("scale") else np.ones(())
    found: Array
    if op.score == "dot":
        found = scale * (query @ key.swapaxes(1, 2))
        return found
    both = query[:, :, None] + key[:, None]
    if op.score == "additive":
        found = (scale * np.tanh(both)).sum(-1)
    else:
        found = at.param("weight") * np.tanh(scale * both).sum(-1)
    return found


@computes(MultiHeadAttention)
def multi_head_attention(op: MultiHeadAttention, at: Computing) -> Results:
    place = "(batch) (rest) (steps) (features)"
    query = at.take(place)
    value = at.take("(value_batch) (value_rest) (value_source) (value_features)", 1)
    key = at.take("(key_batch) (key_rest) (key_source) (key_features)", 2) if at.fed(2) else value
    q = _projected(at, query, "query") / math.sqrt(at.size("head"))
    k, v = _projected(at, key, "key"), _projected(at, value, "value")
    repeats = q.shape[2] // k.shape[2]
    k, v = np.repeat(k, repeats, 2), np.repeat(v, repeats, 2)
    scores = q @ k.swapaxes(3, 4)
    allowed = _allowed(op, at, scores.shape)
    weights = softmax(np.where(allowed, scores, MASKED))
    if op.blind == "zero":
        weights = np.where(allowed, weights, 0)
    heads = weights @ v
    if at.has("gate_kernel"):
        heads = heads / (1 + np.exp(-_projected(at, query, "gate")))
    y = np.einsum("brhtd,hdo->brto", heads, at.param("output_kernel", "heads value_head (outputs)"))
    if at.has("output_bias"):
        y = y + at.param("output_bias", "(outputs)")
    return (
        at.give(y, "(batch) (rest) (steps) (outputs)"),
        at.give(weights, "(batch) (rest) heads (steps) (source)", 1),
    )


def _projected(at: Computing, x: Array, name: str) -> Array:
    """Batch, rest, heads, steps, and the numbers of a head."""
    y = np.einsum("brtf,fhd->brhtd", x, at.param(f"{name}_kernel"))
    if at.has(f"{name}_bias"):
        y = y + at.param(f"{name}_bias")[:, None]
    found: Array = y
    return found


def _allowed(op: MultiHeadAttention, at: Computing, shape: tuple[int, ...]) -> Array:
    """All masks together, in the shape of the scores."""
    batch, _, _, steps, source = shape
    allowed = _seen(steps, source, causal=op.causal, window=op.window)
    for index, place in ((3, (batch, 1, 1, -1, 1)), (4, (batch, 1, 1, 1, -1))):
        if at.fed(index):
            allowed = allowed & at.input(index).reshape(place)
    if at.fed(5):
        allowed = allowed & at.input(5).reshape(batch, 1, 1, 1, -1)
    if at.fed(6):
        allowed = allowed & _spread(at, shape)
    return allowed


def _spread(at: Computing, shape: tuple[int, ...]) -> Array:
    """The attention mask, its missing axes in front of those that are attended over.

    Of these, one of extent one holds for all positions.
    """
    mask = at.input(6).astype(bool)
    sizes = dict(zip(at.settled.layout_of(0).terms, at.x.shape, strict=True))
    source = dict(zip(at.settled.layout_of(1).terms, at.input(1).shape, strict=True))
    wide = [sizes[term] for term in at.settled.bound["steps"]]
    wide += [source[term] for term in at.settled.bound["value_source"]]
    own = [sizes[term] for name in ("batch", "rest") for term in at.settled.bound[name]]
    inner = 2 * len(at.settled.bound["steps"])
    missing = len(own) + 1 + inner - mask.ndim
    front, back = mask.shape[: mask.ndim - inner], mask.shape[mask.ndim - inner :]
    mask = mask.reshape(*front, *(1,) * missing, *back)
    found: Array = np.broadcast_to(mask, (*own, shape[2], *wide)).reshape(shape)
    return found
