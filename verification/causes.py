"""Why numbers differ: each known trap is undone in turn, and named if the numbers then agree.

Nothing is guessed. A cause is reported only when the model computes the same without it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from msgspec.structs import replace

from ..engines import Engine, Reference
from ..eras.storage import REVERSED
from ..errors import KerasirError
from ..ir.graph import Graph, Node, Value
from ..ir.layout import Axis, Fused, Labelled, Layout, Term, axes_of, fuse, reverse
from ..ir.op import Op
from ..ir.ops.activation import Elementwise
from ..ir.plan import Policy, Settled
from ..ir.source import Array
from ..ir.tensor import Param, Stored
from ..passes.solve import solve
from .calls import LayerCall
from .compare import compare
from .feeds import Feed
from .matching import Matching
from .records import Cause

Explanation = tuple[Cause | None, tuple[str, ...]]
"""The cause, if one was found, and the names of what was tried in vain."""

KERNEL, PADDING, ROWS, GATES = "reversed kernel", "padding", "row order", "gate order"
CONVERTED = frozenset({KERNEL, PADDING, ROWS, GATES})
"""Causes that a conversion of the one file into the other takes care of."""


class Variant(NamedTuple):
    """Nodes with one trap undone."""

    name: str
    text: str
    nodes: Sequence[Node]


# ---- one layer of two models ---------------------------------------------------------------------


def cause_of_layer(
    a: Engine,
    b: Engine,
    mine: LayerCall,
    other: LayerCall,
    matching: Matching,
    feed: Feed,
    tolerance: float,
) -> Explanation:
    """Why one layer differs: in B it is run on A's input, with each trap undone."""
    if not isinstance(a, Reference) or not isinstance(b, Reference):
        return None, ()
    trial = _Trial(a, mine, other, matching, feed, tolerance)
    if not trial.possible:
        return None, ()
    left = trial.error(other.nodes)
    if left <= tolerance:
        text = "what reaches the layer. On A's input the layer itself computes the same"
        return Cause("input", text, left), ()
    variants = itertools.chain(_settings(mine, other), _traps(other.nodes))
    return _first_that_helps(variants, trial.error, tolerance)


class _Trial:
    """One layer's nodes of B, run on what A's layer was given."""

    def __init__(
        self,
        a: Reference,
        mine: LayerCall,
        other: LayerCall,
        matching: Matching,
        feed: Feed,
        tolerance: float,
    ) -> None:
        self.matching, self.tolerance = matching, tolerance
        self.mine, self.other = mine.last.result, other.last.result
        sources, self.targets = _outside(mine.nodes), _outside(other.nodes)
        held = _captured(a, feed, [*sources, self.mine])
        self.wanted = held.get(self.mine)
        self.inputs = [
            matching.sent(held[x], x.layout, y.layout)
            for x, y in zip(sources, self.targets, strict=False)
            if x in held
        ]
        self.possible = self.wanted is not None and (
            len(self.inputs) == len(sources) == len(self.targets)
        )

    def error(self, nodes: Sequence[Node]) -> float:
        """How far the layer's result is from A's with these nodes; infinite if it cannot run."""
        inputs = [array for array in self.inputs if array is not None]
        if self.wanted is None or len(inputs) < len(self.inputs):
            return float("inf")
        graph = Graph(self.targets, nodes, [self.other])
        found = _outputs(graph, inputs)
        if found is None:
            return float("inf")
        brought = self.matching.brought(found[0], self.other.layout, self.mine.layout)
        return compare("", "layer", self.wanted, brought, self.tolerance).error


def _outside(nodes: Sequence[Node]) -> list[Value]:
    """Values that nodes read and do not make, in the order of first use."""
    made = {value for node in nodes for value in node.results}
    read = (v for node in nodes for v in node.inputs if v is not None and v not in made)
    return list(dict.fromkeys(read))


def _captured(engine: Reference, feed: Feed, values: Sequence[Value]) -> dict[Value, Array]:
    """The arrays of some values, by running the model once more."""
    wanted = set(values)
    inputs = zip(engine.model.graph.inputs, feed.arrays, strict=True)
    held = {value: array for value, array in inputs if value in wanted}

    def watch(settled: Settled, results: tuple[Array, ...]) -> None:
        pairs = zip(settled.node.results, results, strict=True)
        held.update((value, array) for value, array in pairs if value in wanted)

    engine.run(feed.arrays, watch)
    return held


def _settings(mine: LayerCall, other: LayerCall) -> Iterator[Variant]:
    """B's layer with a setting of A's: pads, epsilon, a slope, another function."""
    for x, y in mine.alike(other):
        for name in x.op.__struct_fields__:
            a, b = getattr(x.op, name), getattr(y.op, name)
            if a != b:
                word = PADDING if name in {"padding", "cropping"} else name
                text = f"{word}. B has {_said(b)}, A has {_said(a)}"
                yield Variant(word, text, _with(other.nodes, y, replace(y.op, **{name: a})))
    for x in mine.nodes:
        for y in other.nodes:
            functions = isinstance(x.op, Elementwise) and isinstance(y.op, Elementwise)
            if x.part == y.part and functions and x.op.kind != y.op.kind:
                text = f"activation. B computes {y.op.kind}, A {x.op.kind}"
                yield Variant("activation", text, _with(other.nodes, y, x.op))


def _said(value: object) -> str:
    if isinstance(value, Op):
        fields = ", ".join(f"{n} {getattr(value, n)}" for n in value.__struct_fields__)
        return f"{value.kind} ({fields})" if fields else value.kind
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return " ".join(",".join(map(str, pair)) for pair in value)
    return str(value)


def _with(nodes: Sequence[Node], changed: Node, op: Op) -> list[Node]:
    return [_copy(node, op=op) if node is changed else node for node in nodes]


# ---- a whole model against known answers ---------------------------------------------------------


def cause_of_answers(
    engine: Reference,
    feed: Feed,
    answers: Sequence[Array],
    tolerance: float,
    reading: Mapping[str, Any],
) -> Explanation:
    """Why a model's outputs are not the known answers: it is run with each trap undone."""

    def error(nodes: Sequence[Node], model: Graph = engine.model.graph) -> float:
        outputs = _outputs(Graph(model.inputs, nodes, model.outputs), feed.arrays)
        if outputs is None:
            return float("inf")
        pairs = zip(answers, outputs, strict=True)
        errors = [compare("", "output", a, b, tolerance).error for a, b in pairs]
        return max(errors) if all(e == e for e in errors) else float("inf")  # NaN is no number

    other, backend = _read_as_other(engine, reading)
    tried: list[str] = []
    if other is not None:
        left = error(other.nodes, other)
        if left <= tolerance:
            text = f"backend. Read as written by {backend}, the model gives these answers"
            return Cause("backend", text, left, fix=f"--backend {backend}"), ()
        tried.append("backend")
    cause, others = _first_that_helps(_traps(engine.model.graph.nodes), error, tolerance)
    tried += others
    if cause is not None:
        return replace(cause, tried=(*tried, *cause.tried)), ()
    pads = None if other is None else _reversed(other.nodes)
    if other is None or pads is None:
        return None, tuple(tried)
    left = error(pads, other)
    if left <= tolerance:
        text = f"{PADDING}. With the pads of {backend} the model gives these answers"
        return Cause(PADDING, text, left, tuple(tried)), ()
    return None, (*tried, PADDING)


def _read_as_other(engine: Reference, reading: Mapping[str, Any]) -> tuple[Graph | None, str]:
    """The model, read as if the other kind of backend had written it."""
    from ..loading import load

    backend = "tensorflow" if engine.model.facts.backend.value == "theano" else "theano"
    try:
        return load(engine.path, **{**reading, "backend": backend}).graph, backend
    except KerasirError:  # it cannot be read so: then that is not the cause
        return None, backend


# ---- traps in how weights are stored -------------------------------------------------------------


def _traps(nodes: Sequence[Node]) -> Iterator[Variant]:
    """The nodes with one trap undone in all of them."""
    kernels = _reversed(nodes)
    if kernels is not None:
        yield Variant(KERNEL, "a kernel read back to front. Reversed, it agrees", kernels)
    for first in (True, False):
        rows = _stored_anew(nodes, partial(_rows, channels_first=first))
        if rows is not None:
            order = "channels first" if first else "channels last"
            text = f"{ROWS}. With rows taken as {order}, it agrees"
            yield Variant(ROWS, text, rows)
    for labels in _gate_orders(nodes):
        gates = _stored_anew(nodes, partial(_relabelled, labels=labels))
        if gates is not None:
            text = f"{GATES}. With gates taken as {' '.join(labels)}, it agrees"
            yield Variant(GATES, text, gates)


def _first_that_helps(
    variants: Iterable[Variant], error: Callable[[Sequence[Node]], float], tolerance: float
) -> Explanation:
    tried: dict[str, None] = {}
    for variant in variants:
        left = error(variant.nodes)
        if left <= tolerance:
            others = tuple(name for name in tried if name != variant.name)
            return Cause(variant.name, variant.text, left, others), ()
        tried[variant.name] = None
    return None, tuple(tried)


def _reversed(nodes: Sequence[Node]) -> list[Node] | None:
    """The nodes with every kernel of a true convolution turned; None if there is none."""

    def turn(node: Node, port: str, param: Param) -> Param:
        if (node.op.kind, port) not in REVERSED:
            return param
        taps = [b for b in node.op.port(port).pattern.bindings if b.endswith("_space")]
        space = {axis for binding in taps for axis in axes_of(node.axes[binding])}
        stored = (Stored(_turned(s.layout, space), s.at) for s in param.stored)
        return Param(param.weight, tuple(stored))

    return _rewritten(nodes, turn)


def _turned(layout: Layout, space: set[Axis]) -> Layout:
    back = [reverse(t) if set(axes_of((t,))) <= space else t for t in layout.terms]
    return Layout(tuple(back))


def _stored_anew(nodes: Sequence[Node], change: Callable[[Term], Term]) -> list[Node] | None:
    """The nodes with every stored term changed; None if that changes nothing."""

    def anew(_node: Node, _port: str, param: Param) -> Param:
        stored = (Stored(Layout(tuple(map(change, s.layout.terms))), s.at) for s in param.stored)
        return Param(param.weight, tuple(stored))

    return _rewritten(nodes, anew)


def _rows(term: Term, *, channels_first: bool) -> Term:
    """A fused term of a feature map with its channels at the other end."""
    if not isinstance(term, Fused) or any(not isinstance(t, Axis) for t in term.terms):
        return term
    terms = term.terms
    return fuse((*terms[-1:], *terms[:-1]) if channels_first else (*terms[1:], *terms[:1]))


def _gate_orders(nodes: Sequence[Node]) -> list[tuple[str, ...]]:
    """Other orders of the gates that recurrent nodes have."""
    found: dict[tuple[str, ...], None] = {}
    for node in nodes:
        for term in node.axes.get("gates", ()):
            if isinstance(term, Labelled):
                found.update(dict.fromkeys(itertools.permutations(term.labels)))
                found.pop(term.labels)
    return list(found)


def _relabelled(term: Term, labels: tuple[str, ...]) -> Term:
    if isinstance(term, Fused):
        return fuse(_relabelled(inner, labels) for inner in term.terms)
    if isinstance(term, Labelled) and sorted(term.labels) == sorted(labels):
        return Labelled(term.axis, labels)
    return term


def _rewritten(
    nodes: Sequence[Node], change: Callable[[Node, str, Param], Param]
) -> list[Node] | None:
    """Copies of the nodes with their parameters changed; None if none changed."""
    found: list[Node] = []
    changed = False
    for node in nodes:
        params = {port: change(node, port, param) for port, param in node.params.items()}
        same = all(params[port].stored == node.params[port].stored for port in params)
        changed |= not same
        found.append(node if same else _copy(node, params=params))
    return found if changed else None


def _copy(node: Node, op: Op | None = None, params: Mapping[str, Param] | None = None) -> Node:
    return Node(
        node.name,
        op or node.op,
        node.inputs,
        node.results,
        node.axes,
        node.params if params is None else params,
        node.layer,
        node.part,
    )


def _outputs(graph: Graph, inputs: Sequence[Array]) -> list[Array] | None:
    """What a graph computes; None if with the change it cannot."""
    from ..reference.evaluate import evaluate

    try:
        return evaluate(solve(graph, Policy(order="source")), inputs)
    except KerasirError:  # a variant that does not fit is no cause
        return None
