"""What all writers of one file share: the plan, the target, and what has been written so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ...ir.graph import Layer, Node, Value
from ...ir.model import Model
from ...ir.ops.embedding import Masking
from ...ir.plan import Plan, Settled
from ...ir.report import Report
from ...ir.tensor import Weight
from .dialects import Dialect
from .followers import followers
from .own_words import is_native


class Emission:
    """One try at a plan.

    Attributes:
        dialect: The target.
        backend: The backend whose kernels and whose `same` the target has.
        report: What there is to tell.
        native: Whether the source is in the target's dialect already.
        masks: The mask that comes out of each layer of the source which makes one.
        makers: By mask that a layer carries along: the node that makes it.
        fused: Nodes that have been written with the one before them.
        spoken: The latest vocabulary that something written needs; "" for the target's own.
    """

    def __init__(self, model: Model, plan: Plan, dialect: Dialect, backend: str) -> None:
        self.model, self.plan, self.dialect, self.backend = model, plan, dialect, backend
        self.report, self.native = Report(), is_native(model, dialect)
        self.fused: set[Node] = set()
        self.spoken = ""
        self.masks: dict[Layer, Value] = {}
        self.makers = _makers(plan.settled)
        self._followers = followers(plan)
        self._derived: dict[tuple[Weight, str], Weight] = {}
        self._read = {value for node in plan.graph.nodes for value in node.inputs}
        self._read |= set(plan.graph.outputs)
        self._parts: dict[Layer, dict[str, Settled]] = {}
        for settled in plan.settled:
            layer, part = settled.node.layer, settled.node.part
            if layer is not None and part:
                self._parts.setdefault(layer, {})[part] = settled
            if layer is not None and part == "mask":
                self.masks[layer] = settled.node.result

    def follower(self, node: Node) -> Settled | None:
        """The node right behind a main one, of the same layer, past which nobody reads."""
        return self._followers.get(node)

    def parts(self, layer: Layer | None) -> Mapping[str, Settled]:
        """The nodes of one call of a layer, by which part of it they are."""
        return self._parts.get(layer, {}) if layer is not None else {}

    def is_read(self, value: Value) -> bool:
        """Whether a node or the caller gets the value."""
        return value in self._read

    def derived(self, weight: Weight, how: str, make: Callable[[Weight], Weight]) -> Weight:
        """A weight computed from another: the same one for every call of a shared layer."""
        if (weight, how) not in self._derived:
            self._derived[weight, how] = make(weight)
        return self._derived[weight, how]

    def speak(self, vocabulary: str) -> None:
        """Say that something is written that only a later vocabulary has."""
        self.spoken = vocabulary or self.spoken

    def fuse(self, node: Node) -> None:
        """Say that a node has been written with the one before it."""
        self.fused.add(node)


def _makers(nodes: Iterable[Settled]) -> dict[Value, Settled]:
    """By mask that a layer carries along: the node that makes it."""
    found: dict[Value, Settled] = {}
    for settled in nodes:
        node: Node = settled.node
        if node.part == "mask":
            found.update(dict.fromkeys(node.results, settled))
        elif isinstance(node.op, Masking):
            found[node.results[1]] = settled
    return found
