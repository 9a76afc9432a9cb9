"""`kerasir diff`: what differs between two model files. Nothing is run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ..errors import show
from . import words
from .console import GAP, Console, cut, width_of
from .progress import Progress
from .reading import SOURCE_A, reading_of, reading_options
from .settings import Settings
from .summary import source_text
from .usage import Command

if TYPE_CHECKING:
    from ..comparison import Differences, Row

WIDEST, NARROWEST = 60, 14
"""Columns that one side of a row may take, and has at least."""
HARMLESS, WRONG = 20, 60
"""Rows that are shown without -v: of what is only said otherwise, and of what differs."""


@click.command(
    cls=Command,
    intro="List what differs between A and B: layers, settings, weights, training record. Weights\n"
    "are compared number by number, wherever either file puts an axis; nothing is run.\n"
    "The same model: exit 0, even if the files say it otherwise. Different: exit 1.",
    params=[
        click.Argument(["a"], metavar="A"),
        click.Argument(["b"], metavar="B"),
        *reading_options(SOURCE_A),
    ],
    examples=[
        ("Is it the same model, in another layout?", "kerasir diff old.h5 new.keras"),
        ("What changed between two checkpoints?", "kerasir diff epoch1.h5 epoch2.h5"),
    ],
)
@click.pass_obj
def diff(settings: Settings, /, a: str, b: str, **options: Any) -> int:
    """Compare."""
    from ..comparison import diff as compare

    with Progress(settings.err, before="comparing", quiet=settings.quiet):
        found = compare(a, b, **reading_of(options))
    if settings.json:
        settings.document("diff/1", ok=True, body=record(found))
    elif not settings.quiet:
        DiffText(settings.out, found, settings.verbose).print()
    return 0 if found.same else 1


def record(found: Differences) -> dict[str, Any]:
    """The differences as JSON has them; rows that are equal as stored are left out."""
    return {
        "same": found.same,
        "a": msgspec.to_builtins(found.a),
        "b": msgspec.to_builtins(found.b),
        "matched": {"by_name": found.by_name, "by_place": msgspec.to_builtins(found.by_place)},
        "counts": {
            part: dict(Counter(row.verdict for row in found.of(part)))
            for part in ("layers", "settings", "weights", "training")
        },
        "rows": [msgspec.to_builtins(row) for row in found.rows if row.verdict != "equal"],
    }


def _name(row: Row) -> str:
    return show(row.layer or "model", 60)


class DiffText:
    """The text of a comparison."""

    def __init__(self, console: Console, found: Differences, verbose: int = 0) -> None:
        self.console, self.found, self.verbose = console, found, verbose

    def print(self) -> None:
        """All of it."""
        out, found = self.console, self.found
        sides = (("A", found.a), ("B", found.b))
        out.table(
            [
                [letter, out.paint(words.file(facts.path), "bold") + " ", source_text(facts)]
                for letter, facts in sides
            ],
            indent="",
        )
        out.print()
        for name, text in self._counts():
            out.print(f"  {out.paint(f'{name:<9}', 'dim')} {text}")
        rows, left = self._shown()
        if rows:
            out.print()
            head = [out.paint(text, "dim") for text in ("  layer", "what", "A", "B")]
            out.table([head, *self._cells(rows)], indent="", cut_last=True)
        if left:
            out.print(out.paint(f"  … {words.count(left)} more rows; -v shows all", "dim"))
        out.print()
        out.print(self._verdict())

    def _counts(self) -> list[tuple[str, str]]:
        found = self.found
        layers = Counter(row.b == "" for row in found.rows if row.what == "layer")
        matched = [f"{words.count(found.by_name)} matched by name"]
        if found.by_place:
            matched.append(f"{words.count(len(found.by_place))} by place")
        matched += [f"{layers[True]:,} only in A", f"{layers[False]:,} only in B"]
        settings = Counter(row.verdict for row in found.of("settings"))
        weights = Counter(row.verdict for row in found.of("weights"))
        others = sum(weights.values()) - weights["equal"] - weights["retyped"]
        rows = [
            ("layers", ", ".join(matched)),
            ("settings", f"{settings['differs']:,} differ"),
            (
                "weights",
                f"{weights['equal']:,} equal as stored, "
                f"{weights['retyped']:,} equal once retyped, {others:,} differ",
            ),
        ]
        training = found.of("training")
        if training:
            wrong = sum(row.wrong for row in training)
            text = f"{wrong:,} of {words.count(len(training), 'entry', 'entries')} differ"
            rows.append(("training", text if wrong else "equal"))
        return rows

    def _shown(self) -> tuple[list[Row], int]:
        """Rows that are not equal as stored, many of a kind cut short; and how many are left."""
        if self.verbose:
            return list(self.found.rows), 0
        rows, left = [], 0
        count: Counter[bool] = Counter()
        for row in self.found.rows:
            if row.verdict == "equal":
                continue
            count[row.wrong] += 1
            if count[row.wrong] > (WRONG if row.wrong else HARMLESS):
                left += 1
            else:
                rows.append(row)
        return rows, left

    def _cells(self, rows: Sequence[Row]) -> list[list[str]]:
        room = self._room(rows)
        cells, before = [], None
        for row in rows:
            mark, color = ("- ", "red") if not row.b else ("  ", "") if row.a else ("+ ", "green")
            label = mark + ("" if row.layer == before else _name(row))
            before = row.layer
            cells.append([
                self.console.paint(label, color) if color else label,
                show(row.what, 40),
                self._value(row, row.a, room),
                self._value(row, row.b, room),
                self._told(row),
            ])
        return cells

    def _room(self, rows: Sequence[Row]) -> int:
        """Columns that A and B have for what they say."""
        if self.console.width is None:
            return WIDEST
        names = max(width_of(_name(row)) for row in rows)
        whats = max(width_of(show(row.what, 40)) for row in rows)
        told = max(width_of(self._told(row)) for row in rows)
        left = self.console.width - (2 + names + whats + min(told, 22)) - 4 * len(GAP)
        return min(WIDEST, max(NARROWEST, left // 2))

    def _value(self, row: Row, text: str, room: int) -> str:
        shown = cut(show(text, WIDEST) or "—", room)
        return self.console.tag(shown) if row.part == "weights" or row.what == "input" else shown

    def _told(self, row: Row) -> str:
        paint = self.console.paint
        if row.verdict == "retyped":
            return paint("= retyped", "green")
        if row.verdict in {"only in A", "only in B"}:
            return row.verdict
        if not row.wrong:
            alone = not (row.a and row.b)
            return paint("harmless", "dim") if alone else ""
        text = paint("≠ differs", "red")
        if row.largest is not None and row.differing:
            text += f" by {words.error(row.largest)} in {row.differing:,} of {row.count:,}"
        return text

    def _verdict(self) -> str:
        out, found = self.console, self.found
        names = f"{words.file(found.a.path)} {words.file(found.b.path)}"
        if found.alike:
            return out.paint("✓ the same", "green") + ": layers, settings and weights, as stored"
        if found.same:
            run = out.paint(f"kerasir verify {names}", "cyan")
            return f"different as files, the same as models. To run them both: {run}"
        first = next(found.wrong)
        where = show(first.layer, 60) or "the model as a whole"
        parts = Counter[str](row.part for row in found.wrong)
        told = [
            words.count(parts[part], one, many)
            for part, one, many in (
                ("layers", "difference in structure", "differences in structure"),
                ("settings", "setting", ""),
                ("weights", "weight", ""),
                ("training", "entry of the training record", "entries of the training record"),
            )
            if parts[part]
        ]
        return out.paint("✗ different", "red") + f": first at {where}; {', '.join(told)}"
