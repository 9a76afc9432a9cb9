"""Where the boxes of a graph stand: rows by the longest path, the longest chain straight down.

Every other chain takes the first lane that is free along its rows, as drawings of commits do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Spot(NamedTuple):
    """A row from the top, a lane from the left."""

    row: int
    lane: int


def place(inputs: Sequence[Sequence[int]]) -> list[Spot]:
    """A spot for each box.

    Args:
        inputs: For each box the boxes it reads, all before it.
    """
    rows: list[int] = []
    parents: list[int | None] = []
    for read in inputs:
        rows.append(max((rows[i] + 1 for i in read), default=0))
        parents.append(max(read, key=lambda i: rows[i], default=None))
    lowest = [0] * len(rows)
    for box, read in enumerate(inputs):
        for source in read:
            lowest[source] = max(lowest[source], rows[box])
    lanes = [-1] * len(rows)
    taken: list[list[tuple[int, int]]] = []
    for end in sorted(range(len(rows)), key=lambda i: (-rows[i], i)):
        if lanes[end] >= 0:
            continue
        chain: list[int] = []
        at: int | None = end
        while at is not None and lanes[at] < 0:
            chain.append(at)
            lanes[at] = 0
            at = parents[at]
        top = rows[chain[-1]] if at is None else rows[at]
        bottom = max(rows[end] + 1, lowest[end])
        lane = next(
            (k for k, used in enumerate(taken) if all(bottom <= a or b <= top for a, b in used)),
            len(taken),
        )
        if lane == len(taken):
            taken.append([])
        taken[lane].append((top, bottom))
        for box in chain:
            lanes[box] = lane
    return [Spot(row, lane) for row, lane in zip(rows, lanes, strict=True)]
