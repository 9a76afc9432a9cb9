"""What ConvLSTM1D, 2D and 3D are made of in a file: inputs, configuration, arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ....eras import padding as rules
from ....eras.storage import pattern, table
from ....ir.derived import widened
from ....ir.layout import Axis, Layout, Terms, key, rebuild, size_of
from ....ir.ops.convolution import Padding, Pads
from ....ir.ops.recurrent import ConvLSTM
from ....ir.tensor import Param, Weight
from ..hard_sigmoid import scaled_array
from ..masks import told
from ..network import Array
from ..site import Site
from ..windows import Space, Window, in_words, needed, pad, said
from .recurrence import (
    GATES,
    Fed,
    functions,
    gate_factors,
    parted,
    recurrent_inputs,
)

Widths = tuple[tuple[int, int], ...]
"""Zeros before and after a kernel's taps, per spatial axis."""


class Steps(msgspec.Struct, frozen=True):
    """How a ConvLSTM's windows are written.

    Attributes:
        space: The geometry of one step.
        window: Of the input's convolution, with its kernel as it is written.
        padding: Of the input's convolution, for that kernel.
        widths: What its kernels are wider by.
        word: What the layer says of it; None where zeros are put around.
    """

    space: Space
    window: Window
    padding: Padding
    widths: Widths
    word: str | None


def conv_inputs(site: Site) -> Fed:
    """The steps, with zeros around them where needed, and the initial states."""
    steps = _steps(site)
    fed = recurrent_inputs(site)
    if steps.word is None and steps.padding != "same_upper":
        site.tell("KP201", "changed", f"pads {in_words(steps.padding)} written out")
        pads = needed(steps.space, steps.window, steps.padding)
        padded = pad(site, fed.tensors[0], steps.space, pads, "pad")
        mask = fed.mask
        if mask is None and fed.carried is not padded.mask:
            padded, mask = told(site, 1, padded)
        fed = Fed([padded, *fed.tensors[1:]], mask, fed.carried)
    return fed


def conv_config(site: Site) -> dict[str, Any]:
    """What the op says of one direction, but for the direction itself and what is returned."""
    op = site.op
    assert isinstance(op, ConvLSTM)
    steps = _steps(site)
    if any(map(any, steps.widths)):
        site.tell("KP204", "changed", f"kernels of {_taps(site)} written with zeros around them")
    return {
        "filters": site.size("filters"),
        "kernel_size": list(steps.window.kernel),
        "strides": list(op.strides),
        "padding": steps.word or "valid",
        "data_format": steps.space.data_format,
        "dilation_rate": list(op.dilation),
        **functions(site),
        "use_bias": "bias" in site.settled.node.params or not site.has("ConvLSTM2D", "use_bias"),
        "stateful": op.stateful,
    }


def conv_arrays(site: Site, prefix: str = "") -> list[Array | None]:
    """What one direction stores; the table says how one gate lies where gates are apart."""
    steps, apart = _steps(site), site.op.kind in site.dialect.apart
    lies = table(site.dialect.storage, steps.space.data_format)
    columns = f"(gates{GATES[ConvLSTM]} filters)"
    patterns: dict[str, str] = {}
    for port in ("kernel", "recurrent_kernel", "bias"):
        text, *_ = pattern(lies, "ConvLSTM", port, rank=steps.space.rank, backend=site.backend)
        patterns[port] = text.replace("filters" if apart else "(gates filters)", columns)
    factors, widths = gate_factors(site), steps.widths
    spaces = {name: site.settled.bound[name] for name in ("kernel_space", "recurrent_space")}
    found: list[Array | None] = []
    for (port, text), space in zip(patterns.items(), (*spaces.values(), ()), strict=True):
        array = site.array(f"{prefix}{port}", port, text)
        array = _wider(site, array, space, widths) if array else None
        found.append(scaled_array(site, array, factors))
    return parted(site, found, "filters", prefix) if apart else found


def _wider(site: Site, array: Array, space: Terms, widths: Widths) -> Array:
    """A kernel with zeros around its taps."""
    around = {
        axis: pair
        for axis, pair in zip(space, widths, strict=False)
        if any(pair) and isinstance(axis, Axis)
    }
    if not around:
        return array
    param, grown = widened(array.param, around)

    def make(_: Weight) -> Weight:
        return param.weight

    def again(held: Param, _: int) -> Weight:
        return widened(held, around)[0].weight

    weight = site.emission.derived(array.param.weight, f"wider by {widths}", make)
    terms: Mapping[Axis, Axis] = grown
    layout = Layout(tuple(rebuild(term, terms) for term in array.layout.terms))
    param = Param(weight, param.stored)
    return Array(array.name, param, layout, array.trains, parts=(array,), again=again)


# ---- geometry -----------------------------------------------------------------------------------


def _taps(site: Site) -> tuple[int, ...]:
    return tuple(size_of(term) or 0 for term in site.settled.bound["kernel_space"])


def _steps(site: Site) -> Steps:
    op = site.op
    assert isinstance(op, ConvLSTM)
    bound, layout = site.settled.bound, site.settled.input
    lead = len(bound["batch"]) + 1
    last = key(layout.terms[lead]) == key(bound["space"][0])
    space = Space(
        rank=len(bound["space"]),
        data_format="channels_last" if last else "channels_first",
        sizes=tuple(map(size_of, bound["space"])),
        outs=tuple(map(size_of, bound["out_space"])),
        repeats=site.repeats(bound["batch"]) + 1,
    )
    widths = _widths(site, op)
    kernel = tuple(k + sum(w) for k, w in zip(_taps(site), widths, strict=True))
    window = Window(kernel, op.strides, op.dilation)
    padding = _padding(op, widths)
    word = said(space, window, padding, rules.CONV[site.backend])
    return Steps(space, window, padding, widths, word)


def _padding(op: ConvLSTM, widths: Widths) -> Padding:
    """The padding of the input's convolution for a kernel with zeros around its taps."""
    if op.padding == "same_upper" or not any(map(any, widths)):
        return op.padding
    return tuple(
        (before + d * left, after + d * right)
        for (before, after), d, (left, right) in zip(op.padding, op.dilation, widths, strict=True)
    )


def _widths(site: Site, op: ConvLSTM) -> Widths:
    """What the kernels are to be wider by for the target's `same` to be the state's padding.

    The state's convolution is `same` in every Keras, by its backend's rule; of an even kernel the
    backends pad unlike sides. With a row of zeros on the side that is padded less it is an odd
    kernel, which both pad alike.
    """
    bound = site.settled.bound
    taps = [size_of(term) or 0 for term in bound["recurrent_space"]]
    rule = rules.CONV[site.backend]
    wanted = tuple(
        rule(size_of(term), k, 1, 1) for term, k in zip(bound["out_space"], taps, strict=True)
    )
    nothing: Widths = ((0, 0),) * len(taps)
    if op.recurrent_padding in {wanted, "same_upper"}:
        return nothing
    assert not isinstance(op.recurrent_padding, str)  # "same_upper" is the only word
    pads: Pads = op.recurrent_padding
    found = tuple((max(0, after - before), max(0, before - after)) for before, after in pads)
    even = all(sum(pair) == k - 1 for pair, k in zip(pads, taps, strict=True))
    if not even or op.padding == "same_upper" or list(_taps(site)) != taps:
        raise site.refuse(f"the state's padding {pads}: {site.backend} pads {wanted}")
    return found
