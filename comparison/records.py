"""What differs between two models, as records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from ..ir.model import Facts

Verdict = Literal[
    "equal", "retyped", "said otherwise", "differs", "only in A", "only in B"
]  # fmt: skip
WRONG: frozenset[Verdict] = frozenset({"differs", "only in A", "only in B"})
"""Verdicts that make two models different. The others are about how files say the same."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that both were looked at for.

    Attributes:
        layer: Its layer in A, or in B where A has none; "" for the model as a whole.
        what: `layer`, `kernel`, `padding`, `input 0`, …
        a: What A says; "" for nothing.
        b: What B says.
        verdict: `equal` as stored, `retyped` where the numbers lie in another way and are the
            same, `said otherwise` where the words differ and the meaning does not; or a
            difference.
        part: Which of the three questions it belongs to.
        differing: How many numbers of a weight differ.
        count: How many it has.
        largest: The largest difference of two numbers; None where nothing was compared.
    """

    layer: str
    what: str
    a: str
    b: str
    verdict: Verdict
    part: Literal["layers", "settings", "weights", "training"]
    differing: int = 0
    count: int = 0
    largest: float | None = None

    @property
    def wrong(self) -> bool:
        """Whether the models are different for it."""
        return self.verdict in WRONG


class Differences(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison of two model files.

    Attributes:
        a: What is known of the first.
        b: Of the second.
        by_name: Layers that both have under one name.
        by_place: Layers of other names in the same place, each as (in A, in B).
        rows: Everything that was looked at, in the order of A; layers of B alone stand where they
            are in B.
    """

    a: Facts
    b: Facts
    by_name: int
    by_place: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]

    def of(self, part: str) -> list[Row]:
        """The rows of one question."""
        return [row for row in self.rows if row.part == part]

    @property
    def wrong(self) -> Iterator[Row]:
        """The rows that make the models different."""
        return (row for row in self.rows if row.wrong)

    @property
    def same(self) -> bool:
        """Whether both are the same model, however the files say it."""
        return not any(self.wrong)

    @property
    def alike(self) -> bool:
        """Whether the files say it in the same way as well, names included."""
        return not self.by_place and all(row.verdict == "equal" for row in self.rows)
