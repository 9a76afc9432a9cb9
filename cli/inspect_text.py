"""What is in a file, as people read it: facts, layers, weights, notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..eras.schedules import read_schedule
from ..eras.titles import BACKENDS, CONTAINERS, writer
from ..errors import show
from . import words
from .console import Console
from .layer_table import print_layers

if TYPE_CHECKING:
    from ..inspection import Inspection, Note, TrainingRow
    from ..ir.model import Fact

FLAGS = frozenset({"nesterov", "amsgrad", "centered"})
"""Settings of optimizers that are said by their name alone."""


class InspectionText:
    """The text of an inspection."""

    def __init__(self, console: Console, found: Inspection, verbose: int) -> None:
        self.console, self.found, self.verbose = console, found, verbose

    def print(self) -> None:
        """All of it."""
        out, facts = self.console, self.found.facts
        content = "full model" if facts.content == "model" else "weights"
        kind = CONTAINERS.get(facts.container, facts.container)
        name = out.paint(words.file(facts.path), "bold")
        out.print(f"{name}   {words.size(facts.bytes)}   {kind}, {content}")
        out.print()
        self._facts()
        out.print()
        if self.found.kind:
            print_layers(out, self.found.rows, self.verbose)
        else:
            self._groups()
        if self.verbose and self.found.kind:
            out.print()
            self._weights()
        if self.found.notes:
            out.print()
            self._notes()
        if out.terminal and self.found.kind:
            out.print()
            from ..inspection.lint import today

            target = words.file(today(facts.path))
            command = f"kerasir convert {words.file(facts.path)} {target} --verify"
            out.print(out.paint("next: ", "dim") + out.paint(command, "cyan"))

    # ---- facts

    def _facts(self) -> None:
        found, facts = self.found, self.found.facts
        era = writer(facts.era.value, facts.version.value)
        rows = [
            self._fact("era", era, facts.era),
            self._fact("backend", BACKENDS.get(facts.backend.value or "", "?"), facts.backend),
            self._fact("ordering", facts.ordering.value or "-", facts.ordering),
        ]
        counts = f"{words.count(found.layers, 'layer')}, {words.count(found.arrays, 'weight')}"
        counts += f", {words.count(found.parameters, 'parameter')}"
        if found.untrained:
            counts += f" ({words.count(found.untrained)} not trainable)"
        rows.append(("model", found.kind.capitalize() or "none", counts, False))
        if found.training is not None:
            rows += _training(found.training)
        paint = self.console.paint
        cells = [
            (
                paint(f"{left:<9}", "dim"),
                paint(show(value), "yellow" if doubt else "bold"),
                " " + text,
            )
            for left, value, text, doubt in rows
        ]
        self.console.table(cells, cut_last=True)

    @staticmethod
    def _fact(left: str, value: str, fact: Fact) -> tuple[str, str, str, bool]:
        said = {
            "file": "said by the file: ",
            "user": "said by you: ",
            "inferred": "not said; ",
            "unknown": "not said; ",
        }[fact.trust]
        return left, value, said + show(fact.evidence), fact.trust in {"inferred", "unknown"}

    # ---- weights

    def _weights(self) -> None:
        rows = [
            [
                self.console.paint(t, "dim")
                for t in ("layer", "weight", "stored at", "dtype", "layout")
            ]
        ]
        for row in self.found.rows:
            for number, weight in enumerate(row.weights):
                name = show("/".join([*row.path, row.name])) if number == 0 else ""
                at = show(weight.stored[0])
                if len(weight.stored) > 1:
                    at += f" and {len(weight.stored) - 1} more"
                rows.append([name, weight.name, at, weight.dtype, self.console.tag(weight.layout)])
        self.console.table(rows)

    def _groups(self) -> None:
        """Arrays of a file without an architecture."""
        rows = [
            [self.console.paint(t, "dim") for t in ("layer", "array", "shape", "dtype", "params")]
        ]
        for row in self.found.rows:
            if not row.weights:
                rows.append([show(row.name)])
            for number, weight in enumerate(row.weights):
                shape = "(" + ", ".join(map(str, weight.shape)) + ")"
                rows.append([
                    "" if number else show(row.name),
                    show(weight.name),
                    shape,
                    weight.dtype,
                    words.count(weight.parameters),
                ])
        self.console.table(rows, right=(4,))

    # ---- notes

    def _notes(self) -> None:
        out = self.console
        out.print("notes")
        every = self.found.notes
        shown, left_out = (every, Counter[str]()) if self.verbose else _first_of_each(every)
        for note in shown:
            mark = out.paint("!", "yellow") if note.level == "warning" else out.paint("·", "dim")
            layer = f"{show(note.layer)}: " if note.layer else ""
            out.print(f"  {mark} {layer}{show(note.message, 600)}")
            if note.fix:
                out.print(f"    {show(note.fix)}")
        for code, number in left_out.items():
            out.print(out.paint(f"  … {words.count(number)} more of {code}; -v shows all", "dim"))


def _first_of_each(notes: Sequence[Note]) -> tuple[list[Note], Counter[str]]:
    """A few notes of each code, and how many more there are."""
    seen: Counter[str] = Counter()
    shown = []
    for note in notes:
        seen[note.code] += 1
        if seen[note.code] <= words.NAMED:
            shown.append(note)
    more = {code: n - words.NAMED for code, n in seen.items() if n > words.NAMED}
    return shown, Counter(more)


def _training(training: TrainingRow) -> list[tuple[str, str, str, bool]]:
    """The optimizer with its settings and state; loss and metrics below."""
    rows = []
    if training.optimizer:
        state = Counter(slot.slot for slot in training.slots)
        kinds = " and ".join(f"{words.count(number)} {kind}" for kind, number in state.items())
        parts = [", ".join(_settings(training.config))]
        parts += [] if training.step is None else [words.count(training.step, "step")]
        parts += [f"{show(kinds)} arrays"] if kinds else []
        rows.append(("training", training.optimizer, "; ".join(filter(None, parts)), False))
    if isinstance(training.loss, str):
        metrics = training.metrics if isinstance(training.metrics, list) else []
        named = "; metrics " + ", ".join(map(str, metrics)) if metrics else ""
        title = "" if rows else "training"
        rows.append((title, "loss", show(training.loss + named), False))
    return rows


def _settings(config: Mapping[str, Any]) -> Iterator[str]:
    """An optimizer's numbers, schedules, and what is switched on; a decay of zero is none."""
    for key, value in config.items():
        if value is True and key in FLAGS:
            yield key.capitalize()
        elif isinstance(value, Mapping) and value.get("class_name"):
            schedule = read_schedule(value)
            first = schedule.initial
            begins = "" if first is None else f" from {words.number(first)}"
            yield f"{show(key)} {show(schedule.name)}{begins}"
        elif _is_number(value) and (value or key != "decay"):
            yield f"{show(key)} {words.number(float(value))}"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
