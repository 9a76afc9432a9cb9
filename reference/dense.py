"""Dense."""

from __future__ import annotations

import numpy as np

from ..ir.ops.activation import Sigmoid
from ..ir.ops.dense import Dense, Highway, MaxoutDense
from .computing import Computing, Results
from .registry import apply, computes


@computes(Dense)
def dense(op: Dense, at: Computing) -> Results:
    y = np.tensordot(at.take("... features"), at.param("kernel"), 1)
    if at.has("bias"):
        y += at.param("bias")
    return (at.give(y, "... units"),)


@computes(Highway)
def highway(op: Highway, at: Computing) -> Results:
    x = at.take("... features")
    y, carry = np.tensordot(x, at.param("kernel"), 1), np.tensordot(x, at.param("carry_kernel"), 1)
    if at.has("bias"):
        y, carry = y + at.param("bias"), carry + at.param("carry_bias")
    gate = apply(Sigmoid(), carry)
    return (at.give(gate * apply(op.activation, y) + (1 - gate) * x, "... features"),)


@computes(MaxoutDense)
def maxout_dense(op: MaxoutDense, at: Computing) -> Results:
    y = np.tensordot(at.take("... features"), at.param("kernel", "features pieces units"), 1)
    if at.has("bias"):
        y += at.param("bias")
    return (at.give(y.max(-2), "... units"),)
