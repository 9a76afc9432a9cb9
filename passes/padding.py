"""Zeros around an image, taken into the op behind them."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from ..ir.graph import Node
from ..ir.model import Model
from ..ir.op import Op
from ..ir.ops.activation import (
    Abs,
    Clip,
    Exponential,
    HardSigmoid,
    Power,
    Relu,
    Sigmoid,
    Softmax,
    Softplus,
    TrainingOnly,
)
from ..ir.ops.convolution import Conv, DepthwiseConv, GroupedConv, Pads, SeparableConv
from ..ir.ops.merge import Add, Average, Concat, Maximum, Multiply
from ..ir.ops.pooling import (
    AveragePool,
    Crop,
    GlobalAveragePool,
    GlobalMaxPool,
    MaxPool,
    UpSample,
    ZeroPad,
)
from ..ir.ops.shape import View
from .registry import Target, model_pass
from .rewriting import Rewriting, rebuilt

CONVOLUTIONS = (Conv, GroupedConv, DepthwiseConv, SeparableConv)

KEEPING_SIGN = (
    Add,
    Average,
    AveragePool,
    Concat,
    Crop,
    GlobalAveragePool,
    GlobalMaxPool,
    MaxPool,
    Maximum,
    Multiply,
    TrainingOnly,
    UpSample,
    View,
    ZeroPad,
)
"""Ops that give nothing below zero if no input is."""


@model_pass(data="-")
def fold_padding(model: Model, target: Target) -> Model:
    """Fold a ZeroPadding into the pads of the convolution or pool behind it, where that is exact.

    Convolutions see zeros around their input. A mean that counts its padding does too. A largest
    number does not: there the input must be known to have none below zero.
    """
    graph = Rewriting(model)
    for node in graph.walk_back():
        source = node.inputs[0] if node.inputs else None
        if not isinstance(node.op, ZeroPad) or source is None or graph.is_output(node.result):
            continue
        readers = graph.readers(node.result)
        changes = [(reader, _padded(graph, node, reader)) for reader in readers]
        if not readers or any(op is None for _, op in changes):
            continue
        for reader, op in changes:
            graph.replace(reader, _moved(node, reader, op))
        graph.remove(node, source)
    return graph.model()


def _moved(pad: Node, reader: Node, op: Op | None) -> Node:
    """The reader over the axes that were padded."""
    node = rebuilt(reader, op=op)
    node.axes["space"] = pad.axes["space"]
    return node


def _padded(graph: Rewriting, pad: Node, reader: Node) -> Op | None:
    """The reader's op with the pads in it; None where that would be something else."""
    op: Any = reader.op
    assert isinstance(pad.op, ZeroPad)
    if reader.axes.get("space") != pad.axes["out_space"]:
        return None
    if isinstance(op, CONVOLUTIONS):
        fits = not isinstance(op.padding, str)
    elif isinstance(op, AveragePool):
        fits = not isinstance(op.padding, str) and (op.count_padding or not _any(op.padding))
        op = replace(op, count_padding=True)
    elif isinstance(op, MaxPool):
        fits = not isinstance(op.padding, str) and not _any(op.padding)
        fits = fits and _reaches(op, pad) and not_negative(graph, pad)
    else:
        return None
    return replace(op, padding=_sum(op.padding, pad.op.padding)) if fits else None


def _any(padding: Pads) -> bool:
    return any(map(any, padding))


def _sum(a: Pads, b: Pads) -> Pads:
    pairs = zip(a, b, strict=True)
    return tuple((one[0] + two[0], one[1] + two[1]) for one, two in pairs)


def _reaches(op: MaxPool, pad: Node) -> bool:
    """Whether every window has a real element in it, so that zeros cannot win alone."""
    assert isinstance(pad.op, ZeroPad)
    wide = zip(pad.op.padding, op.pool_size, strict=True)
    return all(max(pair) < size for pair, size in wide)


def not_negative(graph: Rewriting, node: Node) -> bool:
    """Whether no result of a node can be below zero, as far as its ops tell."""
    seen, left = set[Node](), [node]
    while left:
        each = left.pop()
        if each in seen or _has_no_negatives(each.op):
            continue
        makers = [graph.maker(value) for value in each.inputs if value is not None]
        if not isinstance(each.op, KEEPING_SIGN) or None in makers or not makers:
            return False
        seen.add(each)
        left += [maker for maker in makers if maker is not None]
    return True


def _has_no_negatives(op: Op) -> bool:
    if isinstance(op, Relu):
        flat = op.negative_slope == 0 and op.threshold >= 0
        return flat and (op.max_value is None or op.max_value >= 0)
    if isinstance(op, Clip):
        return op.low is not None and op.low >= 0 and (op.high is None or op.high >= op.low)
    if isinstance(op, Power):
        return op.exponent % 2 == 0
    return isinstance(op, (Abs, Exponential, HardSigmoid, Sigmoid, Softmax, Softplus))
