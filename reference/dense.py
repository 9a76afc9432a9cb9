"""Dense."""

from __future__ import annotations

import numpy as np

from ..ir.ops.dense import Dense
from .computing import Computing, Results
from .registry import computes


@computes(Dense)
def dense(op: Dense, at: Computing) -> Results:
    y = np.tensordot(at.take("... features"), at.param("kernel"), 1)
    if at.has("bias"):
        y += at.param("bias")
    return (at.give(y, "... units"),)
