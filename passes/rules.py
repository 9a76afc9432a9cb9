"""How one node settles its layouts: by its declared ports alone, but for views, merges, joins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..errors import LayoutError
from ..ir.graph import Node
from ..ir.layout import Layout, Term, Terms, expand, fuse, key, keys, size_of
from ..ir.op import Rule
from ..ir.plan import Held, Policy, Settled
from ..ir.signature import REST, Group, Pattern, Port, Ref
from . import merges, views

Arriving = Sequence[Layout | None]
Bound = dict[str, Terms]
Choice = tuple[Sequence[Layout | None], Sequence[Layout], Bound]
"""The layouts a node wants of its inputs, those of its results, and its bindings' terms."""


def settle(
    node: Node, arriving: Arriving, wished: Arriving, policy: Policy, lock: Mapping[str, Terms]
) -> Settled:
    """Choose a node's layouts, given those that arrive and those wished of its results.

    Args:
        node: The node.
        arriving: The layout of each input.
        wished: What the consumers of each result would like.
        policy: What the target wants of spatial ops.
        lock: Bindings whose order an earlier use of the same weight has settled.
    """
    choose = _SETTLE[node.op.rule]
    wants, results, bound = choose(node, arriving, wished, policy, lock)
    return _settled(node, wants, results, bound)


def as_authored(node: Node) -> Settled:
    """The node as its author had it."""
    wants = [None if value is None else value.layout for value in node.inputs]
    return _settled(node, wants, [value.layout for value in node.results], node.axes)


def wishes(node: Node, wished: Arriving, policy: Policy) -> Arriving:
    """What the node would like of its inputs, given what is wished of its results."""
    return _WISH[node.op.rule](node, wished, policy)


def complies(node: Node, policy: Policy) -> bool:
    """Whether the author's order is what the policy wants of this node."""
    trailing = node.op.trailing and policy.trailing
    for port, value in zip(node.op.inputs, node.inputs, strict=False):
        if value is None:
            continue
        if port.order == "spatial" and value.axes != _spatial(port.pattern, node.axes, policy):
            return False
        if trailing and value.axes != _trailing(port.pattern, value.axes, node.axes):
            return False
    return True


def _settled(
    node: Node,
    wants: Sequence[Layout | None],
    results: Sequence[Layout],
    bound: Mapping[str, Terms],
) -> Settled:
    inputs = tuple(
        None if value is None or want is None else Held(value, want)
        for value, want in zip(node.inputs, wants, strict=True)
    )
    params = {name: Layout(node.op.port(name).pattern.build(bound)) for name in node.params}
    return Settled(node, inputs, tuple(results), bound, params)


# ---- ops whose ports say everything --------------------------------------------------------


def _ports(
    node: Node, arriving: Arriving, wished: Arriving, policy: Policy, lock: Mapping[str, Terms]
) -> Choice:
    bound = dict(node.axes)
    for port, layout in zip(node.op.inputs, arriving, strict=False):
        if layout is not None:
            bound |= _arrived(node, port.pattern, layout)
    bound |= _wished(node, wished)
    bound.update(lock)
    trailing = node.op.trailing and policy.trailing
    wants = [
        None if layout is None else Layout(_wanted(port, layout, bound, policy, trailing=trailing))
        for port, layout in zip(node.op.inputs, arriving, strict=False)
    ]
    first = wants[0].terms if wants and wants[0] is not None else ()
    results = [Layout(_produced(node, port, first, bound, policy)) for port in node.op.results]
    return wants, results, bound


def _arrived(node: Node, pattern: Pattern, layout: Layout) -> Bound:
    """The inner order in which each free binding of an input arrives."""
    found: Bound = {}
    for item in pattern.items:
        if isinstance(item, Group):
            found |= _arrived_group(node, item, layout)
        elif isinstance(item, Ref) and item.binding != REST:
            found[item.binding] = _inner(node, item.binding, layout)
    if REST in pattern.bindings:
        others = [item for item in pattern.items if item != Ref(REST)]
        taken = {key(term) for item in others for term in item.build(node.axes)}
        found[REST] = tuple(term for term in layout.terms if key(term) not in taken)
    return found


def _inner(node: Node, name: str, layout: Layout) -> Terms:
    """A binding's terms as they lie in a layout; in the author's order where that has meaning."""
    source = node.axes[name]
    if name in node.op.ordered:
        return source
    lying = {key(term): term for term in layout.terms}
    held = tuple(lying.get(key(term), term) for term in source)
    if len(held) > 1:  # a span of several terms runs as the layout does
        rank = {key(term): index for index, term in enumerate(layout.terms)}
        held = tuple(sorted(held, key=lambda term: rank.get(key(term), len(rank))))
    return held


def _arrived_group(node: Node, group: Group, layout: Layout) -> Bound:
    """Bindings that share one term: as they lie, if they lie one after the other."""
    source = {ref.binding: node.axes[ref.binding] for ref in group.refs}
    whole = fuse(term for terms in source.values() for term in terms)
    term = next((t for t in layout.terms if key(t) == key(whole)), whole)
    atoms, found = list(expand((term,))), {}
    for name, terms in source.items():
        inner: list[Term] = []
        for want in terms:
            count = len(expand((want,)))
            inner.append(fuse(atoms[:count]))
            del atoms[:count]
        if any(key(a) != key(b) for a, b in zip(inner, terms, strict=True)):
            return source
        found[name] = tuple(inner)
    return found


def _wished(node: Node, wished: Arriving) -> Bound:
    """The inner order wished of axes that the node makes itself."""
    found: Bound = {}
    for port, wish in zip(node.op.results, wished, strict=True):
        plain = [item.binding for item in port.pattern.items if isinstance(item, Ref)]
        for name in plain:
            if wish is not None and name in node.op.made() and name != REST:
                found[name] = _inner(node, name, wish)
    return found


def _wanted(port: Port, layout: Layout, bound: Bound, policy: Policy, *, trailing: bool) -> Terms:
    """The layout that an input port wants."""
    if port.order == "spatial":
        return _spatial(port.pattern, bound, policy)
    if port.order == "listed":
        return port.pattern.build(bound)
    if port.order == "last":
        return (*bound[REST], *_named(port.pattern, bound))
    found = _kept(port.pattern, layout, bound)
    return _trailing(port.pattern, found, bound) if trailing else found


def _kept(pattern: Pattern, layout: Layout, bound: Bound) -> Terms:
    """The layout as it arrives, but each item's terms in the order that is settled for them.

    A weight over several terms that an earlier use has settled makes these run as they do there.
    """
    found = list(layout.terms)
    for item in pattern.items:
        terms = item.build(bound)
        held = {key(term) for term in terms}
        places = [index for index, term in enumerate(layout.terms) if key(term) in held]
        for index, term in zip(places, terms, strict=True):
            found[index] = term
    return tuple(found)


def _produced(node: Node, port: Port, first: Terms, bound: Bound, policy: Policy) -> Terms:
    """The layout that a result port has, given the first input's."""
    if port.order == "spatial":
        return _spatial(port.pattern, bound, policy)
    if port.order == "listed":
        return port.pattern.build(bound)
    if port.order == "last":
        return (*bound[REST], *_named(port.pattern, bound))
    made = node.op.made()
    kept = keys(t for n in port.pattern.bindings if n not in made for t in bound[n])
    new = tuple(t for n in port.pattern.bindings if n in made for t in bound[n])
    return tuple(term for term in first if key(term) <= kept) + new


def _named(pattern: Pattern, bound: Bound) -> Terms:
    items = [i for i in pattern.items if not (isinstance(i, Ref) and i.binding == REST)]
    return tuple(term for item in items for term in item.build(bound))


def _spatial(pattern: Pattern, bound: Mapping[str, Terms], policy: Policy) -> Terms:
    """The order `batch channels space` with the channels where the policy wants them."""
    *before, channels, space = (item.build(bound) for item in pattern.items)
    first = policy.order == "channels_first" and (len(space) > 1 or policy.one_dimensional)
    batch = tuple(term for terms in before for term in terms)
    return (*batch, *channels, *space) if first else (*batch, *space, *channels)


def _port_wishes(node: Node, wished: Arriving, policy: Policy) -> Arriving:
    found: list[Layout | None] = []
    bound = dict(node.axes)
    shared = {n for port in node.op.results for n in port.pattern.bindings} - node.op.made()
    result = wished[0] if wished else None
    if result is not None:
        bound |= {name: _inner(node, name, result) for name in shared if name != REST}
    for port, value in zip(node.op.inputs, node.inputs, strict=False):
        if value is None or port.order == "last":
            found.append(None)
        elif port.order == "spatial":
            found.append(Layout(_spatial(port.pattern, bound, policy)))
        elif port.order == "listed":
            found.append(Layout(port.pattern.build(bound)))
        elif node.op.trailing and policy.trailing:
            found.append(Layout(_trailing(port.pattern, value.axes, bound)))
        else:
            found.append(_kept_wish(value.axes, result))
    return found


def _trailing(pattern: Pattern, terms: Terms, bound: Bound) -> Terms:
    """The terms with those that the pattern lists last."""
    named = _named(pattern, bound)
    keys_of_named = {key(term) for term in named}
    return (*(term for term in terms if key(term) not in keys_of_named), *named)


def _kept_wish(axes: Terms, result: Layout | None) -> Layout | None:
    if result is None:
        return None
    ours = {key(term) for term in axes}
    terms = tuple(term for term in result.terms if key(term) in ours)
    return Layout(terms) if len(terms) == len(axes) else None


# ---- the other rules -----------------------------------------------------------------------


def _pinned(
    node: Node, arriving: Arriving, wished: Arriving, policy: Policy, lock: Mapping[str, Terms]
) -> Choice:
    wants = [None if value is None else value.layout for value in node.inputs]
    return wants, [value.layout for value in node.results], dict(node.axes)


def _pinned_wishes(node: Node, wished: Arriving, policy: Policy) -> Arriving:
    return [None if value is None else value.layout for value in node.inputs]


def _places(
    node: Node, arriving: Arriving, wished: Arriving, policy: Policy, lock: Mapping[str, Terms]
) -> Choice:
    have, pairs = arriving[0], _paired(node)
    if have is None or pairs is None:
        return _pinned(node, arriving, wished, policy, lock)
    by_source = {key(own): (own, new) for own, new in pairs}
    want, made = list[Term](), list[Term]()
    for term in have.terms:
        own, new = by_source[key(term)]
        stays = key(own) == key(new)
        want.append(term if stays else own)
        made.append(term if stays else new)
    return [Layout(tuple(want))], [Layout(tuple(made))], dict(node.axes)


def _places_wishes(node: Node, wished: Arriving, policy: Policy) -> Arriving:
    wish, pairs = wished[0], _paired(node)
    if pairs is None:
        return _pinned_wishes(node, wished, policy)
    if wish is None:
        return [None]
    by_result = {key(new): own for own, new in pairs}
    owns = ((by_result[key(term)], term) for term in wish.terms)
    return [Layout(tuple(term if key(own) == key(term) else own for own, term in owns))]


def _paired(node: Node) -> Sequence[tuple[Term, Term]] | None:
    """The input's terms with the result's at their places; None where an extent changes."""
    source, result = node.inputs[0], node.result
    if source is None or len(source.axes) != len(result.axes):
        return None
    pairs = list(zip(source.axes, result.axes, strict=True))
    stay = (key(a) == key(b) or size_of(a) == size_of(b) is not None for a, b in pairs)
    return pairs if all(stay) else None


def _view(
    node: Node, arriving: Arriving, wished: Arriving, policy: Policy, lock: Mapping[str, Terms]
) -> Choice:
    source = node.inputs[0]
    have = arriving[0]
    if source is None or have is None:
        raise LayoutError("a view without its input", where=node.name)
    wish = None if wished[0] is None else wished[0].terms
    want, result = views.regroup(have.terms, source.axes, node.result.axes, wish)
    return [Layout(want)], [Layout(result)], dict(node.axes)


def _view_wishes(node: Node, wished: Arriving, policy: Policy) -> Arriving:
    source, wish = node.inputs[0], wished[0]
    if wish is None or source is None:
        return [None]
    terms = views.grouped(expand(wish.terms), source.axes)
    return [None if terms is None else Layout(terms)]


def _merge(
    node: Node, arriving: Arriving, wished: Arriving, policy: Policy, lock: Mapping[str, Terms]
) -> Choice:
    wants, result = merges.settle(node, [a for a in arriving if a is not None], wished[0])
    return wants, [result], dict(node.axes)


def _merge_wishes(node: Node, wished: Arriving, policy: Policy) -> Arriving:
    return merges.wishes(node, wished[0])


_Settle = Callable[[Node, Arriving, Arriving, Policy, Mapping[str, Terms]], Choice]
_SETTLE: Mapping[Rule, _Settle] = {
    "ports": _ports,
    "view": _view,
    "merge": _merge,
    "join": _merge,
    "places": _places,
    "pinned": _pinned,
}
_WISH: Mapping[Rule, Callable[[Node, Arriving, Policy], Arriving]] = {
    "ports": _port_wishes,
    "view": _view_wishes,
    "merge": _merge_wishes,
    "join": _merge_wishes,
    "places": _places_wishes,
    "pinned": _pinned_wishes,
}
