"""Several nodes that are one: activations spelt out in arithmetic, joins of joins."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from ..ir.graph import Node, Value
from ..ir.layout import Axis
from ..ir.model import Model
from ..ir.op import Op
from ..ir.ops.activation import (
    Affine,
    Clip,
    HardSigmoid,
    HardSilu,
    Mish,
    Relu,
    Sigmoid,
    Silu,
    Softplus,
    Tanh,
)
from ..ir.ops.merge import Concat, Multiply
from ..ir.signature import REST
from .registry import Target, model_pass
from .rewriting import Rewriting, rebuilt

CLOSE = 1e-12
"""How near to a product of 1 the two factors of a written-out hard sigmoid must be."""

HARD_SILU = HardSigmoid(slope=1 / 6, shift=0.5)


@model_pass(data="-")
def fuse_activation(model: Model, target: Target) -> Model:
    """Write activations that are spelt out, such as x * relu6(x + 3) / 6, as one operation.

    So `applications.mobilenet_v3` of tf.keras spells hard_sigmoid and hard_swish.
    """
    graph = Rewriting(model)
    for node in graph.walk():
        for find in (_hard_sigmoid, _gated):
            found = find(graph, node)
            if found is not None:
                op, source = found
                node = _unary(graph, node, op, source)
    return graph.model()


@model_pass(data="-")
def merge_concats(model: Model, target: Target) -> Model:
    """Join at once what is joined along the same axis in two steps."""
    graph = Rewriting(model)
    for node in graph.walk():
        if isinstance(node.op, Concat) and _is_plain(node):
            inputs = [each for value in node.inputs for each in _joined(graph, node, value)]
            if len(inputs) > len(node.inputs):
                graph.replace(node, rebuilt(node, inputs=inputs))
                _drop_unused(graph, node)
    return graph.model()


def _is_plain(node: Node) -> bool:
    """Whether the joined axis is one that has no parts of its own."""
    return isinstance(node.axes["joined"][0], Axis)


def _joined(graph: Rewriting, node: Node, value: Value | None) -> Iterator[Value | None]:
    """An input of a join; what it was joined from, if it is read here alone."""
    maker = graph.maker(value)
    if value is None or maker is None or graph.only_reader(value) is not node:
        yield value
    elif isinstance(maker.op, Concat) and _is_plain(maker) and _place(maker) == _place(node):
        yield from maker.inputs
    else:
        yield value


def _place(node: Node) -> int:
    return node.result.axes.index(node.axes["joined"][0])


def _unary(graph: Rewriting, node: Node, op: Op, source: Value) -> Node:
    """Put an op of one input in a node's place; what only served the old one goes."""
    new = rebuilt(node, op=op, inputs=(source,))
    new.axes = {REST: node.result.axes}
    graph.replace(node, new)
    _drop_unused(graph, node)
    return new


def _drop_unused(graph: Rewriting, old: Node) -> None:
    """Drop what only a node needed that is no more."""
    left = [value for value in old.inputs if value is not None]
    while left:
        value = left.pop()
        maker = graph.maker(value)
        if maker is not None and not any(map(graph.is_used, maker.results)):
            left += [each for each in maker.inputs if each is not None]
            graph.drop(maker)


def _hard_sigmoid(graph: Rewriting, node: Node) -> tuple[Op, Value] | None:
    """Find y = b * min(max(a * x + c, 0), 1 / b)."""
    if not isinstance(node.op, Affine) or node.op.offset != 0:
        return None
    cut = graph.maker(node.inputs[0])
    inner = None if cut is None else graph.maker(cut.inputs[0] if cut.inputs else None)
    if cut is None or inner is None or not isinstance(inner.op, Affine):
        return None
    top, scale = _top(cut.op), node.op.scale
    if top is None or not math.isclose(top * scale, 1, rel_tol=CLOSE) or inner.inputs[0] is None:
        return None
    if not (_is_alone(graph, cut) and _is_alone(graph, inner)):
        return None
    op = HardSigmoid(slope=inner.op.scale * scale, shift=inner.op.offset * scale)
    return op, inner.inputs[0]


def _top(op: Op) -> float | None:
    """The largest result of an op that cuts at zero and there."""
    if isinstance(op, Relu) and op.negative_slope == 0 and op.threshold == 0:
        return op.max_value
    return op.high if isinstance(op, Clip) and op.low == 0 else None


def _is_alone(graph: Rewriting, node: Node) -> bool:
    return graph.only_reader(node.result) is not None


GATES: tuple[tuple[Callable[[Op], bool], Op], ...] = (
    (lambda op: isinstance(op, Sigmoid), Silu()),
    (
        lambda op: (
            isinstance(op, HardSigmoid)
            and math.isclose(op.slope, HARD_SILU.slope, rel_tol=CLOSE)
            and math.isclose(op.shift, HARD_SILU.shift, rel_tol=CLOSE)
        ),
        HardSilu(),
    ),
)
"""What x is multiplied by, and what that is together."""


def _gated(graph: Rewriting, node: Node) -> tuple[Op, Value] | None:
    """Find y = x * gate(x)."""
    if not isinstance(node.op, Multiply) or len(node.inputs) != 2:
        return None
    for x, gate in (node.inputs, node.inputs[::-1]):
        maker = graph.maker(gate)
        if x is None or maker is None or not _is_alone(graph, maker):
            continue
        if maker.inputs == (x,):
            found = [op for fits, op in GATES if fits(maker.op)]
            if found:
                return found[0], x
        inner = graph.maker(maker.inputs[0]) if isinstance(maker.op, Tanh) else None
        softplus = inner is not None and isinstance(inner.op, Softplus) and inner.inputs == (x,)
        if inner is not None and softplus and _is_alone(graph, inner):
            return Mish(), x
    return None
