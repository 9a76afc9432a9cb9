"""Ops that only say in another way where a number stands."""

from __future__ import annotations

from ....ir.ops.shape import Repeat, Reshape, View
from ..draft import Edge
from ..emitting import Emitting
from ..moves import bring
from ..registry import emits


@emits(View)
def view(op: View, at: Emitting) -> Edge:
    return bring(at, at.x, at.settled.input, at.settled.results[0])


@emits(Reshape)
def reshape(op: Reshape, at: Emitting) -> Edge:
    return at.reshape(at.x, at.result_shape())


@emits(Repeat)
def repeat(op: Repeat, at: Emitting) -> Edge:
    count = at.count("batch")
    one = at.unsqueeze(at.x, count)
    rest = len(one.shape) - count - 1
    times = at.constant((*(1,) * count, at.size("time"), *(1,) * rest), wish="shape")
    return at.add("Expand", one, times, shape=at.result_shape())
