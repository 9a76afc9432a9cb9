"""`kerasir inspect`: what is in a file. Headers only; no number of a weight is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ..eras.schedules import read_schedule
from ..eras.titles import BACKENDS, CONTAINERS, writer
from ..errors import UsageError, show
from . import words
from .console import Console
from .explain import explained, print_explained
from .layer_table import print_layers
from .progress import Progress
from .reading import SOURCE, reading_of, reading_options
from .settings import Settings
from .usage import Command, Section

if TYPE_CHECKING:
    from ..inspection import Inspection, LayerRow, Note, TrainingRow
    from ..ir.model import Fact

LINT = Section("Instead of the table")
FLAGS = frozenset({"nesterov", "amsgrad", "centered"})
"""Settings of optimizers that are said by their name alone."""


@click.command(
    cls=Command,
    intro="Show what is in FILE: era, backend, ordering, layers, layout tags, weights, training.\n"
    "Reads headers only, whatever the size.",
    params=[
        click.Argument(["file"], metavar="FILE", required=False),
        LINT.flag("--lint", "List traps instead: what gives wrong numbers, or is uncertain"),
        LINT.values(
            "--select", "CODE", "Only findings of this code, or family such as KP; repeatable"
        ),
        LINT.values("--ignore", "CODE", "No findings of this code or family; repeatable"),
        LINT.flag("--strict", "Exit 1 if a finding is a warning"),
        LINT.value("--explain", "CODE", "Say what a code means; needs no FILE"),
        LINT.value(
            "--probe",
            "FILE",
            "Try backends and orderings; say which gives known answers (.npz)",
        ),
        LINT.value(
            "--tolerance",
            "X",
            "Largest relative error of an answer that fits [1e-05]",
            click.FloatRange(0, 1),
            default=1e-5,
        ),
        *reading_options(SOURCE),
    ],
    examples=[
        ("Every weight with its path:", "kerasir inspect old.h5 -v"),
        ("Weights whose architecture lies beside them:", "kerasir inspect w.h5 --arch model.json"),
        (
            "Did Theano write it? With predictions that were kept:",
            "kerasir inspect old.h5 --probe old.npz",
        ),
    ],
)
@click.pass_obj
def inspect(settings: Settings, /, file: str | None, **options: Any) -> int:
    """Show what is in a file."""
    from ..inspection import inspect_file

    if options["explain"] is not None:
        return _explain(settings, options["explain"])
    if file is None:
        raise UsageError("FILE is missing", hint="kerasir inspect --help")
    if options["probe"] is not None:
        return _probe(settings, file, options)
    if options["lint"]:
        return _lint(settings, file, options)
    with Progress(settings.err, before="reading", quiet=settings.quiet):
        found = inspect_file(file, **reading_of(options))
    if settings.json:
        settings.document("inspect/1", ok=True, body=record(found))
    else:
        InspectionText(settings.out, found, settings.verbose).print()
    return 0


def _explain(settings: Settings, code: str) -> int:
    found = explained(code)
    if settings.json:
        settings.document("code/1", ok=True, body=found._asdict())
    else:
        print_explained(settings.out, found)
    return 0


def _lint(settings: Settings, file: str, options: Mapping[str, Any]) -> int:
    from ..inspection import chosen, lint_file
    from .lint import print_findings

    every, layers = lint_file(file, **reading_of(options))
    found = chosen(every, options["select"], options["ignore"])
    failed = options["strict"] and any(note.level == "warning" for note in found)
    if settings.json:
        body = {"file": file, "layers": layers, "findings": [_note(note) for note in found]}
        settings.document("lint/1", ok=not failed, body=body)
    elif not settings.quiet:
        print_findings(settings.out, file, found, layers)
    return 1 if failed else 0


def _probe(settings: Settings, file: str, options: Mapping[str, Any]) -> int:
    from ..verification.probe import probe
    from .probe import print_probe, probe_record

    tolerance: float = options["tolerance"]
    reading = reading_of(options)
    for name in ("backend", "data_format"):
        if reading.pop(name) is not None:
            raise UsageError("--probe tries them all", where="--backend, --source-data-format")
    with Progress(settings.err, before="trying backends and orderings", quiet=settings.quiet):
        found = probe(file, options["probe"], **reading)
    fits = any(one.fits(tolerance) for one in found)
    if settings.json:
        settings.document("probe/1", ok=fits, body=probe_record(found, tolerance))
    elif not settings.quiet:
        print_probe(settings.out, file, options["probe"], found, tolerance)
    return 0 if fits else 1


# ---- for machines --------------------------------------------------------------------------------


def record(found: Inspection) -> dict[str, Any]:
    """The inspection as JSON has it."""
    from ..inspection.facts import facts_record

    facts = found.facts
    return {
        "file": {
            "path": facts.path,
            "bytes": facts.bytes,
            "container": facts.container,
            "content": facts.content,
        },
        "facts": facts_record(facts),
        "model": {
            "kind": found.kind or None,
            "name": found.name,
            "layers": found.layers,
            "weights": found.arrays,
            "parameters": found.parameters,
            "trainable": found.parameters - found.untrained,
        },
        "inputs": msgspec.to_builtins(found.inputs),
        "outputs": msgspec.to_builtins(found.outputs),
        "layers": [_layer(row) for row in found.rows],
        "training": None if found.training is None else msgspec.to_builtins(found.training),
        "notes": [_note(note) for note in found.notes],
    }


def _layer(row: LayerRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "class": row.class_name,
        "op": row.op or None,
        "operation": row.operation,
        "path": list(row.path),
        "inputs": list(row.inputs),
        "reads": list(row.reads),
        "attributes": msgspec.to_builtins(row.attributes),
        "outputs": list(row.outputs),
        "parameters": row.parameters,
        "weights": msgspec.to_builtins(row.weights),
        "same_as": row.same_as or None,
    }


def _note(note: Note) -> dict[str, Any]:
    return {
        "code": note.code,
        "level": note.level,
        "layer": note.layer or None,
        "message": note.message,
        "fix": note.fix or None,
    }


# ---- for people ----------------------------------------------------------------------------------


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
