"""Which axis of one model stands for which axis of another, read from two files.

Axes are identities within one graph only. Between two files of the same model they are matched by
what layers of the same name bind (a convolution's channels are its channels, wherever they stand),
and by role and size where no layer says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from ..ir.copyplan import rearrange
from ..ir.graph import Graph, Layer, Node
from ..ir.layout import (
    Axis,
    Fused,
    Joined,
    Labelled,
    Layout,
    Reversed,
    Term,
    axes_of,
    rebuild,
    size_of,
    substance,
)
from ..ir.signature import REST
from ..ir.source import Array
from ..ir.tensor import Param, Stored
from .spelling import Key, spelt

CHANNELS = frozenset({"C", "G", "M", "F", "O", "X"})
"""Roles of axes that a layer may have in groups."""


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


class Matching:
    """Axes of a graph B in terms of the axes of a graph A."""

    def __init__(self) -> None:
        self._of: dict[Axis, Axis] = {}

    def learn_calls(self, a: LayerCall, b: LayerCall) -> None:
        """Take it that two calls are of the same layer."""
        for x, y in a.alike(b):
            self.learn_node(x, y)

    def learn(self, a: Sequence[Term], b: Sequence[Term]) -> None:
        """Take it that these terms correspond, each with each; what is known already stays."""
        for mine, other in zip(a, b, strict=False):
            self._learn(mine, other)

    def learn_node(self, a: Node, b: Node) -> None:
        """Take it that two nodes are the same layer's: what they bind corresponds."""
        for name in a.axes.keys() & b.axes.keys() - {REST}:
            mine, other = a.axes[name], b.axes[name]
            if len(mine) == len(other) and (len(mine) == 1 or name in a.op.ordered):
                self.learn(mine, other)

    def _learn(self, a: Term, b: Term) -> None:
        if isinstance(a, Axis) and isinstance(b, Axis):
            if _fits(a, b) and 1 not in {a.size, b.size}:
                self._of.setdefault(b, a)
        elif isinstance(a, (Reversed, Labelled)) and type(a) is type(b):
            self._learn(a.axis, b.axis)
        elif isinstance(a, Joined) and isinstance(b, Joined) and len(a.parts) == len(b.parts):
            self.learn(a.parts, b.parts)
        elif isinstance(a, Fused) and isinstance(b, Fused) and len(a.terms) == len(b.terms):
            pairs = list(zip(a.terms, b.terms, strict=True))
            if all(size_of(x) == size_of(y) and _role(x) == _role(y) for x, y in pairs):
                self.learn(a.terms, b.terms)

    def mapping(self, b: Layout, a: Layout) -> dict[Axis, Term] | None:
        """For each axis of a layout of B the one of a layout of A; None if some have none."""
        ours = [axis for axis in axes_of(a.terms) if axis.size != 1]
        theirs = [axis for axis in axes_of(b.terms) if axis.size != 1]
        mapping: dict[Axis, Term] = {}
        free = list(ours)
        for axis in theirs:
            known = axis if axis in free else self._of.get(axis)
            if known in free and known is not None:
                mapping[axis] = known
                free.remove(known)
        for alike in (_same_role, _fits):
            for axis in theirs:
                if axis not in mapping:
                    match = next((other for other in free if alike(other, axis)), None)
                    if match is not None:
                        mapping[axis] = match
                        free.remove(match)
        return None if free or len(mapping) < len(theirs) else mapping

    def translated(self, b: Layout, a: Layout) -> Layout | None:
        """A layout of B over the axes of a layout of A; None if they do not correspond."""
        mapping = self.mapping(b, a)
        if mapping is None:
            return self._by_fusions(b, a)
        found = Layout(tuple(rebuild(term, mapping) for term in b.terms))
        return found if _made_of(found) == _made_of(a) else None

    def _by_fusions(self, b: Layout, a: Layout) -> Layout | None:
        """As `translated`, where what one has fused is one axis of the other.

        Such are the channels of a grouped convolution that is written as one of all channels.
        """
        whole = dict[Term, Term]()
        for term in b.terms:
            match = next((o for o in a.terms if o not in whole.values() and _one_of(o, term)), None)
            if match is not None:
                whole[term] = match
        ours = Layout(tuple(term for term in a.terms if term not in whole.values()))
        mapping = self.mapping(Layout(tuple(t for t in b.terms if t not in whole)), ours)
        if not whole or mapping is None:
            return None
        return Layout(tuple(whole.get(term) or rebuild(term, mapping) for term in b.terms))

    def retagged(self, param: Param, b: Layout, a: Layout) -> Param | None:
        """A parameter of B over the axes of A; None if they do not correspond.

        Args:
            param: As a node of B uses it.
            b: Its canonical layout there.
            a: The canonical layout of what it is compared with.
        """
        mapping = self.mapping(b, a)
        if mapping is None or self.translated(b, a) is None:
            return None
        stored = tuple(
            Stored(
                Layout(tuple(rebuild(term, mapping) for term in one.layout.terms)),
                {axis: label for was, label in one.at.items() if (axis := _one(mapping, was))},
            )
            for one in param.stored
        )
        return Param(param.weight, stored)

    def brought(self, array: Array, b: Layout, a: Layout) -> Array | None:
        """An array of B as A has it; None if the layouts do not correspond."""
        layout = self.translated(b, a)
        return None if layout is None else _rearranged(array, layout, a)

    def sent(self, array: Array, a: Layout, b: Layout) -> Array | None:
        """An array of A as B has it; None if the layouts do not correspond."""
        layout = self.translated(b, a)
        return None if layout is None else _rearranged(array, a, layout)


def _rearranged(array: Array, have: Layout, want: Layout) -> Array:
    """The array in another layout; as it is where that is the same, whatever its open sizes are."""
    return array if have == want else rearrange(array, have, want)


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
        owner = next((key for key in helped if key in known and key in found), None)
        helps = call.key not in known and call.last.result.dtype != "bool"
        if helps and owner is not None and found[owner].touches(call):
            nodes = sorted((*found[owner].nodes, *call.nodes), key=place.__getitem__)
            found[owner] = LayerCall(owner, nodes)
            del found[call.key]
    return found


def guessed(known: Layout, shape: Sequence[int | None]) -> Layout | None:
    """The layout of dimensions that are not described: as known, or with the channels elsewhere.

    Args:
        known: The layout of the same value in another file.
        shape: Extents; None where open.
    """
    terms = known.terms
    last = (*terms[:1], *terms[2:], *terms[1:2])
    first = (*terms[:1], *terms[-1:], *terms[1:-1])
    for order in (terms, last, first):
        sizes = [size_of(term) for term in order]
        pairs = list(zip(sizes, shape, strict=False))
        if len(sizes) == len(shape) and all(x == y or None in {x, y} for x, y in pairs):
            return Layout(order)
    return None


def _fits(a: Axis, b: Axis) -> bool:
    return a.size == b.size or None in {a.size, b.size}


def _one(mapping: dict[Axis, Term], axis: Axis) -> Axis | None:
    found = mapping.get(axis, axis)
    return found if isinstance(found, Axis) else None


def _one_of(a: Term, b: Term) -> bool:
    """Whether one is a fusion of channels of an extent that the other has as one axis."""
    fused, axis = (a, b) if isinstance(a, Fused) else (b, a)
    if not isinstance(fused, Fused) or not isinstance(axis, Axis) or size_of(fused) is None:
        return False
    roles = {part.role for part in axes_of((fused, axis))}
    return roles <= CHANNELS and size_of(fused) == axis.size


def _same_role(a: Axis, b: Axis) -> bool:
    return a.role == b.role and _fits(a, b)


def _role(term: Term) -> str:
    return term.role if isinstance(term, Axis) else ""


def _made_of(layout: Layout) -> frozenset[object]:
    return frozenset().union(*(substance(term) for term in layout.terms))
