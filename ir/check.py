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
from .graph import Node, Value, joined_position
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
    rebuild,
    size_of,
)
from .notation import names_of, show
from .op import Rule
from .plan import Coercion, Held, Plan, Policy, Settled
from .signature import REST, Port, Ref
from .tensor import Weight

Content = frozenset[object]
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
        if Counter(map(_content, axes)) != Counter(map(_content, terms)):
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
        if Counter(map(_content, found)) != Counter(map(_content, source)):
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
    known = {_content(term): term for term in port.pattern.build(bound)}
    held = [known.pop(found) for term in layout.terms if (found := _content(term)) in known]
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
    images = [_Image.of(node, index, each.value.axes) for index, each in enumerate(held)]
    for index, (each, image) in enumerate(zip(held, images, strict=True)):
        if image is None:
            _check_pinned(settled, policy)
            return
        expected = tuple(map(image.term, settled.results[0].terms))
        _same(expected, each.layout, f"{node.name}/{_input_name(node, index)}")


class _Image:
    """What a merge's result corresponds to in one input: found position by position, as authored.

    Attributes:
        index: Which input.
        joined: What the joined term is made of; None for other merges.
        whole: By what a result's term is made of: the input's term, where that has no inner order
            of the result's (it is repeated, or the joined axis has no parts).
        axes: By axis of the result, the input's.
    """

    def __init__(self, index: int) -> None:
        self.index, self.joined = index, frozenset[object]()
        self.whole: dict[Content, Term] = {}
        self.axes: dict[Axis, Term] = {}

    @classmethod
    def of(cls, node: Node, index: int, axes: Terms) -> _Image | None:
        """The correspondence of one input; None where positions do not correspond."""
        image, result = cls(index), node.result.axes
        if len(axes) != len(result):
            return None
        for position, (term, own) in enumerate(zip(result, axes, strict=True)):
            here = term
            if position == joined_position(node):
                if isinstance(term, Joined):
                    here, image.joined = term.parts[index], _content(term)
                else:
                    image.whole[_content(term)] = own
                    continue
            elif size_of(own) == 1 and size_of(term) != 1:
                image.whole[_content(term)] = own
                continue
            if not _pair(here, own, image.axes):
                return None
        return image

    def term(self, term: Term) -> Term:
        """The input's term for one of the result's, in the inner order that this has."""
        content = _content(term)
        if content in self.whole:
            return self.whole[content]
        if content == self.joined and isinstance(term, Joined):
            term = term.parts[self.index]
        return rebuild(term, self.axes)


def _pair(a: Term, b: Term, found: dict[Axis, Term]) -> bool:
    """Match two terms leaf by leaf; False where they are not built alike."""
    if isinstance(a, Axis) and isinstance(b, Axis):
        found[a] = b
        return a.size == b.size
    if isinstance(a, Fused) and isinstance(b, Fused):
        inner, other = a.terms, b.terms
    elif isinstance(a, Joined) and isinstance(b, Joined):
        inner, other = a.parts, b.parts
    else:
        return False
    alike = len(inner) == len(other)
    return alike and all(_pair(x, y, found) for x, y in zip(inner, other, strict=True))


_Rule = Callable[[Settled, Policy], None]
_RULES: Mapping[Rule, _Rule] = {
    "ports": _check_ports,
    "view": _check_view,
    "merge": _check_merge,
    "join": _check_merge,
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


def _content(term: Term) -> Content:
    """What a term is made of, whatever the order of what is fused in it."""
    if isinstance(term, Fused):
        return frozenset[object]().union(*map(_content, term.terms))
    if isinstance(term, Joined):
        return frozenset((tuple(map(_content, term.parts)),))
    return frozenset((term,))


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
