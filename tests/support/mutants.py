"""Plans with one layout wrong: what a checker must not let pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from kerasir.errors import CheckError
from kerasir.ir.check import check
from kerasir.ir.graph import Value
from kerasir.ir.layout import (
    Axis,
    Fused,
    Joined,
    Labelled,
    Layout,
    Reversed,
    Term,
    Terms,
    key,
    size_of,
)
from kerasir.ir.plan import Coercion, Held, Plan, Settled
from kerasir.ir.tensor import Param


class Mutant(NamedTuple):
    """A plan with a fault, and what the fault is."""

    what: str
    plan: Plan


def missed(mutants: Iterable[Mutant]) -> tuple[int, list[str]]:
    """How many there were, and those that the checker lets pass."""
    count, passed = 0, []
    for mutant in mutants:
        count += 1
        try:
            check(mutant.plan)
        except CheckError:
            continue
        passed.append(mutant.what)
    return count, passed


def weights_wrong(plan: Plan) -> Iterator[Mutant]:
    """Every weight of every node, wanted in each wrong way."""
    for index, step in enumerate(plan.steps):
        if not isinstance(step, Settled):
            continue
        for name, layout in step.params.items():
            seen = {layout}
            for how, wrong in (*_as_stored(step.node.params[name], layout), *_wrong(layout)):
                if wrong not in seen and _moves(layout, wrong):
                    seen.add(wrong)
                    params = {**step.params, name: wrong}
                    what = f"{step.node.name}/{name} {how}: {wrong} for {layout}"
                    yield Mutant(what, _with_step(plan, index, replace(step, params=params)))


def values_wrong(plan: Plan) -> Iterator[Mutant]:
    """Every value in every layout that it has, lying otherwise at all places that know of it."""
    known: dict[tuple[Value, Layout], None] = {}
    for step in plan.steps:
        if isinstance(step, Settled):
            pairs = zip(step.node.results, step.results, strict=True)
            known.update(dict.fromkeys(pairs))
        else:
            known[step.value, step.want] = None
    for value, layout in known:
        for how, wrong in _wrong(layout):
            if not isinstance(wrong, Reversed) and _moves(layout, wrong):
                yield Mutant(
                    f"{value.name} {how}: {wrong} for {layout}",
                    _relaid(plan, value, layout, wrong),
                )


def inputs_wrong(plan: Plan) -> Iterator[Mutant]:
    """Every input of every node, believed to lie otherwise by that node alone."""
    for index, step in enumerate(plan.steps):
        if isinstance(step, Settled):
            for at, held in enumerate(step.inputs):
                for how, wrong in () if held is None else _wrong(held.layout):
                    if held is not None and _moves(held.layout, wrong):
                        inputs = list(step.inputs)
                        inputs[at] = Held(held.value, wrong)
                        what = f"input {at} of {step.node.name} {how}: {wrong}"
                        changed = replace(step, inputs=tuple(inputs))
                        yield Mutant(what, _with_step(plan, index, changed))


def bindings_wrong(plan: Plan) -> Iterator[Mutant]:
    """Every binding of every node that a port names, told otherwise."""
    for index, step in enumerate(plan.steps):
        if isinstance(step, Settled) and step.node.op.rule == "ports":
            ports = (*step.node.op.inputs, *step.node.op.params, *step.node.op.results)
            for name in sorted({name for port in ports for name in port.pattern.bindings}):
                terms = step.bound[name]
                for how, wrong in _wrong(Layout(terms)):
                    rest = name == "..." and sorted(map(id, terms)) == sorted(map(id, wrong.terms))
                    if not rest and _moves(Layout(terms), wrong):
                        bound = {**step.bound, name: wrong.terms}
                        what = f"{name} of {step.node.name} {how}: {wrong}"
                        yield Mutant(what, _with_step(plan, index, replace(step, bound=bound)))


def coercions_missing(plan: Plan) -> Iterator[Mutant]:
    """Each coercion left out."""
    for index, step in enumerate(plan.steps):
        if isinstance(step, Coercion):
            steps = plan.steps[:index] + plan.steps[index + 1 :]
            yield Mutant(f"no coercion of {step.value.name}", replace(plan, steps=steps))


def _with_step(plan: Plan, index: int, step: Settled) -> Plan:
    return replace(plan, steps=(*plan.steps[:index], step, *plan.steps[index + 1 :]))


def _relaid(plan: Plan, value: Value, old: Layout, new: Layout) -> Plan:
    def held(each: Held | None) -> Held | None:
        if each is None or each.value is not value or each.layout != old:
            return each
        return Held(value, new)

    steps: list[Settled | Coercion] = []
    for step in plan.steps:
        if isinstance(step, Coercion):
            if step.value is value:
                have = new if step.have == old else step.have
                step = Coercion(value, have, new if step.want == old else step.want)
            steps.append(step)
        else:
            pairs = zip(step.node.results, step.results, strict=True)
            results = [new if made is value and lies == old else lies for made, lies in pairs]
            inputs = tuple(map(held, step.inputs))
            steps.append(replace(step, inputs=inputs, results=tuple(results)))
    outputs = tuple(each for output in plan.outputs if (each := held(output)))
    return replace(plan, steps=tuple(steps), outputs=outputs)


# ---- wrong layouts -------------------------------------------------------------------------


def _as_stored(param: Param, layout: Layout) -> Iterator[tuple[str, Layout]]:
    """Each term left in the inner order in which it is stored."""
    lying = {key(term): term for stored in param.stored for term in stored.layout.terms}
    for at, term in enumerate(layout.terms):
        stored = lying.get(key(term))
        if stored is not None:
            yield "left as stored", _at(layout, at, stored)


def _wrong(layout: Layout) -> Iterator[tuple[str, Layout]]:
    terms = layout.terms
    for at, term in enumerate(terms):
        for how, wrong in _wrong_inside(term):
            yield how, _at(layout, at, wrong)
    for at in range(len(terms) - 1):
        swapped = (*terms[:at], terms[at + 1], terms[at], *terms[at + 2 :])
        yield "with two dimensions swapped", Layout(swapped)


def _wrong_inside(term: Term) -> Iterator[tuple[str, Term]]:
    if isinstance(term, Axis):
        if term.size != 1:
            yield "reversed", Reversed(term)
    elif isinstance(term, Reversed):
        yield "reversed", term.axis
    elif isinstance(term, Labelled):
        yield "with wrong labels", Labelled(term.axis, (*term.labels[1:], term.labels[0]))
    elif isinstance(term, Fused):
        for at in range(len(term.terms) - 1):
            yield "with two units swapped", Fused(_swapped(term.terms, at))
        yield from _inside(term.terms, Fused)
    else:
        for at in range(len(term.parts) - 1):
            yield "with two parts swapped", Joined(_swapped(term.parts, at))
        yield from _inside(term.parts, Joined)


def _inside(terms: Terms, make: Callable[[Terms], Term]) -> Iterator[tuple[str, Term]]:
    for at, inner in enumerate(terms):
        for how, wrong in _wrong_inside(inner):
            yield how, make((*terms[:at], wrong, *terms[at + 1 :]))


def _swapped(terms: Terms, at: int) -> Terms:
    return (*terms[:at], terms[at + 1], terms[at], *terms[at + 2 :])


def _at(layout: Layout, at: int, term: Term) -> Layout:
    return Layout((*layout.terms[:at], term, *layout.terms[at + 1 :]))


def _moves(layout: Layout, wrong: Layout) -> bool:
    """Whether more than axes of size one stand elsewhere."""
    return _solid(layout.terms) != _solid(wrong.terms)


def _solid(terms: Terms) -> list[object]:
    found: list[object] = []
    for term in terms:
        if isinstance(term, Fused):
            found += _solid(term.terms)
        elif isinstance(term, Joined):
            found.append(tuple(tuple(_solid((part,))) for part in term.parts))
        elif size_of(term) != 1:
            found.append(term)
    return found
