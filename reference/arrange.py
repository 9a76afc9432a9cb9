"""Ops that choose, repeat or pad elements by their position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..ir.layout import size_of
from ..ir.ops.arrange import Broadcast, Einsum, Extents, Gather, OneHot, Pad, Take, TopK, Triangle
from .computing import Computing, Results
from .registry import computes

MODES: Mapping[str, Any] = {
    "constant": "constant",
    "reflect": "reflect",
    "symmetric": "symmetric",
    "edge": "edge",
}
"""What NumPy calls each kind of padding."""


@computes(Take)
def take(op: Take, at: Computing) -> Results:
    return (at.x.take(op.indices, len(at.settled.bound["before"])),)


@computes(Gather)
def gather(op: Gather, at: Computing) -> Results:
    x, indices = at.x, at.input(1).astype(np.int64)
    axis = len(at.settled.bound["lead"]) + len(at.settled.bound["before"])
    if not op.batched:
        return (x.take(indices, axis),)
    lead = len(at.settled.bound["lead"])
    flat = x.reshape(-1, *x.shape[lead:])
    places = indices.reshape(-1, *indices.shape[lead:])
    found = np.stack([one.take(at, axis - lead) for one, at in zip(flat, places, strict=True)])
    return (found.reshape(*x.shape[:lead], *found.shape[1:]),)


@computes(Pad)
def pad(op: Pad, at: Computing) -> Results:
    more = {"constant_values": op.value} if op.mode == "constant" else {}
    return (np.pad(at.x, op.padding, MODES[op.mode], **more),)


@computes(Broadcast)
def broadcast(op: Broadcast, at: Computing) -> Results:
    known = at.sizes()
    sizes = [size_of(term, known) for term in at.settled.results[0].terms]
    shape = [at.x.shape[n] if size is None else size for n, size in enumerate(sizes)]
    return (np.broadcast_to(at.x, shape),)


@computes(OneHot)
def one_hot(op: OneHot, at: Computing) -> Results:
    found = at.x[..., None] == np.arange(at.size("classes"))
    return (found.astype(at.dtype),)


@computes(TopK)
def top_k(op: TopK, at: Computing) -> Results:
    order = np.argsort(at.x if op.least else -at.x, -1, kind="stable")[..., : at.size("chosen")]
    return np.take_along_axis(at.x, order, -1), order.astype(np.int32)


@computes(Triangle)
def triangle(op: Triangle, at: Computing) -> Results:
    return ((np.triu if op.upper else np.tril)(at.x, op.diagonal),)


@computes(Einsum)
def einsum(op: Einsum, at: Computing) -> Results:
    return (np.einsum(op.equation, *(array for array in at.arrays if array is not None)),)


@computes(Extents)
def extents(op: Extents, at: Computing) -> Results:
    return (np.array(at.x.shape, at.settled.node.result.dtype),)
