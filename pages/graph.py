"""A model's graph as boxes: rows of a document, nested models and repeats as one box each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from .fold import LIMIT, Box, Item, fold

LIGHT = frozenset({
    "BatchNorm", "Relu", "TrainingOnly", "ZeroPad", "Sigmoid", "Tanh", "Elu", "LeakyRelu", "PRelu",
    "Softmax",
})  # fmt: skip
"""Ops that join what makes their input when a long graph is folded."""

Row = Mapping[str, Any]


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A box and what is in it.

    Attributes:
        rows: Places of its rows in the document, those of the first repetition.
        every: The same of all repetitions.
        times: How often it comes in a row.
        inputs: Groups that it reads.
        lead: The row whose name it has.
    """

    rows: tuple[int, ...]
    every: tuple[int, ...]
    times: int
    inputs: tuple[int, ...]
    lead: int

    @property
    def folded(self) -> bool:
        """Whether more than one row is in it."""
        return len(self.every) > 1


def groups(rows: Sequence[Row], look: Callable[[Row], object], limit: int = LIMIT) -> list[Group]:
    """The boxes of a document's layers.

    Args:
        rows: Layers, each with `name`, `op`, `path`, `reads` (places of the rows it reads).
        look: What a row looks like; rows of one look may be folded.
        limit: Up to so many rows each is a box of its own, a nested model's too.
    """
    nested = _owners(rows)
    drawn = [i for i in range(len(rows)) if nested[i] == i]
    if len(rows) <= limit:
        scopes = {owner for owner, i in zip(nested, range(len(rows)), strict=True) if owner != i}
        nested = list(range(len(rows)))
        drawn = [i for i in nested if i not in scopes]
    at = {place: index for index, place in enumerate(drawn)}
    inside: dict[int, list[int]] = {}
    for place, owner in enumerate(nested):
        inside.setdefault(owner, []).append(place)
    items = []
    for index, place in enumerate(drawn):
        read = {at[nested[i]] for p in inside[place] for i in rows[p]["reads"] if nested[i] in at}
        # an edge back into its own box, or of a row that is not sorted, is not drawn
        inputs = tuple(sorted(i for i in read if i < index))
        light = rows[place]["op"] in LIGHT
        looks = tuple(repr(look(rows[p])) for p in inside[place])
        items.append(Item(inputs=inputs, look=looks, light=light))
    return [_group(rows, drawn, inside, box) for box in fold(items, limit)]


def _group(
    rows: Sequence[Row], drawn: Sequence[int], inside: Mapping[int, Sequence[int]], box: Box
) -> Group:
    first = [drawn[i] for i in box.first]
    heavy = [i for i in first if rows[i]["op"] not in LIGHT] or first
    lead = heavy[0] if len(heavy) == 1 else first[-1]
    return Group(
        rows=tuple(p for i in first for p in inside[i]),
        every=tuple(p for i in box.members for p in inside[drawn[i]]),
        times=box.times,
        inputs=box.inputs,
        lead=lead,
    )


def _owners(rows: Sequence[Row]) -> list[int]:
    """For each row the outermost nested model that it is in, or itself."""
    owners: list[int] = []
    scopes: dict[str, int] = {}
    for place, row in enumerate(rows):
        path = row["path"]
        if not path:
            scopes[row["name"]] = place
        owners.append(scopes.get(path[0], place) if path else place)
    return owners


def title(rows: Sequence[Row], group: Group) -> str:
    """What a box computes, in words."""
    if not group.folded:
        lead = rows[group.lead]
        return str(lead["operation"] or ("Input" if not lead["reads"] else lead["class"]))
    heavy = [rows[i] for i in group.rows if rows[i]["op"] not in LIGHT and rows[i]["op"]]
    if len(heavy) == 1:
        return str(heavy[0]["operation"])
    kinds = Counter(str(row["op"]) for row in heavy)
    common = ", ".join(kind if n == 1 else f"{n} {kind}" for kind, n in kinds.most_common(3))
    return f"{common}{', …' if len(kinds) > 3 else ''}"


def parameters(rows: Sequence[Row], group: Group) -> int:
    """Numbers in the weights of all that is in a box."""
    return sum(int(rows[i]["parameters"]) for i in group.every)
