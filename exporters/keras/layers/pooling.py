"""Pools, padding, cropping, up-sampling."""

from __future__ import annotations

from ....eras import padding as rules
from ....ir.layout import Layout, key
from ....ir.ops.convolution import Pads
from ....ir.ops.pooling import (
    AveragePool,
    Crop,
    GlobalAveragePool,
    GlobalMaxPool,
    MaxPool,
    UpSample,
    ZeroPad,
)
from ..network import Tensor
from ..registry import writes
from ..site import Site
from ..windows import Space, Window, along_space, crop, needed, pad, said, space_of, time_last

Cuts = list[tuple[int, int]]


@writes(MaxPool, AveragePool, attributes="pool_size strides padding count_padding")
def pool(site: Site) -> None:
    """MaxPooling, AveragePooling; composed exactly where no word of the target says the padding."""
    op = site.op
    assert isinstance(op, (MaxPool, AveragePool))
    space = space_of(site)
    window = Window(op.pool_size, op.strides, (1,) * space.rank)
    word = said(space, window, op.padding, rules.POOL[site.backend])
    counting = isinstance(op, AveragePool) and op.count_padding
    if word == "valid" or (word is not None and not counting):
        site.give(_pool(site, site.x(), space, window, word))
        return
    if op.padding == "same_upper" or (None in space.sizes and not counting):
        raise site.refuse(
            f"the padding {op.padding} of a pool over an input of unknown extent has no word in "
            f"{site.backend}",
            "fix the sizes of the model's inputs",
        )
    pads = needed(space, window, op.padding)
    if counting:
        site.tell("KP203", "changed", f"padding {pads} of a pool written out")
        site.give(_pool(site, pad(site, site.x(), space, pads, "pad"), space, window, "valid"))
        return
    if any(max(pair) >= k for pair, k in zip(pads, window.kernel, strict=True)):
        raise site.refuse(f"windows of {window.kernel} that lie wholly in a padding of {pads}")
    site.tell("KP203", "changed", f"padding {pads} of a pool written out")
    if isinstance(op, MaxPool):
        y = _edges_repeated(site, site.x(), space, pads)
        site.give(_pool(site, y, space, window, "valid"))
    else:
        site.give(_axis_by_axis(site, site.x(), space, window, op.padding))


def _pool(site: Site, x: Tensor, space: Space, window: Window, word: str, role: str = "") -> Tensor:
    family = "MaxPooling" if isinstance(site.op, MaxPool) else "AveragePooling"
    config = {
        "pool_size": list(window.kernel),
        "strides": list(window.strides),
        "padding": word,
        "data_format": space.data_format,
    }
    class_name = f"{family}{space.rank}D"
    return site.put(class_name, config, [x], role=role, repeats=space.repeats)


def _edges_repeated(site: Site, x: Tensor, space: Space, pads: Pads) -> Tensor:
    """The tensor with its edge rows repeated: what cannot win in a window that has them anyway."""
    for axis, (before, after) in enumerate(pads):
        size = space.sizes[axis] or 0
        if not before and not after:
            continue
        first = _rows(site, x, space, axis, (0, size - 1), "first") if before else x
        last = _rows(site, x, space, axis, (size - 1, 0), "last") if after else x
        x = _joined(site, [*[first] * before, x, *[last] * after], space, axis, "edges")
        grown = list(space.sizes)
        grown[axis] = size + before + after
        space = Space(space.rank, space.data_format, tuple(grown), space.outs, space.repeats)
    return x


def _axis_by_axis(site: Site, x: Tensor, space: Space, window: Window, padding: Pads) -> Tensor:
    """Averages over the real elements of windows, one axis after the other.

    The mean over a rectangle is the mean of its rows' means. Along an axis, windows that reach
    over an edge are pools of their own over what is real; all others are one pool.
    """
    for axis in range(space.rank):
        size, out = space.sizes[axis] or 0, space.outs[axis] or 0
        step, reach = window.strides[axis], window.kernel[axis]
        if step == reach == 1:
            continue
        starts = [number * step - padding[axis][0] for number in range(out)]
        spans = [(max(0, start), min(size, start + reach)) for start in starts]
        whole = [i for i, start in enumerate(starts) if 0 <= start <= size - reach]
        runs = [(i, i + 1) for i in range(out) if not whole or not whole[0] <= i <= whole[-1]]
        if whole:
            runs.append((whole[0], whole[-1] + 1))
        parts: list[Tensor] = []
        for begin, end in sorted(runs):
            first, last = spans[begin][0], spans[end - 1][1]
            rows = _rows(site, x, space, axis, (first, size - last), "part")
            extent = spans[begin][1] - spans[begin][0]
            along = _along(window, axis, extent, step)
            parts.append(_pool(site, rows, space, along, "valid", "mean"))
        x = _joined(site, parts, space, axis, "means") if len(parts) > 1 else parts[0]
        sizes = (*space.sizes[:axis], out, *space.sizes[axis + 1 :])
        space = Space(space.rank, space.data_format, sizes, space.outs, space.repeats)
    return x


def _along(window: Window, axis: int, extent: int, step: int) -> Window:
    """A window along one axis alone."""
    ones = (1,) * len(window.kernel)
    kernel = (*ones[:axis], extent, *ones[axis + 1 :])
    return Window(kernel, (*ones[:axis], step, *ones[axis + 1 :]), ones)


def _rows(
    site: Site, x: Tensor, space: Space, axis: int, cut: tuple[int, int], role: str
) -> Tensor:
    """The tensor cut at both ends of one spatial axis."""
    if cut == (0, 0):
        return x
    cuts: Cuts = [(0, 0)] * space.rank
    cuts[axis] = cut
    return crop(site, x, space, tuple(cuts), role)


def _joined(site: Site, parts: list[Tensor], space: Space, axis: int, role: str) -> Tensor:
    number = space.first + axis + space.repeats
    return site.put("Concatenate", {"axis": number}, parts, role=role)


@writes(GlobalMaxPool, GlobalAveragePool)
def global_pool(site: Site) -> None:
    """GlobalMaxPooling, GlobalAveragePooling: brought to channels_last where neither order fits."""
    space = site.settled.bound["space"]
    layout = site.settled.input
    inside = {key(term) for term in space}
    others = [term for term in layout.terms if key(term) not in inside]
    repeats = len(others) - 2 - site.depth
    if not 1 <= len(space) <= 3 or repeats < 0:
        raise site.refuse(f"no global pool of Keras takes {layout}")
    batch, channels = others[:-1], others[-1]
    x, rest = site.x(), layout.terms[len(batch) :]
    leads = layout.terms[: len(batch)] == tuple(batch)
    first = leads and key(rest[0]) == key(channels)
    if not leads or (not first and key(rest[-1]) != key(channels)):
        x = site.bring(x, layout, Layout((*batch, *space, channels)))
    data_format = "channels_first" if first else "channels_last"
    family = "GlobalMaxPooling" if isinstance(site.op, GlobalMaxPool) else "GlobalAveragePooling"
    class_name = f"{family}{len(space)}D"
    y = site.put(class_name, {"data_format": data_format}, [x], repeats=repeats)
    site.give(site.bring(y, Layout((*batch, channels)), site.settled.results[0]))


@writes(ZeroPad, attributes="padding")
def zero_pad(site: Site) -> None:
    """ZeroPadding1D, 2D, 3D."""
    op = site.op
    assert isinstance(op, ZeroPad)
    space = space_of(site)
    site.give(along_space(site, site.x(), space, "ZeroPadding", "padding", op.padding, ""))


@writes(Crop, attributes="cropping")
def cropping(site: Site) -> None:
    """Cropping1D, 2D, 3D."""
    op = site.op
    assert isinstance(op, Crop)
    space = space_of(site)
    site.give(along_space(site, site.x(), space, "Cropping", "cropping", op.cropping, ""))


@writes(UpSample, attributes="size interpolation")
def up_sample(site: Site) -> None:
    """UpSampling1D, 2D, 3D."""
    op = site.op
    assert isinstance(op, UpSample)
    space = space_of(site)
    if op.interpolation == "bilinear_corner" or (op.interpolation != "nearest" and space.rank != 2):
        raise site.refuse(
            f"up-sampling with {op.interpolation}: TensorFlow 2 takes half-pixel centres instead"
        )
    if space.rank == 1:
        x = time_last(site, site.x(), space, "before")
        x = site.put("UpSampling1D", {"size": op.size[0]}, [x], repeats=space.repeats)
        site.give(time_last(site, x, space, "after"))
        return
    config = {"size": list(op.size), "data_format": space.data_format}
    if space.rank == 2:
        config["interpolation"] = op.interpolation
    if op.interpolation == "bilinear":
        site.emission.speak("tf_keras")
        site.tell(
            "KN302", "note", "bilinear up-sampling differs in Keras 2.2 and 2.3", level="warning"
        )
    site.give(site.put(f"UpSampling{space.rank}D", config, [site.x()], repeats=space.repeats))
