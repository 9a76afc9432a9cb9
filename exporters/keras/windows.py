"""Windows that slide over space: how a target says their padding, and what says the rest.

The rules of each backend's `same` are in `eras.padding`. A padding is only called `same` where the
target's rule gives these very windows: with known sizes that is told by where the windows begin
and how many there are, since elements behind the last window take no part.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ...eras.padding import Rule
from ...ir.layout import Terms, key, size_of
from ...ir.ops.convolution import Padding, Pads
from .network import Tensor
from .site import Site


def in_words(pads: Padding) -> str:
    """Pads as messages have them: `1,1 0,1`, before and behind each axis."""
    return pads if isinstance(pads, str) else " ".join(f"{a},{b}" for a, b in pads)


class Space(msgspec.Struct, frozen=True):
    """A spatial node's geometry in the target.

    Attributes:
        rank: Spatial axes.
        data_format: As the target says where the channels are.
        sizes: Extents of the input; None where unknown.
        outs: Extents of the result.
        repeats: TimeDistributed needed around each layer.
    """

    rank: int
    data_format: str
    sizes: tuple[int | None, ...]
    outs: tuple[int | None, ...]
    repeats: int

    @property
    def first(self) -> int:
        """Axis number of the first spatial axis, the batch being 0."""
        return 2 if self.data_format == "channels_first" else 1


def space_of(site: Site) -> Space:
    """The geometry of a node whose ports are `batch channels space`."""
    bound, layout = site.settled.bound, site.settled.input
    batch, space = bound["batch"], bound["space"]
    outs: Terms = bound.get("out_space", ())
    last = key(layout.terms[len(batch)]) == key(space[0])
    return Space(
        rank=len(space),
        data_format="channels_last" if last else "channels_first",
        sizes=tuple(map(size_of, space)),
        outs=tuple(map(size_of, outs)),
        repeats=site.repeats(batch),
    )


class Window(msgspec.Struct, frozen=True):
    """A window along each spatial axis: extent, step and distance of taps, in elements."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]

    def reach(self, axis: int) -> int:
        """Elements from the first tap to the last."""
        return (self.kernel[axis] - 1) * self.dilation[axis] + 1


def said(space: Space, window: Window, padding: Padding, rule: Rule) -> str | None:
    """The word by which the target's rule gives these windows; None if none does."""
    if padding == "same_upper":
        unknown = any(
            rule(None, k, s, d) is None
            for k, s, d in zip(window.kernel, window.strides, window.dilation, strict=True)
        )
        return "same" if unknown else None
    axes = range(space.rank)
    if all(_is_valid(space, window, padding, axis) for axis in axes):
        return "valid"
    if all(_is_same(space, window, padding, axis, rule) for axis in axes):
        return "same"
    return None


def _is_valid(space: Space, window: Window, padding: Pads, axis: int) -> bool:
    before, after = padding[axis]
    size, out = space.sizes[axis], space.outs[axis]
    if size is None or out is None:
        return before == after == 0
    return before == 0 and out == (size - window.reach(axis)) // window.strides[axis] + 1


def _is_same(space: Space, window: Window, padding: Pads, axis: int, rule: Rule) -> bool:
    size, out, stride = space.sizes[axis], space.outs[axis], window.strides[axis]
    pads = rule(size, window.kernel[axis], stride, window.dilation[axis])
    if pads is None:
        return False
    if size is None or out is None:
        return pads == padding[axis]
    places = (size + sum(pads) - window.reach(axis)) // stride + 1
    return pads[0] == padding[axis][0] and out == places


def is_causal(space: Space, window: Window, padding: Padding) -> bool:
    """Whether all padding is before the one spatial axis, as much as the kernel reaches back."""
    if padding == "same_upper" or space.rank != 1 or space.data_format != "channels_last":
        return False
    reach, stride = window.reach(0), window.strides[0]
    size, out = space.sizes[0], space.outs[0]
    if size is None or out is None:
        return padding[0] == (reach - 1, 0)
    return padding[0][0] == reach - 1 and out == (size - 1) // stride + 1


def needed(space: Space, window: Window, padding: Pads) -> Pads:
    """The pads that windows really reach into, before and after each axis."""
    found: list[tuple[int, int]] = []
    for axis, (before, after) in enumerate(padding):
        size, out = space.sizes[axis], space.outs[axis]
        if size is not None and out is not None:
            last = (out - 1) * window.strides[axis] + window.reach(axis)
            after = max(0, last - size - before)
        found.append((before, after))
    return tuple(found)


# ---- layers along spatial axes ------------------------------------------------------------------


def pad(site: Site, x: Tensor, space: Space, pads: Pads, role: str) -> Tensor:
    """The tensor with zeros around its spatial axes."""
    return along_space(site, x, space, "ZeroPadding", "padding", pads, role)


def crop(site: Site, x: Tensor, space: Space, cuts: Pads, role: str) -> Tensor:
    """The tensor cut at both ends of its spatial axes."""
    return along_space(site, x, space, "Cropping", "cropping", cuts, role)


def along_space(
    site: Site, x: Tensor, space: Space, family: str, word: str, pairs: Pads, role: str
) -> Tensor:
    """A layer with a pair of numbers per spatial axis, under the key `word`."""
    config: dict[str, Any]
    if space.rank > 1:
        config = {word: [list(pair) for pair in pairs], "data_format": space.data_format}
        class_name = f"{family}{space.rank}D"
        if class_name in site.dialect.pads_alike and any(a != b for a, b in pairs):
            more = tuple((max(pair), max(pair)) for pair in pairs)
            less = tuple((n - a, n - b) for (n, _), (a, b) in zip(more, pairs, strict=True))
            x = pad(site, x, space, more, f"{role or word}_wide")
            return crop(site, x, space, less, role)
        return site.put(class_name, config, [x], role=role, repeats=space.repeats)
    config = {word: list(pairs[0])}
    x = time_last(site, x, space, f"{role or word}_before")
    x = site.put(f"{family}1D", config, [x], role=role, repeats=space.repeats)
    return time_last(site, x, space, f"{role or word}_after")


def turned(site: Site, class_name: str, space: Space) -> bool:
    """Whether a layer over one axis only knows channels_last, and the plan has channels_first."""
    return (
        space.rank == 1
        and space.data_format == "channels_first"
        and not site.has(class_name, "data_format")
    )


def time_last(site: Site, x: Tensor, space: Space, role: str) -> Tensor:
    """Swap time and channels around a layer that only knows channels_last."""
    if space.data_format == "channels_last":
        return x
    return site.put("Permute", {"dims": [2, 1]}, [x], role=role, repeats=space.repeats)
