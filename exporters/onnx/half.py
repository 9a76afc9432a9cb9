"""A draft in half precision: weights and what is computed from them; the border stays as it is.

Every tensor of float32 becomes one of float16, but for what would go wrong there. Operators that
ONNX does not have for float16, and those in which intermediate numbers leave its range, stay in
float32; so does whatever reads a weight or a constant with a number that float16 does not have. A
Cast stands where an edge leads from one kind to the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...ir.tensor import Weight
from ...ir.weighing import Weighed, weigh
from .draft import Body, Draft, Edge, OnnxNode
from .pen import ONNX_TYPES

WHOLE, HALF = "float32", "float16"

LARGEST, SMALLEST = 65504.0, 2.0**-14
"""The largest number of float16, and the smallest that has all its digits."""

WIDE: frozenset[str] = frozenset({
    "Celu", "CumSum", "IsInf",  # not of float16 in every opset that is written
    "Exp", "Log", "Pow", "Softplus",
    "ReduceL2", "ReduceMean", "ReduceSum", "ReduceSumSquare",
})  # fmt: skip
"""Operators that stay in float32: ONNX has no others, or sums and powers leave the range."""

DECIDING: frozenset[str] = frozenset({
    "ArgMax", "ArgMin", "Equal", "Greater", "GreaterOrEqual", "IsNaN", "Less", "LessOrEqual",
})  # fmt: skip
"""Operators that give no numbers but decide: what the caller feeds, they see as it is fed. A step
of numbers too small for float16 would else be one of zeros, and masked."""

STAYING: Mapping[str, frozenset[int]] = {"Resize": frozenset({2})}
"""Inputs that are of float32 whatever the others are (ONNX `Resize`, scales)."""

ENDING: frozenset[str] = frozenset({"Conv", "ConvTranspose", "GRU", "Gemm", "LSTM", "RNN", "Scan"})
"""Operators that no Transpose is moved through."""

Casts = dict[Edge, Edge]


def halve(draft: Draft) -> None:
    """Bring a draft that is complete but for its names into half precision.

    Args:
        draft: Its inputs and outputs keep their numbers. Its weights are read once, to see what
            they hold.

    Raises:
        FormatError: A weight cannot be read.
    """
    weighed = _weighed(draft)
    wide = {edge for edge, found in weighed.items() if found.largest > LARGEST}
    fine = {held.edge for held in draft.constants if any(map(_is_fine, held.values))}
    precise = {
        node
        for node in _all(draft.nodes)
        if node in draft.precise
        or node.domain
        or node.op_type in WIDE
        or (node.op_type in DECIDING and set(draft.inputs).intersection(node.inputs))
        or (wide | fine).intersection(_computed(node))
    }
    precise.update(_turned_products(draft.nodes))
    outputs = [edge.dtype for edge in draft.outputs]
    _halve_stored(draft, precise)
    known: Casts = {}
    _walk(draft.nodes, precise, known)
    for index, (edge, dtype) in enumerate(zip(draft.outputs, outputs, strict=True)):
        draft.outputs[index] = _as(edge, dtype, draft.nodes, known)
    _tell(draft, weighed, wide)


def _weighed(draft: Draft) -> dict[Edge, Weighed]:
    """What the weights hold that would become float16."""
    known: dict[Weight, Weighed] = {}
    found: dict[Edge, Weighed] = {}
    for held in draft.initializers:
        weight = held.param.weight
        if held.edge.dtype == WHOLE:
            if weight not in known:
                known[weight] = weigh(weight)
            found[held.edge] = known[weight]
    return found


def _is_fine(number: float) -> bool:
    """Whether it is as an epsilon is: float16 has not all its digits."""
    return 0 < abs(number) < SMALLEST


def _turned_products(nodes: Sequence[OnnxNode]) -> Iterator[OnnxNode]:
    """Products of what a Transpose has put another dimension first in, and all on the way there.

    ONNX Runtime 1.32 moves the Transpose down to the product and fuses the two into an operator
    that its CPU does not have for float16, and the process ends in a crash.
    """
    makers: dict[Edge, OnnxNode] = {}
    for node in nodes:
        turns = node.op_type == "Transpose" and node.attributes["perm"][0] != 0
        turned = [edge for edge in node.inputs if edge in makers]
        if node.op_type == "MatMul" and turned:
            yield node
            yield from _on_the_way(turned, makers)
        elif turns or (turned and node.op_type not in ENDING):
            makers.update((edge, node) for edge in node.outputs if edge is not None)


def _on_the_way(edges: Sequence[Edge | None], makers: Mapping[Edge, OnnxNode]) -> set[OnnxNode]:
    """The nodes that turned tensors come from."""
    found, left = set[OnnxNode](), list(edges)
    while left:
        edge = left.pop()
        node = None if edge is None else makers.get(edge)
        if node is not None and node not in found:
            found.add(node)
            left += node.inputs
    return found


def _computed(node: OnnxNode) -> Iterator[Edge]:
    """Inputs that are not of float32 in any case."""
    staying = STAYING.get(node.op_type, ())
    return (edge for i, edge in enumerate(node.inputs) if edge is not None and i not in staying)


def _halve_stored(draft: Draft, precise: set[OnnxNode]) -> None:
    """Weights and constants that an operator of float16 reads."""
    _part_constants(draft, precise)
    stored = {edge for edge in draft.stored if edge.dtype == WHOLE}
    for node in _all(draft.nodes):
        if node not in precise:
            for edge in stored.intersection(_computed(node)):
                edge.dtype = HALF
    draft.clamp(HALF, LARGEST)


def _part_constants(draft: Draft, precise: set[OnnxNode]) -> None:
    """Give operators of float16 constants of their own, where others need all the digits."""
    whole = {edge for node in precise for edge in node.inputs}
    shared = {held.edge: held for held in draft.constants if held.edge in whole}
    for node in _all(draft.nodes):
        if node not in precise:
            found = {edge: shared[edge] for edge in _computed(node) if edge in shared}
            twins = {
                edge: draft.constant(
                    held.values,
                    HALF,
                    [dim for dim in edge.shape if isinstance(dim, int)],
                    f"{edge.name}_{HALF}",
                )
                for edge, held in found.items()
                if edge.dtype == WHOLE
            }
            node.inputs = tuple(twins.get(edge, edge) if edge else edge for edge in node.inputs)


def _walk(nodes: list[OnnxNode], precise: set[OnnxNode], known: Casts) -> None:
    """Give each node inputs of one kind, and its results that kind."""
    done = list[OnnxNode]()
    for node in nodes:
        want = WHOLE if node in precise else HALF
        staying = STAYING.get(node.op_type, ())
        inputs = [
            edge if edge is None else _as(edge, WHOLE if i in staying else want, done, known)
            for i, edge in enumerate(node.inputs)
        ]
        node.inputs = tuple(inputs)
        for body in _bodies(node):
            _into(body.inputs, want)
            _walk(body.nodes, precise, inner := dict(known))
            body.outputs = tuple(_as(edge, want, body.nodes, inner) for edge in body.outputs)
        if node.op_type == "Cast" and node.attributes["to"] == ONNX_TYPES[WHOLE]:
            node.attributes["to"] = ONNX_TYPES[want]
        _into(node.outputs, want)
        done.append(node)
    nodes[:] = done


def _into(edges: Sequence[Edge | None], want: str) -> None:
    for edge in edges:
        if edge is not None and edge.dtype == WHOLE:
            edge.dtype = want


def _as(edge: Edge, want: str, nodes: list[OnnxNode], known: Casts) -> Edge:
    """The tensor as float16 or float32, by a Cast in `nodes` if there is none yet."""
    if edge.dtype == want or edge.dtype not in {WHOLE, HALF}:
        return edge
    if edge not in known:
        cast = Edge(f"{edge.name}/{want}", want, edge.shape)
        cast.doc = edge.doc
        attributes = {"to": ONNX_TYPES[want]}
        nodes.append(OnnxNode(f"{edge.name}/Cast", "Cast", (edge,), (cast,), attributes, "", ""))
        known[edge], known[cast] = cast, edge
    return known[edge]


def _all(nodes: Sequence[OnnxNode]) -> Iterator[OnnxNode]:
    for node in nodes:
        yield node
        for body in _bodies(node):
            yield from _all(body.nodes)


def _bodies(node: OnnxNode) -> Iterator[Body]:
    return (value for value in node.attributes.values() if isinstance(value, Body))


def _tell(draft: Draft, weighed: Mapping[Edge, Weighed], wide: set[Edge]) -> None:
    for edge, found in weighed.items():
        if edge in wide:
            layer, _, weight = edge.name.rpartition("/")
            draft.report.add(
                "KX505",
                "note",
                f"{edge.name} holds numbers up to {found.largest:.3g}, beyond float16: what reads "
                "it is computed in float32",
                layer=layer,
                weight=weight,
                level="warning",
            )
    vanishing = sum(found.vanishing for found in weighed.values())
    if vanishing:
        count = sum(found.count for found in weighed.values())
        message = f"{vanishing:,} of {count:,} weights are too small for float16 and become zero"
        draft.report.add("KX506", "note", message)
