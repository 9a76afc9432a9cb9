"""A graph without what only says where a number stands: what two files of one model share.

Views (Flatten, Permute), linear activations, and pads or crops that a file keeps as a layer of
their own are ways of saying something. They are seen through, so that a model that was brought to
another data format has the same skeleton as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..ir.graph import Graph, Node, Value
from ..ir.layout import Terms, size_of
from ..ir.op import Op, attributes
from ..ir.ops.activation import Elementwise, Linear
from ..ir.ops.convolution import ConvTranspose
from ..ir.ops.pooling import Crop, ZeroPad
from ..ir.ops.shape import View

PADDED = frozenset({"Conv", "GroupedConv", "DepthwiseConv", "SeparableConv"})
"""Convolutions, for which zeros in front and pads of their own are the same."""

Pads = tuple[tuple[int, int], ...]


class Read(msgspec.Struct, frozen=True, eq=False):
    """What a step reads: the maker of a value with ways of saying left out.

    Attributes:
        value: Made by a step, or an input of the model.
        pads: Zeros that were put around it by a layer of their own, per spatial axis.
    """

    value: Value
    pads: Pads = ()


class Skeleton:
    """The steps of a graph and what they read.

    Args:
        graph: Of a model.

    Attributes:
        makers: For each value that a step makes, the step and which of its results it is.
    """

    def __init__(self, graph: Graph) -> None:
        self.makers: dict[Value, tuple[Node, int]] = {}
        self._same: dict[Value, Value] = {}
        self._pads: dict[Value, Node] = {}
        self._crops: dict[Node, Node] = {}
        self._users = graph.consumers()
        self._given = set(graph.outputs)
        for node in graph.nodes:
            source = node.inputs[0] if node.inputs else None
            if source is not None and isinstance(node.op, (View, Linear)):
                self._same[node.result] = self.root(source)
                continue
            cropped = self._transposed(source) if isinstance(node.op, Crop) else None
            if source is not None and cropped is not None:
                self._crops[cropped] = node
                self._same[node.result] = self.root(source)
                continue
            self.makers |= {value: (node, i) for i, value in enumerate(node.results)}
            if isinstance(node.op, ZeroPad):
                self._pads[node.result] = node
        self._seen_through = {
            *self._crops.values(),
            *(node for value, node in self._pads.items() if self._only_convolved(value)),
        }

    def root(self, value: Value) -> Value:
        """The value that this is, however it is viewed."""
        return self._same.get(value, value)

    def is_step(self, node: Node) -> bool:
        """Whether it does something of its own, which no other step says."""
        return not isinstance(node.op, (View, Linear)) and node not in self._seen_through

    def reads(self, node: Node) -> list[Read | None]:
        """What a step reads; None where an optional input is absent."""
        return [None if value is None else self._read(node, value) for value in node.inputs]

    def _read(self, node: Node, value: Value) -> Read:
        root = self.root(value)
        before = self._pads.get(root) if node.op.kind in PADDED else None
        if before is None or before.inputs[0] is None or not isinstance(before.op, ZeroPad):
            return Read(root)
        return Read(self.root(before.inputs[0]), tuple(before.op.padding))

    def settings(self, node: Node) -> Mapping[str, Any]:
        """The attributes of a step; with the zeros before it, or the crop behind it.

        Zeros at the end that no window reaches are none.
        """
        found = attributes(node.op)
        if node.op.kind in PADDED and isinstance(found.get("padding"), tuple):
            first = next(iter(self.reads(node)), None)
            around = first.pads if first is not None and first.pads else None
            found["padding"] = _reached(node, _sum(found["padding"], around))
        crop = self._crops.get(node)
        if crop is not None and isinstance(crop.op, Crop):
            found["cropping"] = _sum(found["cropping"], crop.op.cropping)
        return found

    def resized(self, node: Node) -> frozenset[str]:
        """Bindings of a step whose extents a layer around it changes."""
        padded = any(read is not None and read.pads for read in self.reads(node))
        return frozenset({"space"} if padded else {"out_space"} if node in self._crops else ())

    def _transposed(self, value: Value | None) -> Node | None:
        """The transposed convolution that a crop is of, if nothing else reads what it makes."""
        while value is not None and len(self._users[value]) == 1 and value not in self._given:
            maker = self.makers.get(self.root(value), (None, 0))[0]
            if maker is None or isinstance(maker.op, ConvTranspose):
                return maker
            value = maker.inputs[0] if isinstance(maker.op, Elementwise) else None
        return None

    def _only_convolved(self, value: Value) -> bool:
        users, ahead = list[Node](), [value]
        while ahead:
            for user in self._users[ahead.pop()]:
                if isinstance(user.op, (View, Linear)):
                    ahead.append(user.result)
                else:
                    users.append(user)
        return value not in self._given and all(user.op.kind in PADDED for user in users)


def _sum(a: Pads, b: Pads | None) -> Pads:
    return tuple((w + y, x + z) for (w, x), (y, z) in zip(a, b, strict=True)) if b else a


def _reached(node: Node, pads: Pads) -> Pads:
    """Pads without the end that no window reaches."""
    space: Terms = node.axes.get("space", ())
    taps: Terms = node.axes.get("kernel_space", ())
    strides = getattr(node.op, "strides", (1,) * len(pads))
    dilation = getattr(node.op, "dilation", (1,) * len(pads))
    own = getattr(node.op, "padding", pads)
    found = []
    for term, tap, stride, step, mine, (before, after) in zip(
        space, taps, strides, dilation, own, pads, strict=False
    ):
        size, count = size_of(term), size_of(tap)
        if size is None or count is None:
            return pads
        left = (size + sum(mine) - (count - 1) * step - 1) % stride
        found.append((before, after - left))
    return tuple(found) if len(found) == len(pads) else pads


def plain(value: Any) -> Any:
    """An attribute as data that can be compared: ops in it by name and attributes."""
    if isinstance(value, Op):
        return (value.kind, tuple((k, plain(v)) for k, v in attributes(value).items()))
    if isinstance(value, (list, tuple)):
        return tuple(map(plain, value))
    return value
