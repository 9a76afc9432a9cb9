"""Passes that take away what an inference does not need."""

from __future__ import annotations

from ..ir.model import Model
from ..ir.ops.activation import Linear, TrainingOnly
from .registry import Target, model_pass
from .rewriting import Rewriting, with_nodes


@model_pass(data="-")
def drop_training_ops(model: Model, target: Target) -> Model:
    """Remove Dropout, noise and other ops that only act in training."""
    graph = Rewriting(model)
    for node in graph.walk():
        source = node.inputs[0] if node.inputs else None
        if isinstance(node.op, (TrainingOnly, Linear)) and source is not None:
            graph.remove(node, source)
    return graph.model()


@model_pass(data="-")
def dead_code(model: Model, target: Target) -> Model:
    """Remove what no output needs."""
    needed = set(model.graph.outputs)
    kept = []
    for node in reversed(model.graph.nodes):
        if needed.intersection(node.results):
            needed.update(value for value in node.inputs if value is not None)
            kept.append(node)
    if len(kept) == len(model.graph.nodes):
        return model
    return with_nodes(model, kept[::-1], {})
