"""Nested models as functions of the file: what was drawn inlined is cut out and called.

A function holds no weights, so they are inputs of its calls, and two calls of one model share a
function wherever they draw the same nodes. Constants go into the function.

Source: onnx.proto `FunctionProto`, which is there since IR version 8.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from ...errors import UsageError
from .draft import Body, Constant, Draft, Edge, Function, OnnxNode
from .naming import Names
from .opsets import FUNCTIONS_SINCE

DOMAIN = "kerasir.models"
"""The operator domain of nested models."""

Path = tuple[str, ...]


def check_functions(opset: int) -> None:
    """Refuse functions where no runtime of the opset reads them.

    Raises:
        UsageError: The opset is too old.
    """
    if opset < FUNCTIONS_SINCE:
        hint = f"--opset {FUNCTIONS_SINCE} or higher"
        raise UsageError(f"opset {opset} has no functions", where="--functions", hint=hint)


def outline(draft: Draft) -> None:
    """Make a function of each nested model of a draft that is finished.

    Inner models come first, so that a function may call another.
    """
    paths = {node.scope[: n + 1] for node in draft.nodes for n in range(len(node.scope))}
    constants = {held.edge: held for held in draft.constants}
    of_nodes, names = Names(), Names()
    for node in draft.nodes:
        of_nodes.take(node.name)
    known: dict[object, Function] = {}
    for path in sorted(paths, key=lambda path: (-len(path), path)):
        inside = _connected(draft.nodes, path)
        call = _call(draft, inside, constants)
        key = (path[-1].partition("#")[0], _shape_of(call.nodes, call.inputs, constants))
        if key not in known:
            name = names.take(key[0])
            known[key] = msgspec.structs.replace(call, name=name)
            draft.functions.append(known[key])
        function = known[key]
        node = OnnxNode(
            of_nodes.take(key[0]), function.name, call.inputs, call.outputs, {}, DOMAIN, key[0]
        )
        node.scope = path[:-1]
        gone = set(call.nodes)
        kept = [each for each in draft.nodes if each not in gone]
        draft.nodes[:] = _in_order([*kept, node], draft.nodes)
    read = {edge for node in draft.nodes for edge in _reads(node)} | set(draft.outputs)
    draft.keep(read)


def _connected(nodes: Sequence[OnnxNode], path: Path) -> list[OnnxNode]:
    """The nodes of a call, and those between two of them: a coercion belongs to no layer."""
    inside = {node for node in nodes if node.scope[: len(path)] == path}
    made = {edge: node for node in nodes for edge in node.outputs if edge is not None}
    behind, before = set[OnnxNode](), set[OnnxNode]()
    for node in nodes:
        makers = [made[edge] for edge in _reads(node) if edge in made]
        if any(maker in inside or maker in behind for maker in makers):
            behind.add(node)
    for node in reversed(nodes):
        if node in inside or node in before:
            before.update(made[edge] for edge in _reads(node) if edge in made)
    return [node for node in nodes if node in inside or (node in behind and node in before)]


def _call(draft: Draft, nodes: Sequence[OnnxNode], constants: Mapping[Edge, Constant]) -> Function:
    """What a call is given and gives, and the constants in it."""
    own = set(nodes)
    made = {edge for node in nodes for edge in node.outputs if edge is not None}
    read = dict.fromkeys(edge for node in nodes for edge in _reads(node) if edge not in made)
    outside = {edge for node in draft.nodes if node not in own for edge in _reads(node)}
    outside |= set(draft.outputs)
    results = [e for node in nodes for e in node.outputs if e is not None and e in outside]
    return Function(
        "",
        tuple(edge for edge in read if edge not in constants),
        tuple(results),
        tuple(nodes),
        tuple(constants[edge] for edge in read if edge in constants),
    )


def _reads(node: OnnxNode) -> Iterator[Edge]:
    """Every tensor that a node or a body in it reads and does not make."""
    yield from (edge for edge in node.inputs if edge is not None)
    for value in node.attributes.values():
        if isinstance(value, Body):
            made = {edge for inner in value.nodes for edge in inner.outputs} | set(value.inputs)
            for inner in value.nodes:
                yield from (edge for edge in _reads(inner) if edge not in made)


def _shape_of(
    nodes: Sequence[OnnxNode], inputs: Sequence[Edge], constants: Mapping[Edge, Constant]
) -> object:
    """What two calls have in common that draw the same: nodes with numbers for their tensors."""
    numbers: dict[Edge, int] = {edge: index for index, edge in enumerate(inputs)}

    def said(edge: Edge | None) -> object:
        if edge is None:
            return None
        if edge in constants:
            return (edge.dtype, edge.shape, tuple(map(repr, constants[edge].values)))
        return numbers.setdefault(edge, len(numbers))

    def drawn(node: OnnxNode) -> object:
        return (
            node.op_type,
            node.domain,
            tuple(map(said, node.inputs)),
            tuple(map(said, node.outputs)),
            tuple(sorted((name, inner(value)) for name, value in node.attributes.items())),
        )

    def inner(value: object) -> str:
        if not isinstance(value, Body):
            return repr(value)
        given = tuple(map(said, value.inputs))
        return repr((given, [drawn(node) for node in value.nodes], list(map(said, value.outputs))))

    return tuple(map(drawn, nodes))


def _in_order(nodes: Sequence[OnnxNode], before: Sequence[OnnxNode]) -> list[OnnxNode]:
    """The nodes in an order of execution, else as they were (Kahn)."""
    place = {node: index for index, node in enumerate(before)}
    made = {edge: node for node in nodes for edge in node.outputs if edge is not None}
    needs = {node: {made[edge] for edge in _reads(node) if edge in made} for node in nodes}
    waiting: dict[OnnxNode, list[OnnxNode]] = {}
    for node, makers in needs.items():
        for maker in makers:
            waiting.setdefault(maker, []).append(node)
    ready = [(place.get(n, len(place)), i, n) for i, n in enumerate(nodes) if not needs[n]]
    heapq.heapify(ready)
    done: list[OnnxNode] = []
    count = len(nodes)
    while ready:
        _, _, node = heapq.heappop(ready)
        done.append(node)
        for reader in waiting.get(node, ()):
            needs[reader].discard(node)
            if not needs[reader]:
                count += 1
                heapq.heappush(ready, (place.get(reader, len(place)), count, reader))
    return done
