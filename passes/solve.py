"""Solving for layouts: backward wishes, a forward choice, a coercion where an edge disagrees.

One function stands for three passes that users name: relayout, reorder_dense and
cancel_transposes. Nothing is patched, so nothing piles up and nothing is left to cancel.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from ..errors import LayoutError
from ..ir.coerce import decompose
from ..ir.graph import Graph, Value
from ..ir.layout import Layout, find
from ..ir.plan import Coercion, Held, Plan, Policy, Settled, Step
from . import rules
from .shared import Locks
from .views import is_pure

ROUNDS = 4
"""How often the coerced edges' wants become the next round's first wishes, while that helps."""


def solve(graph: Graph, policy: Policy) -> Plan:
    """Choose a layout for every value and parameter.

    Args:
        graph: What is meant.
        policy: What the target wants.

    Returns:
        Of the plans tried the one that moves least: with wishes, with inputs brought into the
        order wished for before anything else, with further rounds of wishes, without any, and as
        authored where that complies. There is no cost model beyond that count; of equals the one
        that moves least between the model's borders, and in the fewest steps. What is authored
        and moves nothing is taken at once; what moves at the borders alone ends the search.
    """
    if policy.order == "source":
        return authored(graph, policy)
    own = authored(graph, policy) if complies(graph, policy) else None
    if own is not None and (policy.preserve or not moves(own)):
        return own
    locks = Locks(graph)
    plans = [_solve_once(graph, policy, locks, {}, wishing=True)]
    if plans[0].inner_coercions and policy.io == "keep":
        plans.append(_solve_once(graph, policy, locks, {}, wishing=True, at_inputs=True))
    if all(plan.inner_coercions for plan in plans):
        plans[0] = _further_rounds(plans[0], locks)
        plans.insert(1, _solve_once(graph, policy, locks, {}, wishing=False))
    if own is not None:
        plans.append(own)
    return min(plans, key=_cost)


def _cost(plan: Plan) -> tuple[int, int, int]:
    """Moves in all, those between the model's borders, and the steps that they take."""
    inner, turns = plan.inner_coercions, _turns(plan)
    return len(plan.coercions) + turns, len(inner) + turns, sum(map(_steps, inner)) + turns


def _steps(move: Coercion) -> int:
    try:
        return len(decompose(move.have, move.want))
    except LayoutError:  # not to be done: the exporter says so, if there is no other way
        return sys.maxsize


def moves(plan: Plan) -> int:
    """How many times the plan moves an activation's numbers: coercions and views that are none."""
    return len(plan.coercions) + _turns(plan)


def _turns(plan: Plan) -> int:
    """How many views move numbers."""
    views = (s for s in plan.settled if s.node.op.rule == "view")
    return sum(not is_pure(s.input, s.results[0]) for s in views)


def _further_rounds(best: Plan, locks: Locks) -> Plan:
    """The best of several rounds: what one had to coerce, the next one wishes for."""
    for _ in range(ROUNDS):
        if not best.inner_coercions:
            break
        hints = {c.value: c.want for c in best.coercions}
        plan = _solve_once(best.graph, best.policy, locks, hints, wishing=True)
        if len(plan.coercions) >= len(best.coercions):
            break
        best = plan
    return best


def complies(graph: Graph, policy: Policy) -> bool:
    """Whether the author's orders already are what the policy wants of every spatial op."""
    return all(rules.complies(node, policy) for node in graph.nodes)


def authored(graph: Graph, policy: Policy) -> Plan:
    """The plan in which everything lies as the model's author had it: no coercion at all."""
    steps = [rules.as_authored(node) for node in graph.nodes]
    inputs = tuple(Held(value, value.layout) for value in graph.inputs)
    outputs = tuple(Held(value, value.layout) for value in graph.outputs)
    return Plan(graph, policy, inputs, tuple(steps), outputs)


def _solve_once(
    graph: Graph,
    policy: Policy,
    locks: Locks,
    hints: Mapping[Value, Layout],
    *,
    wishing: bool,
    at_inputs: bool = False,
) -> Plan:
    """One round: wishes against the graph's direction, choices along it."""
    wishes = dict(hints)
    if wishing:
        _wish(graph, policy, wishes)
    state = _Forward(policy)
    inputs = []
    for value in graph.inputs:
        wish = wishes.get(value)
        wanted = matched(value, wish) if wish else value.layout
        inputs.append(Held(value, wanted if policy.io == "match" else value.layout))
        state.feed(inputs[-1], wanted if at_inputs else inputs[-1].layout)
    locks.begin()
    for node in graph.nodes:
        arriving = [None if v is None else state.layouts[v] for v in node.inputs]
        wished = [wishes.get(value) for value in node.results]
        settled = rules.settle(node, arriving, wished, policy, locks.of(node))
        locks.note(settled)
        state.place(settled)
    outputs = tuple(state.output(value) for value in graph.outputs)
    return Plan(graph, policy, tuple(inputs), tuple(state.steps), outputs)


def _wish(graph: Graph, policy: Policy, wishes: dict[Value, Layout]) -> None:
    """What consumers would like, against the graph's direction; the first opinion counts."""
    if policy.io == "keep":
        for value in graph.outputs:
            wishes.setdefault(value, value.layout)
    for node in reversed(graph.nodes):
        wished = [wishes.get(value) for value in node.results]
        for source, wish in zip(node.inputs, rules.wishes(node, wished, policy), strict=True):
            if source is not None and wish is not None:
                wishes.setdefault(source, wish)


def matched(value: Value, layout: Layout) -> Layout:
    """A layout for the caller's side: its order of terms, but each term as the author had it.

    A flattened feature map stays in the order that the old model's users know.
    """
    return Layout(tuple(value.axes[find(value.axes, term)] for term in layout.terms))


class _Forward:
    """What is known on the way forwards: layouts, steps, and the coercions already made."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.layouts: dict[Value, Layout] = {}
        self.steps: list[Step] = []
        self._coerced: set[tuple[Value, Layout]] = set()

    def feed(self, held: Held, wanted: Layout) -> None:
        """Begin with an input, brought into another layout where that is wanted."""
        self.layouts[held.value] = held.layout
        self._need(Held(held.value, wanted))
        self._coerced.add((held.value, held.layout))
        self.layouts[held.value] = wanted

    def place(self, settled: Settled) -> None:
        for held in settled.inputs:
            if held is not None:
                self._need(held)
        self.steps.append(settled)
        for value, layout in zip(settled.node.results, settled.results, strict=True):
            self.layouts[value] = layout

    def output(self, value: Value) -> Held:
        keep = self.policy.io == "keep"
        have = self.layouts[value]
        held = Held(value, value.layout if keep else matched(value, have))
        self._need(held)
        return held

    def _need(self, held: Held) -> None:
        have = self.layouts[held.value]
        if have != held.layout and (held.value, held.layout) not in self._coerced:
            self._coerced.add((held.value, held.layout))
            self.steps.append(Coercion(held.value, have, held.layout))
