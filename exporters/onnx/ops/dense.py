"""Dense."""

from __future__ import annotations

from ....ir.ops.dense import Dense
from ..draft import Edge
from ..emitting import Emitting
from ..registry import emits


@emits(Dense)
def dense(op: Dense, at: Emitting) -> Edge:
    """`Gemm` over rows, else `MatMul` and `Add`; the kernel is stored as it is, not transposed."""
    kernel, bias = at.param("kernel"), at.optional("bias")
    shape = (*at.x.shape[:-1], *kernel.shape[1:])
    if bias is not None and len(shape) == 2:
        return at.add("Gemm", at.x, kernel, bias, shape=shape)
    y = at.add("MatMul", at.x, kernel, shape=shape)
    return y if bias is None else at.add("Add", y, bias)
