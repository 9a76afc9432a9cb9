"""The text form of graphs and plans: one line a node, layouts in the notation.

    input   x            N:? C:3 H:11 W:9
    conv1   Conv         x -> N:? C:4 H:9 W:7      strides=(1, 1) dilation=(1, 1) …
      kernel  conv1/kernel   O:4 I:3 ~H:3 ~W:3
    output  fc2          N:? F:5

The form is made for reading and for golden tests; two graphs of the same text mean the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .graph import Graph, Node
from .notation import show
from .op import Op, attributes
from .plan import Coercion, Plan, Settled
from .tensors import axis_names


def graph_text(graph: Graph) -> str:
    """A graph: what is meant, every value in its author's order, weights as stored."""
    rows: list[tuple[str, ...]] = []
    rows += [("input", v.name, str(v.layout), _dtype(v.dtype)) for v in graph.inputs]
    for node in graph.nodes:
        results = ", ".join(str(value.layout) for value in node.results)
        rows.append((node.name, node.op.kind, f"{_inputs(node)} -> {results}", _options(node.op)))
        for port, param in node.params.items():
            names = axis_names(node, port, tuple(s.layout for s in param.stored))
            stored = " + ".join(show(s.layout.terms, True, names) for s in param.stored)
            rows.append(("", port, param.weight.name, stored))
    rows += [
        ("output", name, value.name, str(value.layout))
        for name, value in zip(graph.output_names, graph.outputs, strict=True)
    ]
    return _table(rows)


def plan_text(plan: Plan) -> str:
    """A plan: the layouts chosen, coercions as lines of their own."""
    rows: list[tuple[str, ...]] = []
    rows += [("input", held.value.name, str(held.layout), "") for held in plan.inputs]
    for step in plan.steps:
        rows.extend(_step(step))
    for name, held in zip(plan.graph.output_names, plan.outputs, strict=True):
        rows.append(("output", name, held.value.name, str(held.layout)))
    return _table(rows)


def _step(step: Coercion | Settled) -> Iterator[tuple[str, ...]]:
    if isinstance(step, Coercion):
        yield "coerce", step.value.name, f"{step.have} -> {step.want}", ""
        return
    node = step.node
    results = ", ".join(map(str, step.results))
    yield node.name, node.op.kind, f"{_inputs(node)} -> {results}", _options(node.op)
    for port, layout in step.params.items():
        names = axis_names(node, port, (layout,))
        yield "", port, node.params[port].weight.name, show(layout.terms, True, names)


def _inputs(node: Node) -> str:
    return ", ".join("-" if value is None else value.name for value in node.inputs)


def _options(op: Op) -> str:
    """Attributes that are not at their default."""
    defaults = dict(
        zip(reversed(op.__struct_fields__), reversed(op.__struct_defaults__), strict=False)
    )
    shown: list[str] = []
    for name, value in attributes(op).items():
        if name not in defaults or defaults[name] != value:
            text = f"{value.kind}({_options(value)})" if isinstance(value, Op) else repr(value)
            shown.append(f"{name}={text}")
    return " ".join(shown)


def _dtype(dtype: str) -> str:
    return "" if dtype == "float32" else dtype


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    """Columns separated by two blanks; a row without a first cell is a detail of the one above."""
    listed = list(rows)
    widths = [0, 0, 0]
    for row in listed:
        for column in range(3):
            widths[column] = max(widths[column], min(len(row[column]), 60))
    lines = []
    for row in listed:
        cells = [cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)]
        lines.append("  ".join([*cells, row[3]]).rstrip())
    return "\n".join(lines)
