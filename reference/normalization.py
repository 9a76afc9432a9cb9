"""Normalizations."""

from __future__ import annotations

import numpy as np

from ..ir.ops.normalization import BatchNorm
from .computing import Computing, Results
from .registry import computes


@computes(BatchNorm)
def batch_norm(op: BatchNorm, at: Computing) -> Results:
    y = (at.x - at.along("mean")) / np.sqrt(at.along("variance") + op.epsilon)
    if at.has("gamma"):
        y = y * at.along("gamma")
    if at.has("beta"):
        y = y + at.along("beta")
    return (y,)
