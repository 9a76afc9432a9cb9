"""What multiplies and adds along axes, what can take that over, and what lets it through."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from ..ir.arithmetic import combined, number
from ..ir.graph import Node
from ..ir.layout import Key, keys
from ..ir.op import Op
from ..ir.ops.activation import Affine
from ..ir.ops.convolution import (
    Conv,
    ConvTranspose,
    DepthwiseConv,
    GroupedConv,
    LocallyConnected,
    SeparableConv,
)
from ..ir.ops.dense import Dense
from ..ir.ops.normalization import BatchNorm
from ..ir.ops.pooling import AveragePool, Crop, GlobalAveragePool, UpSample, ZeroPad
from ..ir.ops.shape import View
from ..ir.source import Array, ConstantSource
from ..ir.tensor import Param


class Linear(msgspec.Struct, frozen=True):
    """Where a linear op can take a factor: ports of weights, and bindings of axes."""

    last: str
    made: tuple[str, ...]
    first: str
    taken: tuple[str, ...]


LINEAR: Mapping[type[Op], Linear] = {
    Conv: Linear("kernel", ("filters",), "kernel", ("channels",)),
    GroupedConv: Linear("kernel", ("groups", "filters"), "kernel", ("groups", "in_group")),
    DepthwiseConv: Linear("kernel", ("channels", "multiplier"), "kernel", ("channels",)),
    SeparableConv: Linear("pointwise_kernel", ("filters",), "depthwise_kernel", ("channels",)),
    ConvTranspose: Linear("kernel", ("filters",), "kernel", ("channels",)),
    LocallyConnected: Linear("kernel", ("filters",), "kernel", ("channels",)),
    Dense: Linear("kernel", ("units",), "kernel", ("features",)),
}


class Scaling(msgspec.Struct, frozen=True):
    """A node that computes scale * x + shift; no shift if it is known to be zero."""

    node: Node
    span: Key
    scale: Param
    shift: Param | None


def scaling_of(node: Node) -> Scaling | None:
    """What a node multiplies by and adds; None if it does anything else."""
    if isinstance(node.op, Affine):
        shift = number(node.op.offset) if node.op.offset else None
        return Scaling(node, frozenset(), number(node.op.scale), shift)
    if not isinstance(node.op, BatchNorm):
        return None
    epsilon, params, layout = node.op.epsilon, node.params, node.param_layout("mean")
    gamma, beta = params.get("gamma", number(1)), params.get("beta", number(0))

    def scale_of(gamma: Array, variance: Array) -> Array:
        with np.errstate(all="ignore"):
            return gamma / np.sqrt(variance + epsilon)

    scale = combined(
        f"{node.name}/scale", layout, f"norm {epsilon}", scale_of, gamma, params["variance"]
    )
    shift = None
    if not (_is_zero(beta) and _is_zero(params["mean"])):
        shift = combined(
            f"{node.name}/shift", layout, "b - m * s", _shift_of, beta, params["mean"], scale
        )
    return Scaling(node, keys(node.axes["axis"]), scale, shift)


def _shift_of(beta: Array, mean: Array, scale: Array) -> Array:
    return beta - mean * scale  # type: ignore[no-any-return]


def _is_zero(param: Param) -> bool:
    """Whether a weight is zeros that no file holds."""
    sources = param.weight.sources
    return all(isinstance(source, ConstantSource) and source.value == 0 for source in sources)


def commutes(node: Node, scaling: Scaling) -> bool:
    """Whether it is the same to scale before an op and behind it."""
    op = node.op
    if isinstance(op, View):
        return True
    if not isinstance(op, (AveragePool, Crop, GlobalAveragePool, UpSample, ZeroPad)):
        return False
    if scaling.span & keys(node.axes["space"]):
        return False
    counts = isinstance(op, ZeroPad) or (isinstance(op, AveragePool) and op.count_padding)
    return scaling.shift is None or not (counts and adds_zeros(op))


def adds_zeros(op: Op) -> bool:
    """Whether a linear op sees zeros besides its input, or not every tap at every place."""
    if isinstance(op, ConvTranspose):
        return True
    padding = getattr(op, "padding", ())
    return isinstance(padding, str) or any(map(any, padding))


def alike(a: Node, b: Node) -> bool:
    """Whether both compute in the same dtype."""
    return a.result.dtype == b.result.dtype
