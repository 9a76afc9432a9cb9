"""Bidirectional: two recurrent nodes, one turned round, and their merge, as the one layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ....ir.graph import Layer
from ....ir.layout import Axis
from ....ir.op import Op
from ....ir.ops.merge import Add, Average, Concat, Multiply
from ....ir.ops.recurrent import ConvLSTM, ReverseTime
from ....ir.plan import Settled
from ....ir.source import ConstantSource
from ..fit import fitted
from ..kept import kept
from ..masks import carries
from ..network import Array
from ..registry import writes
from ..scaling import constant
from ..site import Site
from ..spell import inside, respelt
from .conv_recurrent import conv_arrays, conv_config, conv_inputs
from .recurrent import Fed, recurrent_arrays, recurrent_config, recurrent_inputs

MODES: Mapping[type[Op], str] = {Add: "sum", Multiply: "mul", Average: "ave", Concat: "concat"}


class Halves(msgspec.Struct, frozen=True):
    """The nodes of one Bidirectional.

    Attributes:
        forward: Along time.
        backward: Against it.
        turned: The backward half's steps in the order of time; None where none are returned.
        ends: The halves' results as they are merged.
        merge: What makes one result of two; None where both are results.
    """

    forward: Settled
    backward: Settled
    turned: Settled | None
    ends: tuple[tuple[Settled, int], tuple[Settled, int]]
    merge: Settled | None


def is_half(site: Site) -> bool:
    """Whether a recurrent node is one half of a Bidirectional."""
    return site.layer is not None and site.layer.class_name == "Bidirectional"


@writes(ReverseTime)
def reverse_time(site: Site) -> None:
    """Only Bidirectional turns steps round, and writes them with its halves."""
    raise site.refuse("no layer of Keras reverses time by itself")


def bidirectional(site: Site) -> None:
    """Bidirectional over a recurrent layer, written where its second half stands."""
    halves = _halves(site)
    there = site.beside(halves.backward)
    assert site.layer is not None  # `is_half` looked
    inner = _inner_layer(site.layer)
    fed = _inputs(site)
    inputs = [*fed.tensors, *_inputs(there).tensors[1:]]
    inputs += [fed.mask] if fed.mask is not None else []
    if there.x() is not site.x():
        raise site.refuse("the halves of a Bidirectional read unlike inputs")
    sequences, state = halves.turned is not None, _returns_state(site, halves, inner)
    if halves.merge is None and not sequences and site.dialect.merges_ends:
        raise site.refuse(
            f"{site.dialect.name} cannot give the last results of both halves unmerged"
        )
    biased = any("bias" in half.node.params for half in (halves.forward, halves.backward))
    returned = {"return_sequences": sequences, "return_state": state, "use_bias": biased}
    config: dict[str, Any] = {
        "layer": _entry(site, inner, returned),
        "merge_mode": None if halves.merge is None else MODES[type(halves.merge.node.op)],
    }
    names = f"forward_{inner.name}/", f"backward_{inner.name}/"
    if not _turned_round(halves):
        other = _inner_layer(site.layer, "backward_layer")
        config["backward_layer"] = _entry(there, other, returned)
        names = f"forward_{inner.name}/", f"{other.name}/"
    if sequences and fed.carried is not None:
        _tell_of_masks(site, halves)
    arrays = [*_arrays(site, names[0], biased), *_arrays(there, names[1], biased)]
    results = _results(halves, state=state)
    tensors = site.put_all(
        "Bidirectional",
        config,
        inputs,
        role=None,
        arrays=arrays,
        repeats=site.repeats(site.settled.bound["batch"]),
        outputs=len(results),
        arguments=fed.arguments,
    )
    first = len(tensors) - (len(results) - (1 if halves.merge is not None else 2))
    for number, ((settled, index), tensor) in enumerate(zip(results, tensors, strict=True)):
        own = fed.carried if sequences else site.emission.masks.get(site.layer)
        carries(site, tensor, own if number < first else None)
        site.scope.define(settled.node.results[index], settled.results[index], tensor)


def _inputs(site: Site) -> Fed:
    return conv_inputs(site) if isinstance(site.op, ConvLSTM) else recurrent_inputs(site)


def _arrays(site: Site, prefix: str, biased: bool) -> list[Array | None]:
    """What a half stores; a bias of zeros where only the other has one.

    Every Keras that reads HDF5 gives each half as many arrays as the other.
    Source: tf-keras 2.21 `saving/legacy/hdf5_format.py` (`convert_bidirectional_weights`).
    """
    convolves = isinstance(site.op, ConvLSTM)
    found = conv_arrays(site, prefix) if convolves else recurrent_arrays(site, prefix)
    if biased and found[-1] is None:
        op: Any = site.op
        units = site.size("filters" if convolves else "units")
        count = units * (site.size("gates") if "gates" in site.settled.bound else 1)
        terms = [Axis("X", 2)] if getattr(op, "reset_after", False) else []
        terms.append(Axis("U", count))
        shape = tuple(axis.size or 0 for axis in terms)
        found[-1] = constant(f"{prefix}bias", ConstantSource(0.0, shape), *terms)
    return found


def _entry(site: Site, inner: Layer, returned: Mapping[str, bool]) -> dict[str, Any]:
    """A layer inside, as its half says it."""
    op: Any = site.op
    convolves = isinstance(op, ConvLSTM)
    class_name = f"ConvLSTM{len(site.settled.bound['space'])}D" if convolves else op.kind
    config = {
        **kept(inner, class_name, site.dialect, site.emission.report),
        **(conv_config(site) if convolves else recurrent_config(site)),
        **returned,
        "go_backwards": op.go_backwards,
    }
    config["use_bias"] = config["use_bias"] or not site.has(class_name, "use_bias")
    said = fitted(class_name, config, site.dialect, site.backend)
    return inside(respelt(class_name, {"name": inner.name, **said}, site.dialect), site.dialect)


def _turned_round(halves: Halves) -> bool:
    """Whether the backward half is the forward one in the other direction."""
    ops = [half.node.op for half in (halves.forward, halves.backward)]
    first = msgspec.structs.replace(ops[0], go_backwards=ops[1].go_backwards)  # type: ignore[attr-defined]
    return first == ops[1] and ops[0] != ops[1]


def _tell_of_masks(site: Site, halves: Halves) -> None:
    """What comes out of absent steps: zeros from tf.keras on, the last result before."""
    zeroed = halves.ends[0][0] is not halves.forward
    if zeroed:
        site.emission.speak("tf_keras")
    site.tell(
        "KN306",
        "note",
        "behind a mask this Bidirectional gives "
        f"{'zeros' if zeroed else 'the last result'} at absent steps; "
        f"{'Keras 2.2 and 2.3 give the last result' if zeroed else 'tf.keras and Keras 3 zeros'}",
        level="warning",
    )


def _halves(site: Site) -> Halves:
    """The nodes of the layer, all to be written at once."""
    parts = site.emission.parts(site.layer)
    forward, backward = parts.get("forward"), parts.get("backward")
    turned, merge = parts.get("turned"), parts.get("merge")
    if forward is None or backward is None or site.settled.node is not forward.node:
        raise site.refuse("a Bidirectional that is not whole")
    if merge is not None and type(merge.node.op) not in MODES:
        raise site.refuse(f"no Bidirectional merges by {merge.node.op.kind}")
    if merge is not None and not _joins_last(merge):
        merge = None  # a layer of its own
    ends = ((forward, 0), (turned, 0)) if turned else ((forward, 1), (backward, 1))
    absent = parts.get("forward_absent"), parts.get("backward_absent")
    if absent[0] is not None and absent[1] is not None:
        ends = ((absent[0], 0), (absent[1], 0))
    for settled in (backward, turned, *absent, merge):
        if settled is not None:
            site.emission.fuse(settled.node)
    return Halves(forward, backward, turned, ends, merge)


def _joins_last(merge: Settled) -> bool:
    """Whether a merge is none along another axis than the last, which is where Keras joins halves.

    Source: Keras 2.2.4 `layers/wrappers.py` `Bidirectional.call`, for ConvLSTM2D too.
    """
    if not isinstance(merge.node.op, Concat):
        return True
    return merge.position("joined", result=True) == len(merge.results[0].terms) - 1


def _inner_layer(layer: Layer, role: str = "layer") -> Layer:
    stored = layer.config.get(role)
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
    found = [(halves.merge, 0)] if halves.merge is not None else list(halves.ends)
    if state:
        for half in (halves.forward, halves.backward):
            found += [(half, index) for index in range(1, len(half.results))]
    return found
