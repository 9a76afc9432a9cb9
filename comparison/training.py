"""The training halves of two files: optimizer, its state, loss and metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..ir.layout import Layout
from ..ir.tensor import Param, Weight
from ..ir.training import Slot, Training
from .records import Row, Verdict
from .settings import meaning, shown
from .weights import apart


class Use(NamedTuple):
    """A weight that both models have.

    Attributes:
        a: As A uses it.
        b: As B does, over the axes of A.
        wanted: The layout in which the two can be compared.
    """

    a: Param
    b: Param
    wanted: Layout


def rows(a: Training | None, b: Training | None, uses: Mapping[Weight, Use]) -> Iterator[Row]:
    """What the records say; nothing if neither file has one.

    Args:
        a: The first record.
        b: The second.
        uses: For each weight of A what B has in its place.
    """
    mine, other = a or Training(), b or Training()
    yield from _row("optimizer", mine.optimizer, other.optimizer)
    if mine.optimizer and mine.optimizer == other.optimizer:
        for key in sorted(mine.config.keys() & other.config.keys() - {"name"}):
            yield from _row(key, mine.config[key], other.config[key])
    yield from _row("step", mine.iterations, other.iterations)
    for key in ("loss", "metrics"):
        yield from _row(key, mine.compiled.get(key), other.compiled.get(key))
    for kind in dict.fromkeys(slot.kind for slot in (*mine.slots, *other.slots)):
        yield _state(kind, _of(mine, kind), _of(other, kind), uses)


def _of(record: Training, kind: str) -> list[Slot]:
    return [slot for slot in record.slots if slot.kind == kind]


def _row(what: str, a: Any, b: Any) -> Iterator[Row]:
    sides = [None if value in ("", [], {}) else value for value in (a, b)]
    if sides == [None, None]:
        return
    same = meaning(what, _rounded(sides[0])) == meaning(what, _rounded(sides[1]))
    verdict: Verdict = "equal" if same else "differs"
    if None in sides:
        verdict = "only in B" if sides[0] is None else "only in A"
    texts = ["" if value is None else shown(value) for value in sides]
    yield Row(layer="", what=what, a=texts[0], b=texts[1], verdict=verdict, part="training")


def _rounded(value: Any) -> Any:
    """A number as a file may have rounded it."""
    if isinstance(value, (float, int)) and not isinstance(value, bool):
        return float(np.float32(value))
    return value


def _state(kind: str, a: list[Slot], b: list[Slot], uses: Mapping[Weight, Use]) -> Row:
    """All arrays of one kind together."""
    others = {slot.weight: slot for slot in b}
    differing, count, largest, wrong = 0, 0, 0.0, len(a) != len(b)
    for slot in a:
        use = uses.get(slot.weight)
        other = None if use is None else others.get(use.b.weight)
        if use is None or other is None:
            wrong = True
            continue
        found = apart(
            Param(Weight(slot.weight.name, slot.sources), use.a.stored),
            Param(Weight(other.weight.name, other.sources), use.b.stored),
            use.wanted,
        )
        differing, count = differing + found.differing, count + found.count
        largest = max(largest, found.largest)
    counts = [sum(len(slot.sources) for slot in side) for side in (a, b)]
    verdict: Verdict = "differs" if wrong or differing else "equal"
    if not (a and b):
        verdict = "only in A" if a else "only in B"
    return Row(
        layer="",
        what=f"{kind} arrays",
        a=str(counts[0] or ""),
        b=str(counts[1] or ""),
        verdict=verdict,
        part="training",
        differing=differing,
        count=count,
        largest=largest,
    )
