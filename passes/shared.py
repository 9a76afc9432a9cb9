"""Weights used more than once: one weight never gets two layouts.

The uses are aligned like the inputs of an Add. The first use leads; the others' activations are
coerced to what it settled. Where the uses do not correspond, all keep the source order.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..ir.graph import Graph, Node
from ..ir.layout import AxisMap, Terms, correspond, rebuild
from ..ir.plan import Settled
from ..ir.signature import REST
from ..ir.tensor import Param, Weight


class Locks:
    """Which bindings of which nodes an earlier use decides."""

    def __init__(self, graph: Graph) -> None:
        self._leader: dict[Node, tuple[Node, AxisMap]] = {}
        self._pinned: set[Node] = set()
        self._leads: set[Node] = set()
        self._bound: dict[Node, Mapping[str, Terms]] = {}
        first: dict[Weight, tuple[Node, Param]] = {}
        users: dict[Weight, list[Node]] = {}
        for node in graph.nodes:
            for param in node.params.values():
                users.setdefault(param.weight, []).append(node)
                leader, there = first.setdefault(param.weight, (node, param))
                if leader is not node:
                    self._follow(node, param, leader, there, users[param.weight])

    def _follow(
        self, node: Node, param: Param, leader: Node, there: Param, users: list[Node]
    ) -> None:
        known, mapping = self._leader.setdefault(node, (leader, {}))
        fits = known is leader
        for a, b in zip(there.stored, param.stored, strict=True):
            fits = fits and len(a.layout.terms) == len(b.layout.terms)
            pairs = zip(a.layout.terms, b.layout.terms, strict=False)
            fits = fits and all(correspond(x, y, mapping) for x, y in pairs)
            # an axis that a source holds one label of alone, as Keras 1's gates
            fits = fits and tuple(a.at.values()) == tuple(b.at.values())
            mapping.update(zip(a.at, b.at, strict=False))
        self._leads.add(leader)
        if not fits:
            self._pinned.update(users)

    def begin(self) -> None:
        """Forget what an earlier round settled."""
        self._bound.clear()

    def note(self, settled: Settled) -> None:
        """Remember what a leading use settled."""
        if settled.node in self._leads:
            self._bound[settled.node] = settled.bound

    def of(self, node: Node) -> Mapping[str, Terms]:
        """The bindings of a node that are settled already, with their terms."""
        names = {n for name in node.params for n in node.op.port(name).pattern.bindings} - {REST}
        if node in self._pinned:
            return {name: node.axes[name] for name in names}
        if node not in self._leader:
            return {}
        leader, mapping = self._leader[node]
        bound = self._bound[leader]
        return {
            name: tuple(rebuild(term, mapping) for term in bound[name])
            for name in names
            if name in bound
        }
