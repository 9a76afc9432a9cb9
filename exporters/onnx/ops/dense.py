"""Dense, and the linear maps of Keras 1 beside it."""

from __future__ import annotations

from ....ir.ops.activation import Sigmoid
from ....ir.ops.dense import Dense, Highway, MaxoutDense
from ..draft import Edge
from ..emitting import Emitting
from ..registry import emits


@emits(Dense)
def dense(op: Dense, at: Emitting) -> Edge:
    return _linear(at, at.param("kernel"), at.optional("bias"))


@emits(Highway)
def highway(op: Highway, at: Emitting) -> Edge:
    """Y = x + gate * (new - x): one operator less than gate * new + (1 - gate) * x."""
    new = _linear(at, at.param("kernel"), at.optional("bias"))
    gate = _linear(at, at.param("carry_kernel"), at.optional("carry_bias"))
    new, gate = at.apply(op.activation, new), at.apply(Sigmoid(), gate)
    return at.add("Add", at.x, at.add("Mul", gate, at.add("Sub", new, at.x)))


@emits(MaxoutDense)
def maxout_dense(op: MaxoutDense, at: Emitting) -> Edge:
    """All pieces by one product, then the largest."""
    bias = at.optional("bias", "(pieces units)")
    y = _linear(at, at.param("kernel", "features (pieces units)"), bias)
    rows = at.x.shape[:-1]
    y = at.reshape(y, (*rows, at.size("pieces"), at.size("units")))
    return at.reduce("ReduceMax", y, [len(rows)])


def _linear(at: Emitting, kernel: Edge, bias: Edge | None) -> Edge:
    """`Gemm` over rows, else `MatMul` and `Add`; the kernel is stored as it is, not transposed."""
    shape = (*at.x.shape[:-1], *kernel.shape[1:])
    if bias is not None and len(shape) == 2:
        return at.add("Gemm", at.x, kernel, bias, shape=shape)
    y = at.add("MatMul", at.x, kernel, shape=shape)
    return y if bias is None else at.add("Add", y, bias)
