"""Masks that are stated and travel as well: Keras 3 writes what travels into its graphs."""

from __future__ import annotations

from ...ir.build import Builder
from ...ir.graph import Node, Value
from ...ir.ops.embedding import NotEqual


def travelling(builder: Builder, stated: Value, carried: Value | None) -> Value:
    """The mask that travels, if it is computed as the one that is stated.

    Several Embeddings of the same indices make as many masks, all alike.

    Args:
        builder: The graph so far.
        stated: The mask that a call is told.
        carried: The one that comes along.
    """
    if carried is None or carried is stated:
        return stated
    made = [_maker(builder, mask) for mask in (stated, carried)]
    alike = all(node is not None and isinstance(node.op, NotEqual) for node in made)
    told = {(node.op, node.inputs[0]) for node in made if node is not None}
    return carried if alike and len(told) == 1 else stated


def _maker(builder: Builder, value: Value) -> Node | None:
    return next((node for node in builder.nodes if value in node.results), None)
