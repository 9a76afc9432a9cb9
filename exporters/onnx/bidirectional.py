"""Two recurrent operators over one sequence, one in each direction, made one operator.

Keras' Bidirectional is two layers whose results are joined, added, multiplied or averaged; ONNX has
a direction `bidirectional`, whose results lie side by side.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ...ir.layout import Axis, Labelled, Layout, Term, axes_of, rebuild
from ...ir.tensor import Param, Stored, Weight
from .draft import Body, Draft, Edge, Initializer, OnnxNode
from .emitting import constant_param
from .pen import Origins, Pen

OPERATORS = {"LSTM", "GRU", "RNN"}
DIRECTIONS = ("forward", "reverse")
SEQUENCE, LAST = 0, 1
"""Which result of the operators it is."""

LISTED = ("activations", "activation_alpha", "activation_beta")
"""Attributes that have a part for each direction; the others are for both."""

JOIN = "Concat"
MERGES = {JOIN, "Add", "Mean", "Mul"}
"""What two results become one by."""

BATCH_FIRST = (1, 0, 2)
WEIGHTS, LENGTHS = slice(1, 4), slice(4, 5)
"""Which inputs they are; states come behind them."""


class Half(msgspec.Struct, frozen=True):
    """One direction: the operator, and which of its results is joined."""

    node: OnnxNode
    result: int


def merge_directions(draft: Draft) -> None:
    """Replace each join of both directions; the operators that it had are read no more.

    Args:
        draft: Without nodes that nobody reads.
    """
    makers = {edge: node for node in draft.nodes for edge in node.outputs if edge is not None}
    readers = Counter(reads(draft.nodes)) + Counter(draft.outputs)
    stored = {held.edge: held for held in draft.initializers}
    found: list[OnnxNode] = []
    for node in draft.nodes:
        halves = _halves(node, makers, readers)
        pairs = _weights(halves, stored) if halves else None
        if halves and pairs is not None:
            found += _merged(draft, node, halves, pairs)
        else:
            found.append(node)
    draft.nodes[:] = found


def reads(nodes: Sequence[OnnxNode]) -> Iterator[Edge]:
    for node in nodes:
        yield from (edge for edge in node.inputs if edge is not None)
        for value in node.attributes.values():
            if isinstance(value, Body):
                yield from (*reads(value.nodes), *value.outputs)


def _halves(
    join: OnnxNode, makers: dict[Edge, OnnxNode], readers: Counter[Edge]
) -> tuple[Half, Half] | None:
    """The forward and the backward operator behind a join of their results."""
    if join.op_type not in MERGES or len(join.inputs) != 2 or join.domain:
        return None
    found = [_half(edge, makers, readers) for edge in join.inputs if edge is not None]
    first, second = found[0], found[-1]
    if first is None or second is None or first.node is second.node:
        return None
    a, b = first.node, second.node
    ways = tuple(half.node.attributes.get("direction", DIRECTIONS[0]) for half in (first, second))
    alike = a.op_type == b.op_type and a.inputs[0] is b.inputs[0]
    alike = alike and a.inputs[LENGTHS] == b.inputs[LENGTHS]
    alike = alike and first.result == second.result and _common(a) == _common(b)
    features = 2 if first.result == SEQUENCE else 1
    alike = alike and join.attributes.get("axis", features) == features
    return (first, second) if alike and ways == DIRECTIONS else None


def _half(edge: Edge, makers: dict[Edge, OnnxNode], readers: Counter[Edge]) -> Half | None:
    """The operator that makes a tensor by way of a Squeeze, and a Transpose where it is a row."""
    turned = readers[edge] == 1 and makers.get(edge)
    if turned and turned.op_type == "Transpose" and turned.attributes["perm"] == BATCH_FIRST:
        edge, result = _source(turned), SEQUENCE
    else:
        result = LAST
    squeezed = readers[edge] == 1 and makers.get(edge)
    if not squeezed or squeezed.op_type != "Squeeze":
        return None
    made = _source(squeezed)
    node = makers.get(made)
    if (
        node is None
        or node.op_type not in OPERATORS
        or node.domain
        or len(node.inputs) > LENGTHS.stop
    ):
        return None
    others = sum(readers[each] for each in node.outputs if each is not None)
    return Half(node, result) if others == 1 and node.outputs[result] is made else None


def _source(node: OnnxNode) -> Edge:
    source = node.inputs[0]
    assert source is not None
    return source


def _common(node: OnnxNode) -> dict[str, object]:
    """The attributes that hold for both directions."""
    return {k: v for k, v in node.attributes.items() if k not in {*LISTED, "direction"}}


Pairs = list[tuple[Initializer, Initializer]]


def _weights(halves: tuple[Half, Half], stored: dict[Edge, Initializer]) -> Pairs | None:
    """Each weight of both, zeros where one has no bias; None if a weight is not stored."""
    pairs: Pairs = []
    for both in itertools.zip_longest(*(half.node.inputs[WEIGHTS] for half in halves)):
        held = [stored.get(edge) for edge in both if edge is not None]
        found = [each for each in held if each is not None]
        if len(found) < len(held):
            return None
        if found:
            first, second = both
            pairs.append((
                found[0] if first is not None else _zeros(found[0]),
                found[-1] if second is not None else _zeros(found[0]),
            ))
    return pairs


def _zeros(like: Initializer) -> Initializer:
    """A bias that is not there."""
    param = constant_param(like.param.weight.name, 0, like.layout)
    return Initializer(like.edge, param, like.layout)


def _merged(
    draft: Draft, join: OnnxNode, halves: tuple[Half, Half], pairs: Pairs
) -> list[OnnxNode]:
    """The operator for both directions, and its result as the join gave it."""
    first, second = (half.node for half in halves)
    x, result, joined = _source(first), halves[0].result, join.outputs[0]
    assert joined is not None
    nodes: list[OnnxNode] = []
    pen = Pen(draft, first.name.rpartition("/")[0] or first.name, first.doc, nodes, Origins())
    time, batch = x.shape[:2]
    units = first.attributes["hidden_size"]
    shapes = ((time, 2, batch, units), (2, batch, units))
    made = [Edge(f"{pen.name}/both", x.dtype, shape) for shape in shapes]
    attributes: dict[str, Any] = {
        key: (*first.attributes.get(key, ()), *second.attributes.get(key, ())) or None
        for key in LISTED
    }
    attributes |= {**_common(first), "direction": "bidirectional"}
    given: list[Edge | None] = [_both(draft, *pair) for pair in pairs]
    if lengths := first.inputs[LENGTHS]:
        given += [None] * (LENGTHS.start - 1 - len(given)) + list(lengths)
    outputs = [None] * result + [made[result]]
    pen.place(first.op_type, (x, *given), outputs, **attributes)
    if join.op_type == JOIN:
        y = pen.permuted(made[result], (2, 0, 1, 3) if result == SEQUENCE else BATCH_FIRST)
        pen.reshape(y, joined.shape)
    else:  # a reduction over both is one operator less, and slower
        way = 1 - result
        y = pen.add(join.op_type, *pen.split(made[result], way, (1, 1)))
        pen.permuted(pen.squeeze(y, way), BATCH_FIRST if result == SEQUENCE else (0, 1))
    nodes[-1].outputs, nodes[-1].name = (joined,), join.name
    return nodes


def _both(draft: Draft, one: Initializer, other: Initializer) -> Edge:
    """The weights of both directions, one after the other along the first dimension."""
    way = Axis("D", 2)
    mapping: dict[Axis, Term] = dict(
        zip(axes_of(other.layout.terms), axes_of(one.layout.terms), strict=True)
    )
    stored = [Stored(s.layout, {**s.at, way: DIRECTIONS[0]}) for s in one.param.stored]
    for s in other.param.stored:
        terms = tuple(rebuild(term, mapping) for term in s.layout.terms)
        at = {mapping.get(axis, axis): label for axis, label in s.at.items()}
        stored.append(Stored(Layout(terms), {**at, way: DIRECTIONS[1]}))  # type: ignore[dict-item]
    sources = (*one.param.weight.sources, *other.param.weight.sources)
    param = Param(Weight(one.param.weight.name, sources), tuple(stored))
    layout = Layout((Labelled(way, DIRECTIONS), *one.layout.terms[1:]))
    return draft.initializer(param, layout, one.edge.dtype)
