"""Transposed convolutions."""

from __future__ import annotations

import math
from typing import Any

from ....eras.padding import CONV, transposed_crop, transposed_extent
from ....eras.storage import pattern, table
from ....ir.layout import size_of
from ....ir.ops.convolution import ConvTranspose, Pads
from ..network import Tensor
from ..registry import writes
from ..site import Site
from ..windows import Space, Window, crop, in_words, pad, space_of, time_last, turned
from .activation import fused


@writes(ConvTranspose, attributes="strides dilation cropping")
def conv_transpose(site: Site) -> None:
    """Conv1DTranspose, 2D and 3D; cut afterwards where no word of the target says it."""
    op = site.op
    assert isinstance(op, ConvTranspose)
    space = space_of(site)
    class_name = f"Conv{space.rank}DTranspose"
    taps = tuple(size_of(term) or 0 for term in site.settled.bound["kernel_space"])
    window = Window(taps, op.strides, op.dilation)
    if class_name not in site.dialect.classes:
        _over_zeros(site, op, space, window)
        return
    config: dict[str, Any] = {}
    if site.dialect.states_extent:
        word, config["output_shape"], cuts = _sized(site, space, window, op)
    else:
        word, extra, cuts = _said(site, space, window, op)
        config["output_padding"] = list(extra) if any(extra) else None
    config |= {
        "filters": site.size("filters"),
        "kernel_size": list(taps),
        "strides": list(op.strides),
        "padding": word,
        "data_format": space.data_format,
        "use_bias": "bias" in site.settled.node.params,
        "activation": fused(site),
    }
    if space.rank == 2 or any(step > 1 for step in op.dilation):
        config["dilation_rate"] = list(op.dilation)
    arrays = [
        site.array(port, port, rank=space.rank, data_format=space.data_format)
        for port in ("kernel", "bias")
    ]
    y = site.put(class_name, config, [site.x()], arrays=arrays, repeats=space.repeats)
    if any(before or after for before, after in cuts):
        site.tell("KP202", "changed", f"crop {in_words(op.cropping)} written out")
        y = crop(site, y, space, cuts, "crop")
    site.give(y)


def _over_zeros(site: Site, op: ConvTranspose, space: Space, window: Window) -> None:
    """A convolution with the kernel turned round, over the input with zeros between its elements.

    Raises:
        ExportError: The target has no such convolution either, or the extents are not known.
    """
    class_name = f"Conv{space.rank}D"
    what = f"{site.dialect.name} has no {class_name}Transpose"
    dilated = any(step > 1 for step in op.dilation)
    if not site.has(class_name) or (dilated and not site.has(class_name, "dilation_rate")):
        raise site.refuse(what)
    if None in space.sizes:
        raise site.refuse(
            f"{what}, and the extents of the input are not known",
            "fix the sizes of the model's inputs",
        )
    site.tell("KX102", "changed", f"{class_name}Transpose is written as {class_name} over zeros")
    x, sizes = _spread(site, op, space)
    pads = []
    for axis, (before, _) in enumerate(op.cropping):
        around = window.reach(axis) - 1
        pads.append((around - before, (space.outs[axis] or 0) - sizes[axis] + before))
    spread = Space(space.rank, space.data_format, tuple(sizes), space.outs, space.repeats)
    for reach, put, role in ((-1, crop, "cut"), (1, pad, "pad")):
        pairs = tuple((max(0, reach * before), max(0, reach * after)) for before, after in pads)
        x = put(site, x, spread, pairs, role) if any(map(any, pairs)) else x
    turn = turned(site, class_name, space)
    x = time_last(site, x, space, "before") if turn else x
    ones = [1] * space.rank
    config = {
        "filters": site.size("filters"),
        "kernel_size": list(window.kernel),
        "strides": ones,
        "padding": "valid",
        "data_format": "channels_last" if turn else space.data_format,
        "use_bias": "bias" in site.settled.node.params,
        "activation": fused(site),
        "dilation_rate": list(op.dilation),
    }
    lies = table(site.dialect.storage, space.data_format)
    text = pattern(lies, "Conv", "kernel", rank=space.rank, backend=site.backend)[0]
    plain, back = "kernel_space", "~kernel_space"
    text = text.replace(back, plain) if back in text else text.replace(plain, back)
    arrays = [site.array("kernel", "kernel", text), site.array("bias", "bias")]
    y = site.put(class_name, config, [x], arrays=arrays, repeats=space.repeats)
    site.give(time_last(site, y, space, "after") if turn else y)


def _spread(site: Site, op: ConvTranspose, space: Space) -> tuple[Tensor, list[int]]:
    """The input with zeros behind each element along the axes of steps, and its extents then.

    A padding puts them there where the axis has been split off: all axes up to it as one, one, and
    all behind it.
    """
    x, sizes, repeats = site.x(), [size or 0 for size in space.sizes], space.repeats
    for axis, step in enumerate(op.strides):
        if step == 1:
            continue
        place = axis + space.first - 1
        extents = sizes.copy()
        extents.insert(0 if space.first == 2 else len(sizes), site.size("channels"))
        apart = [math.prod(extents[: place + 1]), 1, math.prod(extents[place + 1 :])]
        config: dict[str, Any] = {"target_shape": apart}
        x = site.put("Reshape", config, [x], role=f"apart_{axis}", repeats=repeats)
        config = {"padding": [[0, 0], [0, step - 1]], "data_format": "channels_last"}
        x = site.put("ZeroPadding2D", config, [x], role=f"zeros_{axis}", repeats=repeats)
        sizes[axis] *= step
        extents[place] *= step
        config = {"target_shape": extents}
        x = site.put("Reshape", config, [x], role=f"spread_{axis}", repeats=repeats)
    return x, sizes


def _sized(
    site: Site, space: Space, window: Window, op: ConvTranspose
) -> tuple[str, list[int | None], Pads]:
    """`border_mode`, `output_shape`, and what is cut afterwards: Keras 1 is told the extents."""
    axes = range(space.rank)
    outs: list[int | None] = list(space.outs)
    cuts: Pads = ()
    found = [
        w
        for w in ("valid", "same")
        if all(_is_sized(site, space, window, op, w, axis) for axis in axes)
    ]
    if not found:
        before, after = zip(*op.cropping, strict=True)
        outs = [out + b + max(0, a) for out, b, a in zip(space.outs, before, after, strict=True)]
        cuts = tuple((b, max(0, a)) for b, a in op.cropping)
    filters = site.size("filters")
    stated = site.layer.config.get("output_shape") if site.layer else None
    batch = stated[0] if isinstance(stated, (list, tuple)) and stated else None
    first = space.data_format == "channels_first"
    shape = [batch, filters, *outs] if first else [batch, *outs, filters]
    return found[0] if found else "valid", shape, cuts


def _is_sized(
    site: Site, space: Space, window: Window, op: ConvTranspose, word: str, axis: int
) -> bool:
    """Whether the backend, told the result's extent, cuts just so; even kernels not on Theano.

    Source: Keras 1.2.2 `theano_backend.deconv2d`, whose `same` cuts by the input's extent then.
    """
    size, out = space.sizes[axis], space.outs[axis]
    if size is None or out is None:
        raise site.refuse("a transposed convolution over an input of unknown extent")
    taps, step = window.kernel[axis], window.strides[axis]
    pads = CONV[site.backend](out, taps, step, 1) if word == "same" else (0, 0)
    if pads is None or (word == "same" and site.backend == "theano" and taps % 2 == 0):
        return False
    if (out + sum(pads) - taps) // step + 1 != size:
        return False  # it is the way back of no convolution
    return transposed_crop(size, taps, step, 1, word, out, site.backend) == op.cropping[axis]


def _said(
    site: Site, space: Space, window: Window, op: ConvTranspose
) -> tuple[str, tuple[int, ...], Pads]:
    """`padding`, `output_padding`, and what is cut afterwards."""
    axes = range(space.rank)
    if all(_is_valid(window, op.cropping, axis) for axis in axes):
        return "valid", (), ()
    if all(_is_same(site, window, op.cropping, axis) for axis in axes):
        return "same", (), ()
    extra: list[int] = []
    cuts: list[tuple[int, int]] = []
    for axis in axes:
        before, after = op.cropping[axis]
        beyond = -_tail(window, axis)  # rows that `valid` gives behind the full result
        more = max(0, -after - beyond)
        if more >= window.strides[axis] - beyond and more:
            raise site.refuse(f"{-after} rows behind the full result have no word in Keras")
        extra.append(more + beyond if more else 0)
        cuts.append((before, 0 if more else after + beyond))
    if any(extra):
        # output_padding is stated for all axes at once; what `valid` would add is then in it
        extra = [e or -_tail(window, axis) for axis, e in enumerate(extra)]
    return "valid", tuple(extra), tuple(cuts)


def _tail(window: Window, axis: int) -> int:
    """What `valid` cuts behind the full result: negative where the stride exceeds the reach."""
    return min(0, window.reach(axis) - window.strides[axis])


def _is_valid(window: Window, cropping: Pads, axis: int) -> bool:
    return cropping[axis] == (0, _tail(window, axis))


def _is_same(site: Site, window: Window, cropping: Pads, axis: int) -> bool:
    """Whether the backend's `same` cuts just so; it does not depend on the input's extent."""
    kernel, stride, dilation = window.kernel[axis], window.strides[axis], window.dilation[axis]
    if site.backend == "theano" and window.reach(axis) % 2 == 0:
        return False  # refused by Theano's `conv2d_transpose`
    size = max(4, window.reach(axis))
    wanted = transposed_extent(size, kernel, stride, "same") or 0
    return cropping[axis] == transposed_crop(
        size, kernel, stride, dilation, "same", wanted, site.backend
    )
