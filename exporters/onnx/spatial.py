"""Ops over spatial axes: ONNX wants `batch channels space`, with one batch dimension."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import LayoutError
from ...ir.ops.convolution import Padding, Pads
from .dims import Shape, longer, product
from .draft import Edge
from .emitting import Emitting


def channels_first(at: Emitting, index: int = 0) -> Edge:
    """An input whose spatial axes come last.

    Raises:
        LayoutError: They do not: the plan is not for ONNX.
    """
    space, terms = at.settled.bound["space"], at.settled.layout_of(index).terms
    if terms[len(terms) - len(space) :] != space:
        layout = at.settled.layout_of(index)
        raise LayoutError(f"{layout} is not channels_first, as ONNX wants it", where=at.name)
    return at.input(index)


def folded(at: Emitting) -> Edge:
    """The first input with all terms of the batch in one dimension.

    Raises:
        LayoutError: The plan is not for ONNX.
    """
    x, count = channels_first(at), at.count("batch")
    return x if count == 1 else at.reshape(x, (product(x.shape[:count]), *x.shape[count:]))


def unfolded(at: Emitting, y: Edge, index: int = 0) -> Edge:
    """A result with the terms of the batch apart again."""
    return y if at.count("batch") == 1 else at.reshape(y, at.result_shape(index))


def folded_result(at: Emitting, index: int = 0) -> Shape:
    """The shape of a result before its batch is taken apart."""
    whole, count = at.result_shape(index), at.count("batch")
    return (product(whole[:count]), *whole[count:])


def pads(padding: Pads) -> tuple[int, ...]:
    """ONNX' order: what comes before on every axis, then what comes after."""
    return (*(before for before, _ in padding), *(after for _, after in padding))


def window(
    padding: Padding, strides: Sequence[int], dilation: Sequence[int] = ()
) -> dict[str, Any]:
    """The attributes that say where windows stand."""
    attributes: dict[str, Any] = {"strides": tuple(strides)}
    if isinstance(padding, str):
        attributes["auto_pad"] = "SAME_UPPER"
    else:
        attributes["pads"] = pads(padding)
    if any(step != 1 for step in dilation):
        attributes["dilations"] = tuple(dilation)
    return attributes


def padded(at: Emitting, x: Edge, padding: Pads, value: float | None = None) -> Edge:
    """The spatial axes, which are the last ones, made longer by zeros or another number.

    Args:
        at: The node.
        x: Its last dimensions are spatial.
        padding: Elements before and after.
        value: What they are.
    """
    before, after = zip(*padding, strict=True)
    first = len(x.shape) - len(padding)
    none = (0,) * first
    amounts = at.constant((*none, *before, *none, *after), wish="pads")
    fill = None if value is None else at.number(value)
    pairs = zip(x.shape[first:], padding, strict=True)
    space = (longer(dim, sum(pair)) for dim, pair in pairs)
    return at.add("Pad", x, amounts, fill, shape=(*x.shape[:first], *space))
