"""A long graph made short: what repeats is drawn once.

A model's graph is nearly a chain and comes sorted. It is split where every path runs through one
node; equal neighbours become one box, "block x35". Linear in the number of nodes.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import msgspec

LIMIT = 40
"""Nodes up to which a graph is drawn node by node."""
MOST = 80
"""Boxes above which longer periods are folded too."""
PERIODS = (1, 2, 3, 4, 6, 8)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A node as folding sees it.

    Attributes:
        inputs: Places of the nodes it reads, all before its own.
        look: What it looks like; nodes of one look may be folded.
        light: Whether it joins what makes its input: an activation, a normalization.
    """

    inputs: tuple[int, ...]
    look: Hashable
    light: bool = False


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn as one.

    Attributes:
        members: Places of its nodes.
        times: How often the same thing comes in a row.
        inputs: Boxes that it reads.
    """

    members: tuple[int, ...]
    times: int = 1
    inputs: tuple[int, ...] = ()

    @property
    def first(self) -> tuple[int, ...]:
        """The nodes of the first repetition."""
        return self.members[: len(self.members) // self.times]


Part = tuple[tuple[int, ...], Hashable, int]
"""Nodes, what makes it equal to a neighbour, how often it comes."""


def fold(items: Sequence[Item], limit: int = LIMIT) -> list[Box]:
    """The boxes of a graph, in order.

    Args:
        items: Sorted: a node stands behind what it reads.
        limit: Up to so many nodes each has a box of its own.
    """
    if len(items) <= limit:
        return [Box(members=(i,), inputs=item.inputs) for i, item in enumerate(items)]
    order = _inputs_late(items)
    parts: list[Part] = [
        (region, _signature(items, region), 1) for region in _regions(items, order)
    ]
    for period in PERIODS:
        parts = _joined(parts, period)
        if len(parts) <= MOST and period > 1:
            break
    boxes: list[Box] = []
    home: dict[int, int] = {}
    for members, _, times in parts:
        read = {home[i] for m in members for i in items[m].inputs if i in home}
        home |= dict.fromkeys(members, len(boxes))
        boxes.append(Box(members=members, times=times, inputs=tuple(sorted(read))))
    return boxes


def _inputs_late(items: Sequence[Item]) -> list[int]:
    """The order with every node that reads nothing right before its first reader."""
    order: list[int] = []
    waiting = {i for i, item in enumerate(items) if not item.inputs}
    for place, item in enumerate(items):
        if place in waiting:
            continue
        late = [i for i in dict.fromkeys(item.inputs) if i in waiting]
        waiting.difference_update(late)
        order += [*late, place]
    return [*order, *sorted(waiting)]


def _regions(items: Sequence[Item], order: Sequence[int]) -> list[tuple[int, ...]]:
    """Between two nodes that every path runs through; light nodes alone join what is before."""
    at = {place: index for index, place in enumerate(order)}
    last = list(range(len(order)))
    for index, place in enumerate(order):
        for source in items[place].inputs:
            last[at[source]] = max(last[at[source]], index)
    found: list[tuple[int, ...]] = []
    start, reach = 0, -1
    for index in range(len(order)):
        if reach <= index:
            region = tuple(order[start : index + 1])
            light = len(region) == 1 and items[region[0]].light
            if light and found and items[found[-1][0]].inputs:
                found[-1] += region
            else:
                found.append(region)
            start = index + 1
        reach = max(reach, last[index])
    return [*found, *([tuple(order[start:])] if start < len(order) else [])]


def _signature(items: Sequence[Item], region: tuple[int, ...]) -> Hashable:
    at = {place: index for index, place in enumerate(region)}
    return tuple(
        (items[place].look, tuple(at.get(source, -1) for source in items[place].inputs))
        for place in region
    )


def _joined(parts: Sequence[Part], period: int) -> list[Part]:
    """Equal neighbours of `period` parts each made one."""
    signs = [sign for _, sign, _ in parts]
    found: list[Part] = []
    at = 0
    while at < len(parts):
        block, times = signs[at : at + period], 1
        while (
            len(block) == period and signs[at + times * period : at + (times + 1) * period] == block
        ):
            times += 1
        if times == 1:
            found.append(parts[at])
            at += 1
            continue
        run = parts[at : at + times * period]
        members = tuple(m for nodes, _, _ in run for m in nodes)
        found.append((members, (tuple(block), times), times))
        at += times * period
    return found
