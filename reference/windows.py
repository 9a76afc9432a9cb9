"""Sliding windows over spatial axes: padding, extents, and what each tap of a window meets."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from ..ir.ops.convolution import Padding, Pads
from ..ir.source import Array


class Windows:
    """Where windows stand along each spatial axis; padding included.

    Attributes:
        taps: Extent of the window in elements, per axis.
        strides: From window to window, in elements.
        dilation: From tap to tap.
        pads: Elements before and after.
        extents: How many windows there are.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        taps: Sequence[int],
        strides: Sequence[int],
        dilation: Sequence[int],
        padding: Padding,
    ) -> None:
        self.taps, self.strides, self.dilation = tuple(taps), strides, dilation
        reach = [(k - 1) * d + 1 for k, d in zip(taps, dilation, strict=True)]
        self.pads = _same_upper(sizes, reach, strides) if padding == "same_upper" else padding
        self.extents = tuple(
            max((size + sum(pads) - span) // stride + 1, 0)
            for size, pads, span, stride in zip(sizes, self.pads, reach, strides, strict=True)
        )

    def over(self, x: Array, fill: float = 0.0) -> Iterator[tuple[tuple[int, ...], Array]]:
        """Each tap and the elements that it meets, one per window.

        Args:
            x: `batch space channels`.
            fill: What padding holds.

        Yields:
            The tap's index along each axis, and a view `batch windows channels`.
        """
        padded = pad(x, self.pads, fill)
        for tap in itertools.product(*map(range, self.taps)):
            starts = [i * d for i, d in zip(tap, self.dilation, strict=True)]
            slices = every(starts, self.extents, self.strides)
            yield tap, padded[:, *slices]


def every(starts: Sequence[int], counts: Sequence[int], steps: Sequence[int]) -> tuple[slice, ...]:
    """`count` elements from `start` on, `step` apart, along each axis."""
    return tuple(
        slice(start, start + (count - 1) * step + 1, step) if count > 0 else slice(0, 0)
        for start, count, step in zip(starts, counts, steps, strict=True)
    )


def pad(x: Array, pads: Pads, fill: float = 0.0) -> Array:
    """The array `batch space channels` with its spatial axes longer; a negative pad cuts."""
    grown = [(max(before, 0), max(after, 0)) for before, after in pads]
    if any(map(any, grown)):
        x = np.pad(x, ((0, 0), *grown, (0, 0)), constant_values=fill)
    cuts = [(max(-before, 0), max(-after, 0)) for before, after in pads]
    return x[:, *(slice(a, x.shape[axis] - b) for axis, (a, b) in enumerate(cuts, 1))]


def _same_upper(sizes: Sequence[int], reach: Sequence[int], strides: Sequence[int]) -> Pads:
    """As little as gives a window per stride, the odd element after (TensorFlow's `SAME`)."""
    found: list[tuple[int, int]] = []
    for size, span, stride in zip(sizes, reach, strides, strict=True):
        total = max((-(-size // stride) - 1) * stride + span - size, 0)
        found.append((total // 2, total - total // 2))
    return tuple(found)
