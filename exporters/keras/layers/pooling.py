"""Pools, padding, cropping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ....eras import padding as rules
from ....ir.layout import Axis, Layout, Term, fuse, key, size_of
from ....ir.ops.convolution import Pads
from ....ir.ops.pooling import (
    AveragePool,
    Crop,
    GlobalAveragePool,
    GlobalMaxPool,
    MaskedAveragePool,
    MaxPool,
    ZeroPad,
)
from ....ir.plan import Settled
from ..masks import told, without_mask
from ..network import NOTHING, Arguments, Tensor
from ..registry import writes
from ..site import Site
from ..windows import (
    Space,
    Window,
    along_space,
    crop,
    in_words,
    needed,
    pad,
    said,
    space_of,
    time_last,
    turned,
)

Cuts = list[tuple[int, int]]


@writes(MaxPool, AveragePool, attributes="pool_size strides padding count_padding")
def pool(site: Site) -> None:
    """MaxPooling, AveragePooling; composed exactly where no word of the target says the padding."""
    op = site.op
    assert isinstance(op, (MaxPool, AveragePool))
    space = space_of(site)
    window = Window(op.pool_size, op.strides, (1,) * space.rank)
    same = rules.pool_rule(site.backend, site.dialect.keras_version, space.rank)
    word = said(space, window, op.padding, same)
    counting = isinstance(op, AveragePool) and op.count_padding
    counts = isinstance(op, AveragePool) and rules.counts_padding(
        site.backend, site.dialect.keras_version, space.rank
    )
    if word == "valid" or (word is not None and counting == counts):
        site.give(pool_by(site, site.x(), space, window, word))
        return
    if op.padding == "same_upper" or (None in space.sizes and not counting):
        raise site.refuse(
            f"the padding {op.padding} of a pool over an input of unknown extent has no word in "
            f"{site.backend}",
            "fix the sizes of the model's inputs",
        )
    pads = needed(space, window, op.padding)
    if counting:
        site.tell("KP203", "changed", f"pads {in_words(pads)} of a pool written out")
        site.give(pool_by(site, pad(site, site.x(), space, pads, "pad"), space, window, "valid"))
        return
    if any(max(pair) >= k for pair, k in zip(pads, window.kernel, strict=True)):
        raise site.refuse(f"windows of {window.kernel} that lie wholly in a padding of {pads}")
    site.tell("KP203", "changed", f"pads {in_words(pads)} of a pool written out")
    if isinstance(op, MaxPool):
        y = _edges_repeated(site, site.x(), space, pads)
        site.give(pool_by(site, y, space, window, "valid"))
    else:
        site.give(axis_by_axis(site, site.x(), space, window, op.padding))


def pool_by(
    site: Site, x: Tensor, space: Space, window: Window, word: str, role: str = ""
) -> Tensor:
    family = "MaxPooling" if isinstance(site.op, MaxPool) else "AveragePooling"
    config = {
        "pool_size": list(window.kernel),
        "strides": list(window.strides),
        "padding": word,
        "data_format": space.data_format,
    }
    class_name = f"{family}{space.rank}D"
    if not turned(site, class_name, space):
        return site.put(class_name, config, [x], role=role, repeats=space.repeats)
    config["data_format"] = "channels_last"
    x = time_last(site, x, space, f"{role}_before" if role else "before")
    x = site.put(class_name, config, [x], role=role, repeats=space.repeats)
    return time_last(site, x, space, f"{role}_after" if role else "after")


MOST_ROWS, MOST_WINDOWS = 1 << 10, 1 << 20
"""Rows of an edge that are repeated one by one, windows along an axis that are looked at."""


def _edges_repeated(site: Site, x: Tensor, space: Space, pads: Pads) -> Tensor:
    """The tensor with its edge rows repeated: what cannot win in a window that has them anyway."""
    for axis, (before, after) in enumerate(pads):
        size = space.sizes[axis] or 0
        if not before and not after:
            continue
        if before + after > MOST_ROWS:
            raise site.refuse(f"a padding {in_words(pads)} of a pool, written row by row")
        first = _rows(site, x, space, axis, (0, size - 1), "first") if before else x
        last = _rows(site, x, space, axis, (size - 1, 0), "last") if after else x
        x = _joined(site, [*[first] * before, x, *[last] * after], space, axis, "edges")
        grown = list(space.sizes)
        grown[axis] = size + before + after
        space = Space(space.rank, space.data_format, tuple(grown), space.outs, space.repeats)
    return x


def axis_by_axis(site: Site, x: Tensor, space: Space, window: Window, padding: Pads) -> Tensor:
    """Averages over the real elements of windows, one axis after the other.

    The mean over a rectangle is the mean of its rows' means. Along an axis, windows that reach
    over an edge are pools of their own over what is real; all others are one pool.
    """
    for axis in range(space.rank):
        size, out = space.sizes[axis] or 0, space.outs[axis] or 0
        step, reach = window.strides[axis], window.kernel[axis]
        if step == reach == 1:
            continue
        if out > MOST_WINDOWS:
            raise site.refuse(f"{out} windows of a padded pool along one axis")
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
            along = along_axis(window, axis, extent, step)
            if (extent, end - begin) != (1, 1):  # of one element the mean is itself
                rows = pool_by(site, rows, space, along, "valid", "mean")
            parts.append(rows)
        x = _joined(site, parts, space, axis, "means") if len(parts) > 1 else parts[0]
        sizes = (*space.sizes[:axis], out, *space.sizes[axis + 1 :])
        space = Space(space.rank, space.data_format, sizes, space.outs, space.repeats)
    return x


def along_axis(window: Window, axis: int, extent: int, step: int) -> Window:
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
        _in_one_axis(site, others)
        return
    batch, channels = others[:-1], others[-1]
    x, rest = site.x(), layout.terms[len(batch) :]
    leads = layout.terms[: len(batch)] == tuple(batch)
    family = "GlobalMaxPooling" if isinstance(site.op, GlobalMaxPool) else "GlobalAveragePooling"
    class_name = f"{family}{len(space)}D"
    if class_name == "GlobalAveragePooling1D" and x.mask is not None:
        x = without_mask(site, x)  # the layer would leave out what the op counts
    first = leads and key(rest[0]) == key(channels) and site.has(class_name, "data_format")
    if not leads or (not first and key(rest[-1]) != key(channels)):
        x = site.bring(x, layout, Layout((*batch, *space, channels)))
    data_format = "channels_first" if first else "channels_last"
    config: dict[str, Any] = {"data_format": data_format}
    kept = _kept_axes(site, class_name, (*batch, *([channels] * first)), not first and channels)
    if kept is not None:
        site.emission.fuse(kept.node)
        config["keepdims"] = True
        y = site.put(class_name, config, [x], repeats=repeats)
        site.scope.define(kept.node.result, kept.results[0], y)
        return
    y = site.put(class_name, config, [x], repeats=repeats)
    site.give(site.bring(y, Layout((*batch, channels)), site.settled.results[0]))


def _kept_axes(
    site: Site, class_name: str, before: Sequence[Term], last: Term | Literal[False]
) -> Settled | None:
    """The node behind a global pool that keeps its axes, where the layer itself can say so."""
    after = site.emission.follower(site.settled.node)
    if after is None or after.node.part != "keepdims" or not site.layer:
        return None
    if site.layer.class_name != class_name or not site.has(class_name, "keepdims"):
        return None
    ones = (1,) * len(site.settled.bound["space"])
    behind = () if last is False else (size_of(last),)
    wanted = (*map(size_of, before), *ones, *behind)
    return after if after.results[0].shape == wanted else None


def _in_one_axis(site: Site, others: Sequence[Term]) -> None:
    """A pool over any axes, as one over a single axis that is all of them, with channels behind."""
    layout = site.settled.input
    lead = layout.terms[: 1 + site.depth]
    rest = [term for term in others if key(term) not in set(map(key, lead))]
    space = fuse(site.settled.bound["space"])
    channels = fuse(rest) if rest else Axis("C", 1)
    x = site.bring(site.x(), layout, Layout((*lead, space, channels)))
    family = "GlobalMaxPooling" if isinstance(site.op, GlobalMaxPool) else "GlobalAveragePooling"
    y = site.put(f"{family}1D", {"data_format": "channels_last"}, [x])
    site.give(site.bring(y, Layout((*lead, channels)), site.settled.results[0]))


@writes(MaskedAveragePool)
def masked_average_pool(site: Site) -> None:
    """GlobalAveragePooling1D behind a mask, which Keras 2.3 and later take into account."""
    x, mask = told(site, 1, site.x())
    site.tell(
        "KX301",
        "note",
        "GlobalAveragePooling1D behind a mask needs Keras 2.3 or later",
        level="warning",
    )
    config = {"data_format": "channels_last"}
    repeats = site.repeats(site.settled.bound["batch"])
    inputs, arguments = ([x], NOTHING) if mask is None else ([x, mask], Arguments(named=("mask",)))
    y = site.put("GlobalAveragePooling1D", config, inputs, repeats=repeats, arguments=arguments)
    site.give(y)


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
    if not site.settled.bound["channels"]:
        site.give(_cut_anywhere(site, op.cropping))
        return
    space = space_of(site)
    site.give(along_space(site, site.x(), space, "Cropping", "cropping", op.cropping, ""))


def _cut_anywhere(site: Site, cuts: Pads) -> Tensor:
    """Any axes cut, none of them the channels: by the layer for as many axes as there are.

    An axis that is not cut stands for its channels, or a new one does.
    """
    tensor, layout, lead = site.x(), site.settled.input, 1 + site.depth
    stated = dict(zip(map(key, site.settled.bound["space"]), cuts, strict=True))
    pairs = [stated.get(key(term), (0, 0)) for term in layout.terms[lead:]]
    sizes, count = list(layout.shape[lead:]), len(pairs)
    if any(pair != (0, 0) and size is None for pair, size in zip(pairs, sizes, strict=True)):
        raise site.refuse(f"a part of an axis of unknown extent in {layout}")
    if pairs[-1] == (0, 0) and 1 < count <= 4:
        return _cut(site, tensor, pairs[:-1], "channels_last")
    if pairs[0] == (0, 0) and 2 < count <= 4:
        return _cut(site, tensor, pairs[1:], "channels_first")
    if count > 3:
        raise site.refuse(f"parts of {layout}: no layer of Keras cuts so many axes")
    tensor = _shaped(site, tensor, [*sizes, 1], "column")
    tensor = _cut(site, tensor, pairs, "channels_last")
    left = [n and n - sum(pair) for n, pair in zip(sizes, pairs, strict=True)]
    return _shaped(site, tensor, left, "shape")


def _cut(site: Site, x: Tensor, pairs: Sequence[tuple[int, int]], data_format: str) -> Tensor:
    if len(pairs) == 1:
        return site.put("Cropping1D", {"cropping": list(pairs[0])}, [x])
    config = {"cropping": [list(pair) for pair in pairs], "data_format": data_format}
    return site.put(f"Cropping{len(pairs)}D", config, [x])


def _shaped(site: Site, x: Tensor, sizes: Sequence[int | None], role: str) -> Tensor:
    target = [-1 if size is None else size for size in sizes]
    if target.count(-1) > 1:
        raise site.refuse("a Reshape with more than one unknown extent")
    return site.put("Reshape", {"target_shape": target}, [x], role=role)
