"""Whether a plan holds together: every layout against what the ops declare.

Written apart from the solver, and by declaration, not by kind of op: a checker that knows kinds
forgets kinds. What it establishes for every node: each binding lies in one and the same inner order
wherever it occurs, in inputs, results and weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ..errors import CheckError, KerasirError
from .copyplan import CopyPlan, same_order
from .graph import Node, Value
from .images import Image, content_of
from .layout import (
    Axis,
    Fused,
    Joined,
    Labelled,
    Layout,
    Reversed,
    Term,
    Terms,
    expand,
    size_of,
)
from .notation import names_of, show
from .op import Rule
from .plan import Coercion, Held, Plan, Policy, Settled
from .signature import REST, Port, Ref
from .tensor import Weight

Uses = dict[Weight, tuple[str, Layout, tuple[CopyPlan, ...]]]
"""By weight, its first use: where, in which layout, and from where to where numbers go."""


def check(plan: Plan) -> None:
    """Make sure that a plan is sound.

    Raises:
        CheckError: It is not. The error names node and port; where layouts disagree, its details
            are the one expected and the one found.
    """
    lying = _Lying()
    for graph_value, held in _paired(plan.graph.inputs, plan.inputs, "inputs"):
        lying.comes(held, f"input {graph_value.name}")
        if plan.policy.io == "keep" or plan.policy.order == "source":
            _same(graph_value.axes, held.layout, f"input {graph_value.name}")
    todo = dict.fromkeys(plan.graph.nodes)
    uses: Uses = {}
    for step in plan.steps:
        if isinstance(step, Coercion):
            lying.must_be(Held(step.value, step.have), f"a coercion of {step.value.name}")
            lying.comes(Held(step.value, step.want), f"a coercion of {step.value.name}")
        elif step.node not in todo:
            raise CheckError("the plan has it twice, or for nothing", where=step.node.name)
        else:
            del todo[step.node]
            _check_node(step, plan.policy, lying, uses)
    for node in todo:
        raise CheckError("the plan leaves it out", where=node.name)
    for graph_value, held in _paired(plan.graph.outputs, plan.outputs, "outputs"):
        lying.must_be(held, f"output {graph_value.name}")
        if plan.policy.io == "keep" or plan.policy.order == "source":
            _same(graph_value.axes, held.layout, f"output {graph_value.name}")


class _Lying:
    """Which values there are so far, and in which layouts."""

    def __init__(self) -> None:
        self._layouts: dict[Value, list[Layout]] = {}

    def comes(self, held: Held, where: str) -> None:
        """A value is there in a layout, which must have its axes and no others, each once."""
        axes, terms = held.value.axes, held.layout.terms
        if Counter(map(content_of, axes)) != Counter(map(content_of, terms)):
            raise _differ("the layout does not have the value's axes", where, axes, terms)
        leaves = [leaf for leaf in _leaves(terms) if size_of(leaf) != 1]
        if len(set(leaves)) < len(leaves):
            raise _differ("an axis comes twice", where, axes, terms)
        self._layouts.setdefault(held.value, []).append(held.layout)

    def must_be(self, held: Held, where: str) -> None:
        there = self._layouts.get(held.value)
        if there is None:
            raise CheckError(f"{held.value.name} is used before it is made", where=where)
        if held.layout not in there:
            what = f"nothing has brought {held.value.name} into this layout"
            raise _differ(what, where, held.layout.terms, there[-1].terms)


def _check_node(settled: Settled, policy: Policy, lying: _Lying, uses: Uses) -> None:
    node = settled.node
    for index, (value, held) in enumerate(zip(node.inputs, settled.inputs, strict=False)):
        if held is not None:
            lying.must_be(held, f"{node.name}/{_input_name(node, index)}")
        if value is not (None if held is None else held.value):
            where = f"{node.name}/{_input_name(node, index)}"
            raise CheckError("the plan feeds another value than the graph", where=where)
    if len(node.inputs) != len(settled.inputs) or len(node.results) != len(settled.results):
        raise CheckError("the plan has other inputs or results than the graph", where=node.name)
    for value, layout in zip(node.results, settled.results, strict=True):
        lying.comes(Held(value, layout), f"{node.name}, its result {value.name}")
    _check_bound(settled)
    _RULES[node.op.rule](settled, policy)
    _check_params(settled, uses)


def _input_name(node: Node, index: int) -> str:
    declared = node.op.inputs
    if index < len(declared) and not declared[index].variadic:
        return declared[index].name
    return f"{declared[-1].name}{index}" if declared else str(index)


# ---- bindings and ports --------------------------------------------------------------------


def _check_bound(settled: Settled) -> None:
    """Each binding keeps its axes, and their order where that has a meaning."""
    node = settled.node
    for name, source in node.axes.items():
        found = settled.bound.get(name, ())
        if Counter(map(content_of, found)) != Counter(map(content_of, source)):
            raise _differ(f"binding {name} has other axes", node.name, source, found)
        if name in node.op.ordered and found != source:
            raise _differ(f"the order inside {name} has a meaning", node.name, source, found)


def _check_ports(settled: Settled, policy: Policy) -> None:
    """Every input and result is what its port says of the bindings, as they are bound."""
    node, bound = settled.node, settled.bound
    channels_first: set[bool] = set()
    for port, held in zip(node.op.inputs, settled.inputs, strict=False):
        if held is None and not port.optional:
            raise CheckError("an input that must be there is absent", where=_at(node, port))
        if held is not None:
            if port.order == "spatial":
                channels_first.add(_check_spatial(node, port, held.layout, bound, policy))
            else:
                _same(_expected(port, held.layout, bound), held.layout, _at(node, port))
                _check_runs(settled, port, held.layout)
    first = settled.input.terms if settled.inputs and settled.inputs[0] is not None else ()
    for port, layout in zip(node.op.results, settled.results, strict=True):
        if port.order == "spatial":
            channels_first.add(_check_spatial(node, port, layout, bound, policy))
        else:
            _same(_made(port, first, bound), layout, _at(node, port))
    if len(channels_first) > 1:
        raise CheckError("channels are first on one side and last on the other", where=node.name)


def _check_spatial(
    node: Node, port: Port, layout: Layout, bound: Mapping[str, Terms], policy: Policy
) -> bool:
    """Channels behind the batch or last; returns whether they are behind the batch."""
    *before, channels, space = (item.build(bound) for item in port.pattern.items)
    batch = tuple(term for terms in before for term in terms)
    orders = {True: (*batch, *channels, *space), False: (*batch, *space, *channels)}
    wanted = policy.order == "channels_first" and (len(space) > 1 or policy.one_dimensional)
    if policy.order == "source":
        wanted = layout.terms == orders[True]
    _same(orders[wanted], layout, _at(node, port))
    return wanted


def _expected(port: Port, layout: Layout, bound: Mapping[str, Terms]) -> Terms:
    """The terms that an input must have, in the order in which free ones lie."""
    if port.order == "listed":
        return port.pattern.build(bound)
    known = {content_of(term): term for term in port.pattern.build(bound)}
    held = [known.pop(found) for term in layout.terms if (found := content_of(term)) in known]
    held += known.values()
    named = _named(port, bound) if port.order == "last" else ()
    return (*(term for term in held if term not in named), *named)


def _made(port: Port, first: Terms, bound: Mapping[str, Terms]) -> Terms:
    """The terms that a result must have, given the first input's."""
    terms = port.pattern.build(bound)
    if port.order == "listed":
        return terms
    kept = bound[REST] if port.order == "last" else terms
    old = tuple(term for term in first if term in kept)
    return (*old, *(term for term in terms if term not in old))


def _named(port: Port, bound: Mapping[str, Terms]) -> Terms:
    """The terms of a port that are not its rest."""
    items = [i for i in port.pattern.items if not (isinstance(i, Ref) and i.binding == REST)]
    return tuple(term for item in items for term in item.build(bound))


def _check_runs(settled: Settled, port: Port, layout: Layout) -> None:
    """The terms of a binding lie in the order in which a weight over them has them."""
    for name in port.pattern.bindings:
        terms = settled.bound[name]
        if name != REST and name not in settled.node.op.ordered:
            lying = tuple(term for term in layout.terms if term in terms)
            if len(terms) > 1 and lying != terms and port.order == "kept":
                raise _differ(f"{name} runs otherwise", _at(settled.node, port), terms, lying)


# ---- views, merges, joins, what is pinned --------------------------------------------------


def _check_pinned(settled: Settled, policy: Policy) -> None:
    """Everything lies as its author had it."""
    node = settled.node
    for index, held in enumerate(settled.inputs):
        if held is not None:
            _same(held.value.axes, held.layout, f"{node.name}/{_input_name(node, index)}")
    for value, layout in zip(node.results, settled.results, strict=True):
        _same(value.axes, layout, f"{node.name}, its result {value.name}")


def _check_places(settled: Settled, policy: Policy) -> None:
    """As authored; where all extents stay, what stands at a place on one side does on the other."""
    node, held = settled.node, settled.inputs[0]
    before, after = (() if held is None else held.value.axes), node.result.axes
    alike = [content_of(a) == content_of(b) for a, b in zip(before, after, strict=False)]
    sizes = [(size_of(a), size_of(b)) for a, b in zip(before, after, strict=False)]
    stay = all(
        same or (a is not None and a == b) for same, (a, b) in zip(alike, sizes, strict=True)
    )
    if held is None or len(before) != len(after) or not stay:
        _check_pinned(settled, policy)
        return
    expected: list[Term] = []
    for term in settled.results[0].terms:
        place = next(n for n, new in enumerate(after) if content_of(new) == content_of(term))
        if not alike[place] and term != after[place]:
            raise _differ("it runs otherwise", node.name, (after[place],), (term,))
        expected.append(term if alike[place] else before[place])
    _same(tuple(expected), held.layout, node.name)


def _check_view(settled: Settled, policy: Policy) -> None:
    """Atoms stay in sequence, so that nothing moves, unless all is as the author had it."""
    node, have, out = settled.node, settled.input, settled.results[0]
    before, after = (
        tuple(atom for atom in expand(layout.terms) if size_of(atom) != 1) for layout in (have, out)
    )
    source = node.inputs[0]
    authored = source is not None and have == source.layout and out == node.result.layout
    if before != after and not (authored and Counter(before) == Counter(after)):
        raise _differ("a view would have to move something", node.name, have.terms, out.terms)


def _check_merge(settled: Settled, policy: Policy) -> None:
    """At every position, each input has what corresponds to the result's term there."""
    node, held = settled.node, [each for each in settled.inputs if each is not None]
    images = [Image.of(node, index, each.value.axes) for index, each in enumerate(held)]
    for index, (each, image) in enumerate(zip(held, images, strict=True)):
        if image is None:
            _check_pinned(settled, policy)
            return
        expected = tuple(map(image.term, settled.results[0].terms))
        _same(expected, each.layout, f"{node.name}/{_input_name(node, index)}")


_Rule = Callable[[Settled, Policy], None]
_RULES: Mapping[Rule, _Rule] = {
    "ports": _check_ports,
    "view": _check_view,
    "merge": _check_merge,
    "join": _check_merge,
    "places": _check_places,
    "pinned": _check_pinned,
}


# ---- weights -------------------------------------------------------------------------------


def _check_params(settled: Settled, uses: Uses) -> None:
    """Every weight is wanted as its port says; one weight in one order, whoever uses it."""
    node = settled.node
    for port in node.op.params:
        if not port.optional and port.name not in node.params:
            raise CheckError("a weight that must be there is absent", where=_at(node, port))
    if settled.params.keys() != node.params.keys():
        raise CheckError("the plan has other weights than the graph", where=node.name)
    for name, param in node.params.items():
        wanted, where = settled.params[name], f"{node.name}/{name}"
        try:
            _same(node.op.port(name).pattern.build(settled.bound), wanted, where)
            found = tuple(copy for _, copy in param.plans(wanted))
        except KeyError as error:
            raise CheckError(f"the op does not know {error}", where=where) from error
        except CheckError:
            raise
        except KerasirError as error:
            raise CheckError(error.what, where=where, details=error.details) from error
        if any(isinstance(leaf, Reversed) for leaf in _leaves(wanted.terms)):
            raise CheckError(f"an axis is still reversed: {wanted}", where=where)
        user, first, earlier = uses.setdefault(param.weight, (where, wanted, found))
        if len(found) != len(earlier) or not all(map(same_order, found, earlier)):
            what = f"weight {param.weight.name} is wanted in another order than by {user}"
            raise _differ(what, where, first.terms, wanted.terms)


# ---- terms and messages --------------------------------------------------------------------


def _leaves(terms: Iterable[Term]) -> Iterator[Axis | Reversed | Labelled]:
    for term in terms:
        if isinstance(term, Fused):
            yield from _leaves(term.terms)
        elif isinstance(term, Joined):
            yield from _leaves(term.parts)
        else:
            yield term


def _at(node: Node, port: Port) -> str:
    return f"{node.name}/{port.name}"


def _paired(
    values: Sequence[Value], held: Sequence[Held], what: str
) -> Iterator[tuple[Value, Held]]:
    """The graph's borders and the plan's, which must be of the same values."""
    if tuple(values) != tuple(each.value for each in held):
        raise CheckError(f"the plan has other {what} than the graph")
    return zip(values, held, strict=True)


def _same(expected: Terms, layout: Layout, where: str) -> None:
    if layout.terms != expected:
        raise _differ("the layout is not the one that belongs here", where, expected, layout.terms)


def _differ(what: str, where: str, expected: Terms, found: Terms) -> CheckError:
    names = names_of((*expected, *found))
    texts = (show(expected, names=names), show(found, names=names))
    details = (f"expected {texts[0]}", f"found    {texts[1]}")
    return CheckError(what, where=where, details=details)
