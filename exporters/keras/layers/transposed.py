"""Transposed convolutions."""

from __future__ import annotations

from typing import Any

from ....eras.padding import CONV, transposed_crop, transposed_extent
from ....ir.layout import size_of
from ....ir.ops.convolution import ConvTranspose, Pads
from ..registry import writes
from ..site import Site
from ..windows import Space, Window, crop, in_words, space_of
from .activation import fused


@writes(ConvTranspose, attributes="strides dilation cropping")
def conv_transpose(site: Site) -> None:
    """Conv1DTranspose, 2D and 3D; cut afterwards where no word of the target says it."""
    op = site.op
    assert isinstance(op, ConvTranspose)
    space = space_of(site)
    class_name = f"Conv{space.rank}DTranspose"
    if class_name not in site.dialect.classes:
        raise site.refuse(f"{site.dialect.name} has no {class_name}")
    taps = tuple(size_of(term) or 0 for term in site.settled.bound["kernel_space"])
    window = Window(taps, op.strides, op.dilation)
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
