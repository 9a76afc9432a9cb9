"""Bidirectional: two recurrent nodes, one turned round, and their merge, as the one layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ....ir.graph import Layer
from ....ir.op import Op
from ....ir.ops.merge import Add, Average, Concat, Multiply
from ....ir.ops.recurrent import ReverseTime
from ....ir.plan import Settled
from ..kept import kept
from ..registry import writes
from ..site import Site
from ..spell import inside
from .recurrent import recurrent_arrays, recurrent_config, recurrent_inputs

MODES: Mapping[type[Op], str] = {Add: "sum", Multiply: "mul", Average: "ave", Concat: "concat"}


class Halves(msgspec.Struct, frozen=True):
    """The nodes of one Bidirectional.

    Attributes:
        forward: Along time.
        backward: Against it.
        turned: The backward half's steps in the order of time; None where none are returned.
        merge: What makes one result of two; None where both are results.
    """

    forward: Settled
    backward: Settled
    turned: Settled | None
    merge: Settled | None


def is_half(site: Site) -> bool:
    """Whether a recurrent node is one half of a Bidirectional."""
    return site.layer is not None and site.layer.class_name == "Bidirectional"


@writes(ReverseTime)
def reverse_time(site: Site) -> None:
    """Only Bidirectional turns steps round, and writes them with its halves."""
    raise site.refuse("no layer of Keras reverses time by itself")


def bidirectional(site: Site) -> None:
    """Bidirectional over SimpleRNN, GRU or LSTM, written where its first half stands."""
    halves = _halves(site)
    there = site.beside(halves.backward)
    assert site.layer is not None  # `is_half` looked
    inner = _inner_layer(site.layer)
    inputs = recurrent_inputs(site)
    inputs += recurrent_inputs(there)[1:]
    if there.x() is not inputs[0]:
        raise site.refuse("the halves of a Bidirectional read unlike inputs")
    backwards: bool = site.op.go_backwards  # type: ignore[attr-defined]
    sequences, state = halves.turned is not None, _returns_state(site, halves, inner)
    config = {
        "name": inner.name,
        **kept(inner, inner.class_name, site.dialect, site.emission.report),
        **recurrent_config(site),
        "return_sequences": sequences,
        "return_state": state,
        "go_backwards": backwards,
    }
    entry: dict[str, Any] = {"class_name": inner.class_name, "config": config}
    mode = None if halves.merge is None else MODES[type(halves.merge.node.op)]
    results = _results(halves, state=state)
    tensors = site.put_all(
        "Bidirectional",
        {"layer": inside(entry, site.dialect), "merge_mode": mode},
        inputs,
        role=None,
        arrays=[
            *recurrent_arrays(site, f"forward_{inner.name}/"),
            *recurrent_arrays(there, f"backward_{inner.name}/"),
        ],
        repeats=site.repeats(site.settled.bound["batch"]),
        outputs=len(results),
    )
    for (settled, index), tensor in zip(results, tensors, strict=True):
        tensor.mask = inputs[0].mask if sequences and settled is not halves.forward else None
        site.scope.define(settled.node.results[index], settled.results[index], tensor)


def _halves(site: Site) -> Halves:
    """The nodes of the layer, all to be written at once."""
    parts = site.emission.parts(site.layer)
    forward, backward = parts.get("forward"), parts.get("backward")
    turned, merge = parts.get("turned"), parts.get("merge")
    if forward is None or backward is None or site.settled.node is not forward.node:
        raise site.refuse("a Bidirectional that is not whole")
    ops = [half.node.op for half in (forward, backward)]
    first = msgspec.structs.replace(ops[0], go_backwards=ops[1].go_backwards)  # type: ignore[attr-defined]
    if first != ops[1] or ops[0] == ops[1]:
        raise site.refuse("the halves of a Bidirectional differ in more than their direction")
    if merge is not None and type(merge.node.op) not in MODES:
        raise site.refuse(f"no Bidirectional merges by {merge.node.op.kind}")
    if merge is not None and isinstance(merge.node.op, Concat):
        last = merge.position("joined", result=True) == len(merge.results[0].terms) - 1
        if not last:
            raise site.refuse("a Bidirectional joins features only")
    for settled in (backward, turned, merge):
        if settled is not None:
            site.emission.fuse(settled.node)
    return Halves(forward, backward, turned, merge)


def _inner_layer(layer: Layer) -> Layer:
    stored = layer.config.get("layer")
    entry = stored if isinstance(stored, Mapping) else {}
    config = entry.get("config")
    config = config if isinstance(config, Mapping) else {}
    name = config.get("name")
    return Layer(
        name if isinstance(name, str) else f"{layer.name}_each",
        str(entry.get("class_name")),
        config,
    )


def _returns_state(site: Site, halves: Halves, inner: Layer) -> bool:
    """Whether the halves' states are results of the layer too."""
    first = 1 if halves.turned is not None else 2
    nodes = (halves.forward.node, halves.backward.node)
    read = any(site.emission.is_read(value) for node in nodes for value in node.results[first:])
    return read or bool(inner.config.get("return_state"))


def _results(halves: Halves, *, state: bool) -> list[tuple[Settled, int]]:
    """What the layer gives, in Keras' order: each a node and which of its results.

    Source: Keras 2.2.4 `layers/wrappers.py` `Bidirectional.call`.
    """
    if halves.merge is not None:
        found = [(halves.merge, 0)]
    elif halves.turned is not None:
        found = [(halves.forward, 0), (halves.turned, 0)]
    else:
        found = [(halves.forward, 1), (halves.backward, 1)]
    if state:
        for half in (halves.forward, halves.backward):
            found += [(half, index) for index in range(1, len(half.results))]
    return found
