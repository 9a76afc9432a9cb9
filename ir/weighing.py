"""What the numbers of a weight are like, looked at piece by piece and not kept."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from .tensor import Weight

CHUNK = 1 << 20
"""Numbers that are held at a time."""

VANISHING = 2.0**-25
"""What is not larger rounds to zero in float16, whose smallest number is 2^-24."""


class Weighed(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        largest: The largest magnitude of a finite number; 0 if there is none.
        vanishing: How many numbers other than zero float16 rounds to zero.
        count: How many there are.
    """

    largest: float
    vanishing: int
    count: int


def weigh(weight: Weight) -> Weighed:
    """Read a weight once.

    Raises:
        FormatError: The file ends before its numbers.
    """
    largest, vanishing = 0.0, 0
    for source in weight.sources:
        total = math.prod(source.shape)
        held = np.empty(min(CHUNK, total), source.dtype)
        for start in range(0, total, CHUNK):
            part = held[: min(CHUNK, total - start)]
            source.read_into(start, part)
            sizes = np.abs(part.astype(np.float64, copy=False))
            largest = max(largest, float(sizes.max(initial=0.0, where=np.isfinite(sizes))))
            vanishing += int(((sizes > 0) & (sizes <= VANISHING)).sum())
    return Weighed(largest, vanishing, weight.count)
