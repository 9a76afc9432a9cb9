"""Ops that only say in another way where a number stands."""

from __future__ import annotations

import numpy as np

from ..ir.copyplan import rearrange
from ..ir.layout import size_of
from ..ir.ops.shape import Repeat, Reshape, View
from .computing import Computing, Results
from .registry import computes


@computes(View)
def view(op: View, at: Computing) -> Results:
    return (rearrange(at.x, at.layout, at.settled.results[0]),)


@computes(Reshape)
def reshape(op: Reshape, at: Computing) -> Results:
    known = at.sizes()
    sizes = [size_of(term, known) for term in at.settled.results[0].terms]
    return (at.x.reshape([-1 if size is None else size for size in sizes]),)


@computes(Repeat)
def repeat(op: Repeat, at: Computing) -> Results:
    x = at.take("(batch) 1 features")
    return (at.give(np.repeat(x, at.size("time"), 1), "(batch) time features"),)
