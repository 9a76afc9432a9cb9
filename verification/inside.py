"""Where an ONNX file goes wrong: values inside it against those of the reference.

A file that kerasir wrote says in each tensor's doc string which value of the model it holds, and in
which layout. So layers are compared by name although passes have folded some of them into others:
what is not in the file any more is passed over, and never taken for something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..engines import OnnxRuntime, Reference
from ..errors import LayoutError
from ..ir.graph import Value
from ..ir.layout import Layout
from ..ir.plan import Coercion, Plan, Settled
from ..ir.source import Array
from .calls import LayerCall, calls_of
from .compare import compare, largest_differences
from .feeds import Feed
from .matching import Matching
from .records import Compared, Difference

Found = tuple[tuple[Compared, ...], tuple[Difference, ...]]
"""Every layer that was compared, in order; the largest differences in the first that differs."""


def layers_inside(
    a: Reference,
    b: OnnxRuntime,
    feed: Feed,
    sent: Sequence[Array],
    matching: Matching,
    tolerance: float,
    plan: Plan | None = None,
) -> Found:
    """Compare the results of layers.

    Args:
        a: The one that is believed.
        b: The other.
        feed: What A is fed.
        sent: The same for B.
        matching: What is known of which axes of B are which of A.
        tolerance: Largest relative error allowed.
        plan: What was written, if that is known: it has the very axes of A.

    Raises:
        KerasirError: A model cannot be run.
    """
    calls = {value: call for call in calls_of(a.model.graph) for value in call.last.results}
    values = {value.name: value for value in calls}
    exact = {} if plan is None else _layouts(plan)
    mine = _results(a, feed, calls)
    compared: dict[LayerCall, Compared] = {}
    where: dict[LayerCall, tuple[Difference, ...]] = {}
    for name, text, array in b.inside(sent, values.__contains__):
        value = values[name]
        call, layout = calls[value], exact.get((name, text)) or _parsed(text)
        if layout is None or value not in mine or call in where:
            continue
        other = matching.brought(array, layout, value.layout)
        if other is None and array.size == mine[value].size:
            continue  # nothing says which number is which: what is behind it tells
        found = compare(call.name, "layer", mine[value], other, tolerance, weighted=call.weighted)
        compared[call] = found
        if not found.agrees(tolerance):
            where[call] = largest_differences(mine[value], other, value.layout)
    ordered = [call for call in dict.fromkeys(calls.values()) if call in compared]
    first = next((call for call in ordered if call in where), None)
    layers = tuple(compared[call] for call in ordered)
    return layers, () if first is None else where[first]


def _results(a: Reference, feed: Feed, wanted: Mapping[Value, object]) -> dict[Value, Array]:
    """The arrays of some values, rounded to float32: they are held all at once."""
    held: dict[Value, Array] = {}

    def watch(settled: Settled, results: tuple[Array, ...]) -> None:
        for value, array in zip(settled.node.results, results, strict=True):
            if value in wanted:
                held[value] = array.astype(np.float32) if array.dtype.kind == "f" else array

    a.run(feed.arrays, watch)
    return held


def _layouts(plan: Plan) -> dict[tuple[str, str], Layout]:
    """Every layout that a value has in the plan, by the value's name and as it prints."""
    found: dict[tuple[str, str], Layout] = {}
    for step in plan.steps:
        if isinstance(step, Coercion):
            pairs = [(step.value, step.want)]
        else:
            pairs = list(zip(step.node.results, step.results, strict=True))
        found.update(((value.name, str(layout)), layout) for value, layout in pairs)
    return found


def _parsed(text: str) -> Layout | None:
    try:
        return Layout.parse(text)
    except LayoutError:  # the file's text is somebody else's
        return None
