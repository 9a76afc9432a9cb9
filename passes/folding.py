"""Folding what multiplies and adds along an axis into the weights of its neighbours.

BatchNormalization at inference, Rescaling, Normalization, LayerScale are all y = scale * x + shift
along some axes. Behind a convolution or a Dense that is another kernel and another bias. In front
of one it is too, as long as no zero is put in between that the shift would have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ..ir.arithmetic import combined, identity, number, scaled, summed
from ..ir.graph import Node, Value
from ..ir.layout import Layout, keys
from ..ir.model import Model
from ..ir.ops.activation import Affine
from ..ir.ops.normalization import BatchNorm
from ..ir.source import Array, ConstantSource
from ..ir.tensor import Param, Stored, Weight, extents
from .registry import Target, model_pass
from .rewriting import Rewriting, rebuilt
from .scalings import LINEAR, Linear, Scaling, adds_zeros, alike, commutes, scaling_of


@model_pass(data="value")
def fold_batchnorm(model: Model, target: Target) -> Model:
    """Fold BatchNormalization and other scalings into the neighbouring convolution or Dense.

    Behind one always; in front of one where no zeros of a padding come in between. A value that is
    read elsewhere as well stays, and a weight that others share does unless all fold alike.
    """
    graph = Rewriting(model)
    again = True
    while again:
        again = False
        for node in graph.walk():
            scaling = scaling_of(node)
            if scaling is not None:
                again |= any(fold(graph, scaling) for fold in (_behind, _in_front, _merged))
    return graph.model()


# ---- behind a linear op --------------------------------------------------------------------


def _behind(graph: Rewriting, scaling: Scaling) -> bool:
    """Fold a scaling into the linear op before it; False if that cannot be."""
    found = _before(graph, scaling)
    if found is None:
        return False
    group = [found]
    while more := _sharing(graph, group):
        group += more
    folds = [(found, scaling)]
    for other in group[1:]:
        reader = _scaling_behind(graph, other)
        if reader is None:
            return False
        folds.append((other, reader))
    changes = [(linear, _scaled_behind(linear, by)) for linear, by in folds]
    if not _share(graph, changes):
        return False
    for linear, by in folds:
        graph.absorb(by.node)
        between, value = list[Value](), linear.result
        while value is not by.node.result and (behind := graph.only_reader(value)) is not None:
            between.append(value)
            value = behind.result
        _renew(graph, between)
    return True


def _renew(graph: Rewriting, values: Sequence[Value]) -> None:
    """Values that are scaled, or not scaled, where they were not, or were, before."""
    for value in dict.fromkeys(values):
        graph.renew(value)


def _before(graph: Rewriting, scaling: Scaling) -> Node | None:
    """The linear op that makes what a scaling gets, and makes it for that alone."""
    value = scaling.node.inputs[0]
    while value is not None and graph.only_reader(value) is not None:
        maker = graph.maker(value)
        if maker is None or not alike(scaling.node, maker):
            return None
        linear = LINEAR.get(type(maker.op))
        if linear is not None:
            made = keys(term for name in linear.made for term in maker.axes[name])
            return maker if scaling.span <= made else None
        if not commutes(maker, scaling):
            return None
        value = maker.inputs[0]
    return None


def _scaling_behind(graph: Rewriting, linear: Node) -> Scaling | None:
    """The scaling that can be folded into a linear op, with what does not mind in between."""
    reader = graph.only_reader(linear.result)
    while reader is not None:
        scaling = scaling_of(reader)
        if scaling is not None:
            return scaling if _before(graph, scaling) is linear else None
        reader = graph.only_reader(reader.result) if len(reader.results) == 1 else None
    return None


def _scaled_behind(linear: Node, by: Scaling) -> dict[str, Param]:
    """The weights of a linear op that a scaling follows."""
    params, port = dict(linear.params), LINEAR[type(linear.op)].last
    params[port] = scaled(params[port], by.scale)
    given = [params["bias"], by.scale] if "bias" in params else []
    if by.shift is not None:
        given.append(by.shift)
    if given:
        params["bias"] = _bias(linear, "sum of products", _sum_of_products, *given)
    return params


def _sum_of_products(*given: Array) -> Array:
    """A bias * scale, that + shift, or a shift alone."""
    if len(given) == 1:
        return given[0]
    product: Array = given[0] * given[1]
    return product if len(given) == 2 else product + given[2]


# ---- in front of linear ops ----------------------------------------------------------------


def _in_front(graph: Rewriting, scaling: Scaling) -> bool:
    """Fold a scaling into the linear ops behind it; False if that cannot be."""
    source = scaling.node.inputs[0]
    found = list(_behind_all(graph, scaling, scaling.node.result))
    linears = [node for node in found if node is not None]
    if source is None or not linears or len(linears) < len(found) or _sharing(graph, linears):
        return False
    if not _share(graph, [(linear, _scaled_in_front(linear, scaling)) for linear in linears]):
        return False
    between = list[Value]()
    for linear in linears:
        value = linear.inputs[0]
        while value is not None and value is not scaling.node.result:
            between.append(value)
            maker = graph.maker(value)
            value = None if maker is None else maker.inputs[0]
    graph.remove(scaling.node, source)
    _renew(graph, between)
    return True


def _behind_all(graph: Rewriting, scaling: Scaling, value: Value) -> Iterator[Node | None]:
    """The linear ops that a value ends in, None for whatever else it reaches."""
    if graph.is_output(value):
        yield None
    for reader in graph.readers(value):
        fits = alike(scaling.node, reader) and reader.inputs.count(value) == 1
        linear = LINEAR.get(type(reader.op))
        if fits and linear is None and commutes(reader, scaling):
            yield from _behind_all(graph, scaling, reader.result)
            continue
        exact = scaling.shift is None or not adds_zeros(reader.op)
        yield reader if fits and exact and linear and _takes(reader, linear, scaling) else None


def _takes(reader: Node, linear: Linear, scaling: Scaling) -> bool:
    """Whether the scaling runs along axes that a linear op sums over, or has kernels for."""
    return scaling.span <= keys(term for name in linear.taken for term in reader.axes[name])


def _scaled_in_front(linear: Node, by: Scaling) -> dict[str, Param]:
    """The weights of a linear op that follows a scaling."""
    params, ports = dict(linear.params), LINEAR[type(linear.op)]
    kernel = params[ports.first]
    params[ports.first] = scaled(kernel, by.scale)
    if by.shift is not None:
        shift = scaled(kernel, by.shift)
        if ports.last != ports.first:
            wide = Layout(
                tuple(t for name in ("channels", "multiplier") for t in linear.axes[name])
            )
            shift = scaled(params[ports.last], summed(f"{linear.name}/shift", shift, wide))
        total = summed(f"{linear.name}/shift", shift, linear.param_layout("bias"))
        given = (total, params["bias"]) if "bias" in params else (total,)
        params["bias"] = _bias(linear, "sum", _sum, *given)
    return params


def _sum(*given: Array) -> Array:
    return sum(given[1:], start=given[0])


# ---- two scalings --------------------------------------------------------------------------


def _merged(graph: Rewriting, second: Scaling) -> bool:
    """Make one of a scaling and the one before it; False if that cannot be."""
    source = second.node.inputs[0]
    maker = graph.maker(source)
    if source is None or maker is None or graph.only_reader(source) is None:
        return False
    first = scaling_of(maker)
    spans = {scaling.span for scaling in (first, second) if scaling is not None and scaling.span}
    if first is None or len(spans) > 1 or not alike(maker, second.node):
        return False
    if isinstance(maker.op, Affine) and isinstance(second.node.op, Affine):
        a, b = maker.op, second.node.op
        op = Affine(scale=a.scale * b.scale, offset=a.offset * b.scale + b.offset)
        node = rebuilt(second.node, op=op)
    else:
        node = _as_norm(first, second)
    graph.replace(
        second.node, rebuilt(node, inputs=second.node.inputs, results=second.node.results)
    )
    graph.remove(maker, maker.inputs[0])  # type: ignore[arg-type]
    return True


def _as_norm(first: Scaling, second: Scaling) -> Node:
    """Both as one BatchNorm without mean and variance."""
    like = next(each.node for each in (second, first) if isinstance(each.node.op, BatchNorm))
    layout, name = like.param_layout("mean"), like.params["mean"].weight.name.rpartition("/")[0]
    shifts = [scaling.shift or number(0) for scaling in (first, second)]
    parts = {"gamma": (second.scale, first.scale), "beta": (shifts[0], second.scale, shifts[1])}
    params = {
        port: combined(f"{name}/{port}", layout, "sum of products", _sum_of_products, *given)
        for port, given in parts.items()
    }
    for port, value in (("mean", 0.0), ("variance", 1.0)):
        source = ConstantSource(value, extents(layout))
        params[port] = Param(Weight(f"{name}/{port}", (source,)), (Stored(layout),))
    params = {port: _as_stored(param, like.params["mean"]) for port, param in params.items()}
    return rebuilt(like, op=BatchNorm(epsilon=0.0), params=params)


# ---- what they have in common --------------------------------------------------------------


def _sharing(graph: Rewriting, linears: Sequence[Node]) -> list[Node]:
    """Other nodes that have one of the weights as well."""
    users = (
        user for node in linears for p in node.params.values() for user in graph.users(p.weight)
    )
    return [user for user in dict.fromkeys(users) if user not in linears]


def _share(graph: Rewriting, changes: Sequence[tuple[Node, dict[str, Param]]]) -> bool:
    """Give nodes their new weights, one weight for what was one; False if they do not agree."""
    if len(changes) == 1:
        node, params = changes[0]
        graph.replace(node, rebuilt(node, params=params))
        return True
    first, made = dict[tuple[object, str], Param](), list[dict[str, Param]]()
    known = dict[object, object]()
    for node, params in changes:
        mine = dict(params)
        for port, param in params.items():
            old = node.params.get(port)
            what = identity(param, node.param_layout(port))
            if old is not None and known.setdefault((old.weight, port), what) != what:
                return False
            leader = first.setdefault((what, port), param)
            mine[port] = Param(leader.weight, param.stored)
        made.append(mine)
    for (node, _), mine in zip(changes, made, strict=True):
        graph.replace(node, rebuilt(node, params=mine))
    return True


def _bias(linear: Node, what: str, function: Callable[..., Array], *given: Param) -> Param:
    """The bias of a linear op, made of others."""
    old, kernel = linear.params.get("bias"), linear.params[LINEAR[type(linear.op)].last]
    name = f"{kernel.weight.name.rpartition('/')[0]}/bias"
    param = combined(name, linear.param_layout("bias"), what, function, *given)
    return _as_stored(param, kernel if old is None else old, keep=old is not None)


def _as_stored(param: Param, other: Param, *, keep: bool = False) -> Param:
    """A computed weight that is written in the dtype of another, or under its name too."""
    named = other.weight if keep else param.weight
    weight = Weight(
        named.name,
        param.weight.sources,
        trainable=other.weight.trainable,
        dtype=other.weight.dtype,
    )
    return Param(weight, param.stored)
