"""Bidirectional: two recurrent nodes, one turned round, and their merge, as the one layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ....ir.graph import Layer
from ....ir.layout import Axis
from ....ir.op import Op
from ....ir.ops.merge import Add, Average, Concat, Multiply
from ....ir.ops.recurrent import GRU, LSTM, ConvLSTM, SimpleRNN
from ....ir.parts import cell_number
from ....ir.plan import Settled
from ....ir.source import ConstantSource
from ..fit import fitted
from ..kept import kept
from ..masks import carries, mask_of, shows
from ..network import Array
from ..scaling import constant
from ..site import Site
from ..spell import inside, respelt
from .conv_recurrent import conv_arrays, conv_config, conv_inputs
from .recurrence import Fed, recurrent_arrays, recurrent_config, recurrent_inputs
from .stacked import (
    STACK,
    all_states,
    are_one,
    cells_of,
    end_of,
    fuse_cells,
    over_cell,
    speak_of_masks,
    stack_arrays,
    stack_config,
    states_of,
)

MODES: Mapping[type[Op], str] = {Add: "sum", Multiply: "mul", Average: "ave", Concat: "concat"}


class Halves(msgspec.Struct, frozen=True):
    """The nodes of one Bidirectional.

    Attributes:
        forward: Along time: one, or one for each of several cells.
        backward: Against it.
        turned: The backward half's steps in the order of time; None where none are returned.
        ends: The halves' results as they are merged.
        merge: What makes one result of two; None where both are results.
    """

    forward: tuple[Settled, ...]
    backward: tuple[Settled, ...]
    turned: Settled | None
    ends: tuple[tuple[Settled, int], ...]
    merge: Settled | None


def is_half(site: Site) -> bool:
    """Whether a recurrent node is one half of a Bidirectional that the target has.

    Each of several cells is a layer of its own where the target has no RNN over cells; and each
    half where the last results of both are asked for and the target gives one alone, or where the
    steps that a mask leaves out are seen and a reader gives zeros there, the source none.
    """
    if site.layer is None or site.layer.class_name != "Bidirectional":
        return False
    if _shows_absent(site):
        site.tell(
            "KX102",
            "changed",
            "both halves are layers of their own: at steps that a mask "
            "leaves out a Bidirectional of Keras 3 gives zeros, not the last result",
        )
        return False
    parts = site.emission.parts(site.layer)
    if site.dialect.merges_ends and "turned" not in parts and _own_merge(site, parts) is None:
        return False
    return cell_number(site.settled.node.part) is None or are_one(site)


def _shows_absent(site: Site) -> bool:
    """Whether something sees the last result that both halves repeat where a mask is.

    A recurrent layer by itself repeats its last result in every Keras. Where only some readers of
    the target put zeros there, the layer stays whole, and the report tells.
    """
    parts, mask = site.emission.parts(site.layer), mask_of(site, 1)
    turned, forward = parts.get("turned"), parts.get("forward")
    if mask is None or turned is None or forward is None or "forward_absent" in parts:
        return False
    ends = forward.node.results[0], turned.node.result
    graph = site.emission.plan.graph
    return site.dialect.zeroes_absent and any(shows(graph, end, mask.value) for end in ends)


def bidirectional(site: Site) -> None:
    """Bidirectional over a recurrent layer, written where its second half stands."""
    if "forward_zeroed" in site.emission.parts(site.layer):
        raise site.refuse("no Bidirectional gives zeros for a last step that a mask leaves out")
    halves = _halves(site)
    forward = [site.beside(settled) for settled in halves.forward]
    backward = [site.beside(settled) for settled in halves.backward]
    there = backward[0]
    assert site.layer is not None  # `is_half` looked
    inner, op = _inner_layer(site.layer), site.op
    assert isinstance(op, (SimpleRNN, GRU, LSTM, ConvLSTM))  # `recurrent` and `conv_lstm` looked
    fed = _inputs(site)
    inputs = [*fed.tensors, *states_of(forward[1:])]
    inputs += [*_inputs(there).tensors[1:], *states_of(backward[1:])]
    inputs += [fed.mask] if fed.mask is not None else []
    if there.x() is not site.x():
        raise site.refuse("the halves of a Bidirectional read unlike inputs")
    if len(halves.forward) > 1:
        speak_of_masks(site, halves.forward, turned=halves.turned is not None)
    sequences, state = halves.turned is not None, _returns_state(site, halves, inner)
    nodes = [settled.node for settled in (*halves.forward, *halves.backward)]
    biased = any("bias" in node.params for node in nodes)
    returned = {"return_sequences": sequences, "return_state": state, "use_bias": biased}
    config: dict[str, Any] = {
        "layer": _entry(forward, inner, returned),
        "merge_mode": None if halves.merge is None else MODES[type(halves.merge.node.op)],
    }
    names = f"forward_{inner.name}/", f"backward_{inner.name}/"
    other = inner
    if not _turned_round(halves) or (site.dialect.backs_second and op.go_backwards):
        stated = site.layer.config.get("backward_layer")
        other = _inner_layer(site.layer, "backward_layer" if stated else "layer")
        config["backward_layer"] = _entry(backward, other, returned)
        names = f"forward_{inner.name}/", f"{other.name}/"
    if sequences and fed.carried is not None:
        _tell_of_masks(site, halves)
    arrays = _arrays(forward, inner, names[0], biased, "forward_layer/")
    arrays += _arrays(backward, other, names[1], biased, "backward_layer/")
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


def _arrays(
    sites: Sequence[Site], inner: Layer, prefix: str, biased: bool, place: str
) -> list[Array | None]:
    """What a half stores; a bias of zeros where only the other has one.

    Every Keras that reads HDF5 gives each half as many arrays as the other.
    Source: tf-keras 2.21 `saving/legacy/hdf5_format.py` (`convert_bidirectional_weights`).
    """
    if inner.class_name == STACK:
        return stack_arrays(sites, inner.config, prefix, place)
    (site,) = sites
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


def _entry(sites: Sequence[Site], inner: Layer, returned: Mapping[str, bool]) -> dict[str, Any]:
    """A layer inside, as its half says it."""
    site = sites[0]
    op: Any = site.op
    if inner.class_name == STACK:
        class_name, said = "RNN", stack_config(sites, inner.config, returned)
    else:
        convolves = isinstance(op, ConvLSTM)
        class_name = f"ConvLSTM{len(site.settled.bound['space'])}D" if convolves else op.kind
        said = {
            **(conv_config(site) if convolves else recurrent_config(site)),
            **returned,
            "go_backwards": op.go_backwards,
        }
        said["use_bias"] = said["use_bias"] or not site.has(class_name, "use_bias")
        cell = over_cell(site, inner, said)
        if cell is not None:
            class_name, said = "RNN", cell
    config = {**kept(inner, class_name, site.dialect, site.emission.report), **said}
    config = fitted(class_name, config, site.dialect, site.backend)
    return inside(respelt(class_name, {"name": inner.name, **config}, site.dialect), site.dialect)


def _turned_round(halves: Halves) -> bool:
    """Whether the backward half is the forward one in the other direction."""
    pairs = list(zip(halves.forward, halves.backward, strict=False))
    ops = [(one.node.op, other.node.op) for one, other in pairs]
    alike = len(halves.forward) == len(halves.backward) and all(
        msgspec.structs.replace(a, go_backwards=b.go_backwards) == b  # type: ignore[attr-defined]
        for a, b in ops
    )
    return alike and ops[0][0] != ops[0][1]


def _tell_of_masks(site: Site, halves: Halves) -> None:
    """What comes out of absent steps: zeros from tf.keras on, the last result before."""
    zeroed = "forward_absent" in site.emission.parts(site.layer)
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
    forward, backward = (_direction(parts, name) for name in ("forward", "backward"))
    turned, merge = parts.get("turned"), parts.get("merge")
    if not forward or not backward or site.settled.node is not forward[0].node:
        raise site.refuse("a Bidirectional that is not whole")
    if merge is not None and type(merge.node.op) not in MODES:
        raise site.refuse(f"no Bidirectional merges by {merge.node.op.kind}")
    ends = _ends(site, parts)
    merge = _own_merge(site, parts)
    absent = parts.get("forward_absent"), parts.get("backward_absent")
    for settled in (turned, *absent, merge):
        if settled is not None:
            site.emission.fuse(settled.node)
    fuse_cells(site, (*forward, *backward))
    return Halves(forward, backward, turned, ends, merge)


def _ends(site: Site, parts: Mapping[str, Settled]) -> tuple[tuple[Settled, int], ...]:
    """The halves' results as they are merged: each a node and which of its results."""
    turned = parts.get("turned")
    absent = parts.get("forward_absent"), parts.get("backward_absent")
    if absent[0] is not None and absent[1] is not None:
        return (absent[0], 0), (absent[1], 0)
    forward, backward = (
        end_of(site, _direction(parts, name), name) for name in ("forward", "backward")
    )
    return ((forward, 0), (turned, 0)) if turned else ((forward, 1), (backward, 1))


def _own_merge(site: Site, parts: Mapping[str, Settled]) -> Settled | None:
    """What the layer merges its halves by; None where that is a layer of its own."""
    merge = parts.get("merge")
    if merge is None or not _joins_last(merge) or not _as_they_come(merge, _ends(site, parts)):
        return None
    return merge


def _direction(parts: Mapping[str, Settled], name: str) -> tuple[Settled, ...]:
    """The nodes of one half: of a layer, or of each of several cells."""
    return (parts[name],) if name in parts else tuple(cells_of(parts, name))


def _as_they_come(merge: Settled, ends: tuple[tuple[Settled, int], ...]) -> bool:
    """Whether a merge takes the halves' results in the layouts that they have."""
    results = (settled.results[index] for settled, index in ends)
    return all(
        held is not None and held.layout == result
        for held, result in zip(merge.inputs, results, strict=True)
    )


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
    ends = [] if halves.turned is not None else [end for end, _ in halves.ends]
    read = any(
        site.emission.is_read(value)
        for half in (halves.forward, halves.backward)
        for cell in half
        for value in cell.node.results[2 if cell in ends else 1 :]
    )
    return read or bool(inner.config.get("return_state"))


def _results(halves: Halves, *, state: bool) -> list[tuple[Settled, int]]:
    """What the layer gives, in Keras' order: each a node and which of its results.

    Source: Keras 2.2.4 `layers/wrappers.py` `Bidirectional.call`.
    """
    found = [(halves.merge, 0)] if halves.merge is not None else list(halves.ends)
    if state:
        found += [*all_states(halves.forward), *all_states(halves.backward)]
    return found
