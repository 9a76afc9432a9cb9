"""Normalizations."""

from __future__ import annotations

import numpy as np

from ..ir.ops.normalization import BatchNorm, BatchStatisticsNorm, SampleNorm
from ..ir.source import Array
from .computing import Computing, Results
from .registry import computes


@computes(BatchNorm)
def batch_norm(op: BatchNorm, at: Computing) -> Results:
    return (_scaled(at, (at.x - at.along("mean")) / np.sqrt(at.along("variance") + op.epsilon)),)


@computes(SampleNorm)
def sample_norm(op: SampleNorm, at: Computing) -> Results:
    along = at.settled.positions("axis")
    mean, variance = at.x.mean(along, keepdims=True), at.x.var(along, keepdims=True)
    return (_scaled(at, (at.x - mean) / (np.sqrt(variance + op.epsilon) + op.epsilon)),)


@computes(BatchStatisticsNorm)
def batch_statistics_norm(op: BatchStatisticsNorm, at: Computing) -> Results:
    axis = at.settled.positions("axis")
    along = tuple(index for index in range(at.x.ndim) if index not in axis)
    mean, variance = at.x.mean(along, keepdims=True), at.x.var(along, keepdims=True)
    return (_scaled(at, (at.x - mean) / np.sqrt(variance + op.epsilon)),)


def _scaled(at: Computing, y: Array) -> Array:
    y = y * at.along("gamma") if at.has("gamma") else y
    return y + at.along("beta") if at.has("beta") else y
