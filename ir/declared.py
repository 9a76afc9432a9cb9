"""Whether the nodes of a graph are as their ops declare them: what a file says is not believed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..errors import FormatError
from .graph import Graph, Node, Value
from .images import content_of
from .layout import Terms, axes_of
from .notation import show
from .op import attributes
from .ops.merge import Merge
from .signature import Port

SPACE = "space"
"""What ops call the axes that they have kernels, strides and pads along: a number for each."""


def check_declared(graph: Graph) -> None:
    """Hold every node against the ports of its op.

    Raises:
        FormatError: It has other inputs, results, parameters or bindings than the op, values that
            are made twice or read before, or numbers for more or fewer axes than it has.
    """
    made = set(graph.inputs)
    values = [*graph.inputs, *(value for node in graph.nodes for value in node.results)]
    _check_names("values", [value.name for value in values])  # nor is one made twice
    _check_names("nodes", [node.name for node in graph.nodes])
    if len(graph.output_names) != len(graph.outputs):
        raise FormatError("not a name for each output")
    for node in graph.nodes:
        if any(value is not None and value not in made for value in node.inputs):
            raise FormatError("it reads a value that is made later", where=node.name)
        made.update(node.results)
        _check_ports(node)
        _check_ranks(node)
    if any(value not in made for value in graph.outputs):
        raise FormatError("an output that nothing makes")


def _check_names(what: str, names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise FormatError(f"two {what} are called {twice!r:.80}")


def _check_ports(node: Node) -> None:
    op = node.op
    arity = op.arity if isinstance(op, Merge) else None
    fits = _fits(op.inputs, node.inputs) and _fits(op.results, node.results)
    if not fits or arity not in {None, len(node.inputs)}:
        raise FormatError(f"not the inputs and results of {op.kind}", where=node.name)
    params = {port.name: port for port in op.params}
    unknown = sorted(node.params.keys() - params.keys()) if params else []
    missing = [p.name for p in op.params if not p.optional and p.name not in node.params]
    if unknown or missing:
        raise FormatError(f"not the parameters of {op.kind}", where=node.name)
    used = [*_paired(op.inputs, node.inputs), *_paired(op.results, node.results)]
    named = [port for port, _ in used] + [params[key] for key in node.params if key in params]
    lost = {name for port in named for name in port.pattern.bindings} - node.axes.keys()
    if lost:
        raise FormatError(f"nothing is bound to {', '.join(sorted(lost))}", where=node.name)
    for name, param in node.params.items():
        for stored in param.stored:
            axes = [axis for axis in axes_of(stored.layout.terms) if axis.size != 1]
            if len(set(axes)) < len(axes):
                raise FormatError(f"{name} has an axis twice, {stored.layout}", where=node.name)
    for port, value in used if op.rule == "ports" else ():
        declared = port.pattern.build(node.axes)
        if declared != value.axes and not _alike(declared, value.axes):
            raise FormatError(
                f"{port.name} has not the axes of the op",
                where=node.name,
                details=(f"expected   {show(declared)}", f"found      {show(value.axes)}"),
            )


def _alike(one: Terms, other: Terms) -> bool:
    """Whether they are of the same axes, whatever the order."""
    return Counter(map(content_of, one)) == Counter(map(content_of, other))


def _fits(ports: Sequence[Port], values: Sequence[Value | None]) -> bool:
    """Whether each value has a port, and each port that needs one a value."""
    if ports and ports[-1].variadic:
        return len(values) >= len(ports)
    absent = (None,) * (len(ports) - len(values))
    return len(values) <= len(ports) and all(
        port.optional or value is not None
        for port, value in zip(ports, (*values, *absent), strict=True)
    )


def _paired(ports: Sequence[Port], values: Sequence[Value | None]) -> list[tuple[Port, Value]]:
    """The values that are there, each with its port; the last may stand for several."""
    last = len(ports) - 1
    return [(ports[min(n, last)], value) for n, value in enumerate(values) if value is not None]


def _check_ranks(node: Node) -> None:
    """What an op says of each axis, it says of as many as there are."""
    if SPACE not in node.axes:
        return
    rank = len(node.axes[SPACE])
    for key, value in attributes(node.op).items():
        if isinstance(value, tuple) and len(value) != rank:
            raise FormatError(f"{key} for {len(value)} spatial axes of {rank}", where=node.name)
