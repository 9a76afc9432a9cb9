"""Passes that take away what an inference does not need."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..ir.graph import Graph, Node, Value
from ..ir.model import Model, Scope
from ..ir.ops.activation import Linear, TrainingOnly
from .registry import Target, model_pass


@model_pass(data="-")
def drop_training_ops(model: Model, target: Target) -> Model:
    """Remove Dropout, noise and other ops that only act in training."""
    gone: dict[Value, Value] = {}
    kept: list[Node] = []
    for node in model.graph.nodes:
        source = node.inputs[0] if node.inputs else None
        if isinstance(node.op, (TrainingOnly, Linear)) and source is not None:
            gone[node.result] = gone.get(source, source)
        else:
            kept.append(_rewired(node, gone))
    return _with_nodes(model, kept, gone)


@model_pass(data="-")
def dead_code(model: Model, target: Target) -> Model:
    """Remove what no output needs."""
    needed = set(model.graph.outputs)
    kept: list[Node] = []
    for node in reversed(model.graph.nodes):
        if needed.intersection(node.results):
            needed.update(value for value in node.inputs if value is not None)
            kept.append(node)
    return _with_nodes(model, kept[::-1], {})


def _rewired(node: Node, gone: dict[Value, Value]) -> Node:
    """The node with other inputs in place of those that are gone; itself if none is."""
    inputs = [None if value is None else gone.get(value, value) for value in node.inputs]
    if tuple(inputs) == node.inputs:
        return node
    return Node(
        node.name,
        node.op,
        inputs,
        node.results,
        node.axes,
        node.params,
        node.layer,
        node.part,
    )


def _with_nodes(model: Model, nodes: Sequence[Node], gone: dict[Value, Value]) -> Model:
    graph = model.graph
    outputs = [gone.get(value, value) for value in graph.outputs]
    scopes = tuple(
        Scope(
            scope.path,
            scope.layer,
            tuple(gone.get(value, value) for value in scope.inputs),
            tuple(gone.get(value, value) for value in scope.outputs),
        )
        for scope in model.scopes
    )
    changed = Graph(graph.inputs, nodes, outputs, graph.output_names)
    return msgspec.structs.replace(model, graph=changed, scopes=scopes)
