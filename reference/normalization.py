"""Normalizations."""

from __future__ import annotations

import numpy as np

from ..ir.ops.normalization import (
    BatchNorm,
    BatchStatisticsNorm,
    GroupNorm,
    LayerNorm,
    RMSNorm,
    SampleNorm,
    UnitNorm,
)
from ..ir.source import Array
from .computing import Computing, Results
from .registry import computes


@computes(BatchNorm)
def batch_norm(op: BatchNorm, at: Computing) -> Results:
    return (_scaled(at, (at.x - at.along("mean")) / np.sqrt(at.along("variance") + op.epsilon)),)


@computes(LayerNorm)
def layer_norm(op: LayerNorm, at: Computing) -> Results:
    along = at.settled.positions("axis")
    mean, variance = at.x.mean(along, keepdims=True), at.x.var(along, keepdims=True)
    return (_scaled(at, (at.x - mean) / np.sqrt(variance + op.epsilon)),)


@computes(RMSNorm)
def rms_norm(op: RMSNorm, at: Computing) -> Results:
    along = at.settled.positions("axis")
    y = at.x / np.sqrt(np.square(at.x).mean(along, keepdims=True) + op.epsilon)
    return (y * at.along("scale") if at.has("scale") else y,)


@computes(GroupNorm)
def group_norm(op: GroupNorm, at: Computing) -> Results:
    place = "(batch) (...) (groups in_group)"
    x = at.take(place)
    parts = x.reshape(*x.shape[:2], at.size("groups"), -1)
    mean, variance = parts.mean((1, 3), keepdims=True), parts.var((1, 3), keepdims=True)
    y = ((parts - mean) / np.sqrt(variance + op.epsilon)).reshape(x.shape)
    y = y * at.param("gamma") if at.has("gamma") else y
    return (at.give(y + at.param("beta") if at.has("beta") else y, place),)


@computes(UnitNorm)
def unit_norm(op: UnitNorm, at: Computing) -> Results:
    along = at.settled.positions("axis")
    length = np.sqrt(np.square(at.x).sum(along, keepdims=True))
    return (at.x / np.maximum(length, op.epsilon),)


@computes(SampleNorm)
def sample_norm(op: SampleNorm, at: Computing) -> Results:
    along = at.settled.positions("axis")
    mean, variance = at.x.mean(along, keepdims=True), at.x.var(along, keepdims=True)
    deviation = np.sqrt(variance + op.epsilon * op.under_root)
    return (_scaled(at, (at.x - mean) / (deviation + op.epsilon)),)


@computes(BatchStatisticsNorm)
def batch_statistics_norm(op: BatchStatisticsNorm, at: Computing) -> Results:
    axis = at.settled.positions("axis")
    along = tuple(index for index in range(at.x.ndim) if index not in axis)
    mean, variance = at.x.mean(along, keepdims=True), at.x.var(along, keepdims=True)
    return (_scaled(at, (at.x - mean) / np.sqrt(variance + op.epsilon)),)


def _scaled(at: Computing, y: Array) -> Array:
    y = y * at.along("gamma") if at.has("gamma") else y
    return y + at.along("beta") if at.has("beta") else y
