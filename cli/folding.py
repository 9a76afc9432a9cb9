"""Long lists made short: equal neighbours, and blocks that repeat, are said once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

LONGEST = 60
"""Rows up to which a list is printed whole."""
PERIOD = 16
"""Rows that a block may have."""


class Fold(NamedTuple):
    """Rows that are left out: `times` more blocks of `period` rows, from `start` to `end`."""

    start: int
    end: int
    period: int
    times: int


def folds(keys: Sequence[Hashable]) -> list[Fold]:
    """What to leave out of a list.

    Args:
        keys: One per row; rows of equal keys look alike.

    Returns:
        None for a short list; else, from the front, each block that comes at least three times.
    """
    found: list[Fold] = []
    at = 0
    while len(keys) > LONGEST and at < len(keys):
        period, times = max(
            ((p, _times(keys, at, p)) for p in range(1, PERIOD + 1)),
            key=lambda candidate: (candidate[0] * (candidate[1] - 1), -candidate[0]),
        )
        if times > 2:
            found.append(Fold(at + period, at + period * times, period, times - 1))
            at += period * times
        else:
            at += 1
    return found


def _times(keys: Sequence[Hashable], at: int, period: int) -> int:
    """How often the block of this length comes in a row."""
    block = list(keys[at : at + period])
    count = 1
    while list(keys[at + period * count : at + period * (count + 1)]) == block:
        count += 1
    return count if len(block) == period else 1
