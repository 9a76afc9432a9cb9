"""The last touch on a draft: what nobody reads goes, and everything gets its name.

Names are taken in this order: the caller's inputs and outputs, weights, other numbers, then tensors
as they come. Whoever comes too late for its name gets a number behind it. What the caller wants
called otherwise is given its new name before all others.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from ...errors import UsageError, show
from .draft import Body, Draft, Edge, OnnxNode

OPTIONAL_RESULTS = {"LSTM", "GRU", "RNN"}
"""Operators any of whose results may be left out."""


def drop_unread(draft: Draft) -> None:
    """Drop nodes, weights and numbers that nobody reads."""
    read = set(draft.outputs)
    draft.nodes[:] = _needed(draft.nodes, read)
    draft.keep(read)


def finish(draft: Draft, output_names: Sequence[str]) -> None:
    """Name everything.

    Args:
        draft: Complete; its outputs are tensors of their own.
        output_names: As the caller knows the outputs.

    Raises:
        UsageError: A new name is for nothing, or there already.
    """
    names = Names()
    known = [edge.name for edge in draft.inputs] + list(output_names)
    wished = _renamed([names.take(name) for name in known], draft.style.rename)
    names = Names()
    for edge, name in zip((*draft.inputs, *draft.outputs), wished, strict=True):
        edge.name = names.take(name)
    for edge in draft.stored:
        edge.name = names.take(edge.name)
    _name(draft.nodes, names, Names(), {*draft.inputs, *draft.outputs})


def _renamed(known: Sequence[str], rename: Mapping[str, str]) -> list[str]:
    """Names of inputs and outputs, those that have a new one under it."""
    for old in rename:
        if old not in known:
            listed = ", ".join(show(name) for name in known)
            raise UsageError(
                f"no input or output {show(old)!r}", where="--rename", hint=f"one of {listed}"
            )
    names = [rename.get(name, name) for name in known]
    for index, name in enumerate(names):
        if not name or name in names[:index]:
            what = f"two would be called {show(name)!r}" if name else "an empty name"
            raise UsageError(what, where="--rename", hint="choose other names")
    return names


def _needed(nodes: Sequence[OnnxNode], read: set[Edge]) -> list[OnnxNode]:
    """The nodes that make what is read, given the outputs in `read`, to which all else is added."""
    kept: list[OnnxNode] = []
    for node in reversed(nodes):
        if not read.intersection(node.outputs):
            continue
        if node.op_type in OPTIONAL_RESULTS and not node.domain:
            node.outputs = _without_unread(node.outputs, read)
        for body in _bodies(node):
            read.update(body.outputs)
            body.nodes[:] = _needed(body.nodes, read)
        read.update(edge for edge in node.inputs if edge is not None)
        kept.append(node)
    return kept[::-1]


def _without_unread(outputs: Sequence[Edge | None], read: set[Edge]) -> tuple[Edge | None, ...]:
    found = [edge if edge in read else None for edge in outputs]
    while found[-1] is None:
        found.pop()
    return tuple(found)


def _bodies(node: OnnxNode) -> Iterator[Body]:
    return (value for value in node.attributes.values() if isinstance(value, Body))


def _name(nodes: Sequence[OnnxNode], names: Names, of_nodes: Names, named: set[Edge]) -> None:
    for node in nodes:
        node.name = of_nodes.take(node.name)
        for body in _bodies(node):
            for edge in body.inputs:
                edge.name = names.take(edge.name)
            _name(body.nodes, names, of_nodes, named)
        for made in node.outputs:
            if made is not None and made not in named:
                made.name = names.take(made.name)


class Names:
    """Names that are taken."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def take(self, wish: str) -> str:
        """The name wished for, or with a number behind it if it is taken.

        A name is never empty, which to ONNX is none at all, and always good UTF-8.
        """
        name = wish.encode("utf-8", "replace").decode() or "unnamed"
        if name in self._taken:
            numbers = itertools.count(self._next.get(name, 2))
            number = next(n for n in numbers if f"{name}~{n}" not in self._taken)
            self._next[name] = number + 1
            name = f"{name}~{number}"
        self._taken.add(name)
        return name
