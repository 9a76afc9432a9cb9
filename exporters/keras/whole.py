"""Layers that were read as several operations, written as the one layer that they were.

What such a layer computes follows from its configuration alone. So where the target has its class,
and nothing inside lies otherwise than its author had it, the configuration says it all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ...ir.graph import Layer, Value
from ...ir.plan import Plan, Settled
from .site import Site

if TYPE_CHECKING:
    from .dialects import Dialect


class Whole(NamedTuple):
    """All nodes of one call of a layer.

    Attributes:
        fed: What the layer is given: a node that reads it, and as which of its inputs.
        nodes: In order.
        last: The node that makes its result.
    """

    fed: tuple[Settled, int]
    nodes: tuple[Settled, ...]
    last: Settled


def whole_layers(plan: Plan, dialect: Dialect) -> Mapping[Layer, Whole]:
    """The calls that can be written so: of one tensor, with one result, all in its author's order.

    Args:
        plan: What is written.
        dialect: The target.
    """
    if not dialect.whole:
        return {}
    calls: dict[Layer, list[Settled]] = {}
    for settled in plan.settled:
        layer = settled.node.layer
        if layer is not None and layer.class_name in dialect.whole and not layer.wrappers:
            calls.setdefault(layer, []).append(settled)
    found = {layer: _whole(plan, nodes) for layer, nodes in calls.items()}
    return {layer: one for layer, one in found.items() if one is not None}


def _whole(plan: Plan, nodes: list[Settled]) -> Whole | None:
    made = {value for settled in nodes for value in settled.node.results}
    inside = {settled.node for settled in nodes}
    readers = plan.graph.consumers()
    outside = [
        (settled, value)
        for settled in nodes
        for value in settled.node.results
        if value in plan.graph.outputs or any(node not in inside for node in readers[value])
    ]
    fed = [
        (settled, place)
        for settled in nodes
        for place, held in enumerate(settled.inputs)
        if held is not None and held.value not in made
    ]
    given = {_held(settled, place) for settled, place in fed}
    if len(outside) != 1 or len(given) != 1 or not all(one.as_authored for one in nodes):
        return None
    return Whole(fed[0], tuple(nodes), outside[0][0])


def _held(settled: Settled, place: int) -> Value:
    held = settled.inputs[place]
    assert held is not None  # the caller looked
    return held.value


def write_whole(site: Site, whole: Whole) -> None:
    """Call the layer itself: all that it is told stands in its configuration."""
    settled, place = whole.fed
    layer, held = site.layer, settled.inputs[place]
    assert layer is not None  # its nodes were found by it
    assert held is not None
    x = site.scope.take(held.value, held.layout, site.name)
    y = site.put_all(layer.class_name, {}, [x], role=None)[0]
    for node in whole.nodes:
        site.emission.fuse(node.node)
    site.scope.define(whole.last.node.result, whole.last.results[0], y)
