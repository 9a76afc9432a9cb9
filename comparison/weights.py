"""Comparing the numbers of two weights, however each of them lies, in bounded memory."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np

from ..ir.layout import Layout
from ..ir.source import Array
from ..ir.stream import Workspace, stream
from ..ir.tensor import Param, extents

PIECE = 1 << 20
"""Numbers that are compared at a time."""


class Apart(msgspec.Struct, frozen=True):
    """How far two weights are apart.

    Attributes:
        differing: How many numbers differ; a NaN equals a NaN.
        count: How many there are.
        largest: The largest difference; infinite where only one of the two is a number.
    """

    differing: int
    count: int
    largest: float


def apart(a: Param, b: Param, wanted: Layout) -> Apart:
    """Compare two weights number by number.

    Args:
        a: A weight.
        b: Another, over the axes of `a`.
        wanted: The layout in which they are compared.

    Raises:
        KerasirError: One of them cannot be brought into it, or a file ends too early.
    """
    dtype = np.result_type(a.weight.dtype, b.weight.dtype)
    x, y = _Pieces(a, wanted, dtype), _Pieces(b, wanted, dtype)
    differing, count, largest = 0, math.prod(extents(wanted)), 0.0
    for start in range(0, count, PIECE):
        end = min(count, start + PIECE)
        here, there = x.read(start, end), y.read(start, end)
        if here.tobytes() == there.tobytes():
            continue
        unlike = here != there
        if dtype.kind not in "biu":
            unlike &= ~(np.isnan(here) & np.isnan(there))
        if unlike.any():
            differing += int(unlike.sum())
            gap = np.abs(here[unlike].astype(np.float64) - there[unlike].astype(np.float64))
            largest = max(largest, math.inf if np.isnan(gap).any() else float(gap.max()))
    return Apart(differing, count, largest)


class _Pieces:
    """A weight in one layout, read from piece to piece into one buffer."""

    def __init__(self, param: Param, wanted: Layout, dtype: np.dtype[Any]) -> None:
        self.param, self.wanted, self.dtype = param, wanted, dtype
        self._room, self._held = Workspace(), np.empty(PIECE, dtype)

    def read(self, start: int, end: int) -> Array:
        """Numbers from `start` to `end`; valid until the next are read."""

        def write(place: int, chunk: Array) -> None:
            self._held[place - start : place - start + chunk.size] = chunk

        span = (start, end)
        stream(self.param, self.wanted, self.dtype, write, span=span, workspace=self._room)
        return self._held[: end - start]
