"""Which layer of one model is which of another: by name, then by place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

import msgspec

from ..ir.graph import Graph, Layer, Node
from ..verification.calls import LayerCall, calls_of, gathered

MOST = 3000
"""Layers of other names up to which the longest common sequence is looked for."""


class Pair(msgspec.Struct, frozen=True, eq=False):
    """A layer, in A, in B, or in both."""

    a: LayerCall | None
    b: LayerCall | None


def pairs(a: Graph, b: Graph) -> list[Pair]:
    """The calls of layers of two graphs: in the order of A, those of B alone where B has them."""
    first, second = _calls(a), _calls(b)
    names = {call.key for call in first}, {call.key for call in second}
    mine = list(gathered(first, names[1], a).values())
    others = list(gathered(second, names[0], b).values())
    found = _by_name(mine, others)
    taken = {id(call) for call in found.values()}
    left = [call for call in mine if id(call) not in found]
    free = [call for call in others if id(call) not in taken]
    for x, y in _by_place(left, free):
        found[id(x)] = y
        taken.add(id(y))
    return _merged(mine, others, found, taken)


def _calls(graph: Graph) -> list[LayerCall]:
    """The calls of layers; of weights without an architecture every group of them."""
    if graph.outputs:
        return calls_of(graph)
    nodes: dict[Layer, list[Node]] = {}
    for node in graph.nodes:
        if node.layer is not None:
            nodes.setdefault(node.layer, []).append(node)
    return [LayerCall(((), layer.name, 0), inner) for layer, inner in nodes.items()]


def _by_name(mine: Sequence[LayerCall], others: Sequence[LayerCall]) -> dict[int, LayerCall]:
    """By models around it, name and number of the call; else by the name alone where that tells."""
    by_key = {call.key: call for call in others}
    found = {id(call): by_key[call.key] for call in mine if call.key in by_key}
    taken = {id(call) for call in found.values()}
    free, rivals = _bare(call for call in others if id(call) not in taken), _bare(mine)
    for call in mine:
        alike = free.get(call.key[1:], [])
        if id(call) not in found and len(alike) == len(rivals[call.key[1:]]) == 1:
            found[id(call)] = alike[0]
    return found


def _bare(calls: Iterable[LayerCall]) -> dict[tuple[str, int], list[LayerCall]]:
    """Calls without the models around them."""
    found: dict[tuple[str, int], list[LayerCall]] = {}
    for call in calls:
        found.setdefault(call.key[1:], []).append(call)
    return found


def _by_place(
    mine: Sequence[LayerCall], others: Sequence[LayerCall]
) -> list[tuple[LayerCall, LayerCall]]:
    """Those of equal make in equal order: Keras numbers its layers anew in every session."""
    keys = [_make(call) for call in mine], [_make(call) for call in others]
    if keys[0] == keys[1]:
        return list(zip(mine, others, strict=True))
    if max(len(mine), len(others)) > MOST:
        return []
    blocks = SequenceMatcher(None, *keys, autojunk=False).get_matching_blocks()
    return [(mine[block.a + i], others[block.b + i]) for block in blocks for i in range(block.size)]


def _make(call: LayerCall) -> tuple[object, ...]:
    """Kinds of op, and the sizes of weights whatever their order."""
    return tuple(
        (node.op.kind, tuple(sorted((n, p.weight.count) for n, p in node.params.items())))
        for node in call.nodes
    )


def _merged(
    mine: Sequence[LayerCall],
    others: Sequence[LayerCall],
    found: dict[int, LayerCall],
    taken: set[int],
) -> list[Pair]:
    rows: list[Pair] = []
    rest = iter([*others, None])
    at = next(rest)
    done: set[int] = set()
    for call in mine:
        other = found.get(id(call))
        if other is not None and id(other) not in done:
            while at is not None and at is not other:
                if id(at) not in taken:
                    rows.append(Pair(None, at))
                done.add(id(at))
                at = next(rest)
            at = next(rest) if at is other else at
            done.add(id(other))
        rows.append(Pair(call, other))
    while at is not None:
        if id(at) not in taken:
            rows.append(Pair(None, at))
        at = next(rest)
    return rows


def masks_of(graph: Graph) -> dict[Layer, list[Node]]:
    """The nodes of each layer that make a mask."""
    found: dict[Layer, list[Node]] = {}
    for node in graph.nodes:
        if node.layer is not None and node.part == "mask":
            found.setdefault(node.layer, []).append(node)
    return found
