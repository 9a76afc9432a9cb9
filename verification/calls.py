"""Calls of layers in two graphs, and which of one are which of the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from ..ir.graph import Graph, Layer, Node
from .spelling import Key, spelt


class LayerCall:
    """One call of a layer that the outputs need.

    Attributes:
        key: The models around it, its name, and how many calls of it came before.
        nodes: In order; those that make a mask left out.
    """

    __slots__ = ("key", "nodes")

    def __init__(self, key: Key, nodes: list[Node]) -> None:
        self.key, self.nodes = key, nodes

    @property
    def name(self) -> str:
        """Its name; with the models around it where it is in one."""
        scope, name, number = self.key
        path = "/".join([*scope, name])
        return path if number == 0 else f"{path} (call {number + 1})"

    @property
    def last(self) -> Node:
        """The node that makes its result."""
        return self.nodes[-1]

    def alike(self, other: LayerCall) -> Iterator[tuple[Node, Node]]:
        """Nodes that are the same part of their layers and compute the same kind of thing."""
        for x in self.nodes:
            for y in other.nodes:
                if x.part == y.part and x.op.kind == y.op.kind:
                    yield x, y

    @property
    def around(self) -> Iterator[Key]:
        """Keys that it would have by the names of the layers that repeat it."""
        scope, _, number = self.key
        wrappers = self.last.layer.wrappers if self.last.layer else ()
        return ((scope, wrapper.name, number) for wrapper in wrappers)

    @property
    def weighted(self) -> bool:
        """Whether it has weights."""
        return any(node.params for node in self.nodes)

    def touches(self, other: LayerCall) -> bool:
        """Whether one of the two reads what the other makes."""
        mine = {value for node in self.nodes for value in (*node.inputs, *node.results)}
        return any(value in mine for node in other.nodes for value in (*node.inputs, *node.results))


def calls_of(graph: Graph) -> list[LayerCall]:
    """The calls of layers that the outputs of a graph need, in order.

    Numbers of calls are counted anew: files count them in ways of their own, and may hold calls
    that nothing reads.
    """
    found: dict[Layer, LayerCall] = {}
    count: Counter[tuple[tuple[str, ...], str]] = Counter()
    for node in _needed(graph):
        layer = node.layer
        if layer is None or node.part == "mask":
            continue
        if layer not in found:
            name = (tuple(part.partition("#")[0] for part in layer.scope), layer.name)
            found[layer] = LayerCall((*name, count[name]), [])
            count[name] += 1
        found[layer].nodes.append(node)
    return list(found.values())


def _needed(graph: Graph) -> list[Node]:
    """The nodes that the outputs need."""
    needed, kept = set(graph.outputs), []
    for node in reversed(graph.nodes):
        if needed.intersection(node.results):
            needed.update(value for value in node.inputs if value is not None)
            kept.append(node)
    return kept[::-1]


def paired(a: Graph, b: Graph) -> Iterator[tuple[LayerCall, LayerCall]]:
    """Calls of layers that both graphs have, in the order of A.

    A layer of a nested model that is dissolved in the other is found by its name alone, where
    that tells it apart; one whose name B's reader does not take by what an exporter calls it.
    """
    own, theirs = calls_of(a), calls_of(b)
    keys = spelt([call.key for call in own], {call.key for call in theirs})
    mine = [LayerCall(keys[call.key], call.nodes) for call in own]
    others = gathered(theirs, {call.key for call in mine}, b)
    others = _aligned(mine, others, a, b)
    bare: dict[tuple[str, int], list[LayerCall]] = {}
    for call in others.values():
        bare.setdefault(call.key[1:], []).append(call)
    names = Counter(call.key[1:] for call in mine)
    for known, call in zip(own, mine, strict=True):
        other = others.get(call.key)
        if other is None and names[call.key[1:]] == 1:
            alike = bare.get(call.key[1:], [])
            other = alike[0] if len(alike) == 1 else None
        if other is not None:
            yield known, other


def _aligned(
    mine: Sequence[LayerCall], others: Mapping[Key, LayerCall], a: Graph, b: Graph
) -> dict[Key, LayerCall]:
    """The calls of B, those of one layer numbered as those of A that read the same.

    A file may list the calls of a layer in another order than the one that it was made of.
    """
    both = {call.key[:2] for call in mine} & {key[:2] for key in others}
    ours, theirs = _origins(a, mine, both), _origins(b, others.values(), both)
    waiting: dict[int | None, list[LayerCall]] = {}
    for call in others.values():
        waiting.setdefault(theirs.get(call), []).append(call)
    found = dict[Key, LayerCall]()
    for call in mine:
        alike = waiting.get(ours.get(call))
        if call.key[:2] in both and alike:
            found[call.key] = alike.pop(0)
    used = set(found.values())
    missed = {key[:2] for key, call in others.items() if call not in used}
    kept = {key: call for key, call in others.items() if key[:2] in missed or key[:2] not in both}
    return {key: call for key, call in found.items() if key[:2] not in missed} | kept


def _origins(
    graph: Graph, calls: Iterable[LayerCall], known: Container[tuple[tuple[str, ...], str]]
) -> dict[LayerCall, int]:
    """For each call a number that tells what it is made of: calls of known layers, and inputs."""
    owner = {node: call for call in calls for node in call.nodes if call.key[:2] in known}
    origins = {value: frozenset({index}) for index, value in enumerate(graph.inputs)}
    reads: dict[LayerCall, list[frozenset[int]]] = {}
    found: dict[LayerCall, int] = {}
    for node in graph.nodes:
        given = [value for value in node.inputs if value is not None and value in origins]
        call = owner.get(node)
        if call is None:
            made = frozenset[int]().union(*(origins[value] for value in given))
        else:
            own = {value for part in call.nodes for value in part.results}
            reads.setdefault(call, []).extend(origins[v] for v in given if v not in own)
            found[call] = hash((call.key[:2], tuple(reads[call])))
            made = frozenset({found[call]})
        origins |= dict.fromkeys(node.results, made)
    return found


def gathered(calls: Sequence[LayerCall], known: set[Key], graph: Graph) -> dict[Key, LayerCall]:
    """Calls by key, those of helping layers made part of the call that they help.

    A layer may be written as several: `conv1` with its pads as `conv1_pad` before it and its
    activation as `conv1_activation` behind it; those of a wrapped layer are called after what is
    around it. What they make together is the layer's result; a mask is none of it.
    """
    found = {call.key: call for call in calls}
    around = {outer: call.key for call in calls for outer in call.around}
    place = {node: index for index, node in enumerate(graph.nodes)}
    for call in calls:
        scope, name, number = call.key
        ends = [index for index, letter in enumerate(name) if letter == "_"]
        helped = [(scope, name[:end], number) for end in reversed(ends)]
        helped = [around.get(key, key) for key in helped]
        owner = next((key for key in helped if key in known), None)
        helps = call.key not in known and call.last.result.dtype != "bool"
        if helps and owner in found and found[owner].touches(call):
            nodes = sorted((*found[owner].nodes, *call.nodes), key=place.__getitem__)
            found[owner] = LayerCall(owner, nodes)
            del found[call.key]
    return found
