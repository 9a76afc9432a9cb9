"""`kerasir inspect`: what is in a file. Headers only; no number of a weight is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ..errors import UsageError
from .inspect_text import InspectionText
from .progress import Progress
from .reading import SOURCE, reading_of, reading_options
from .settings import Settings
from .usage import Command, Section

if TYPE_CHECKING:
    from ..inspection import Inspection, LayerRow, Note

LINT = Section("Instead of the table")


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
    elif not settings.quiet:
        InspectionText(settings.out, found, settings.verbose).print()
    return 0


def _explain(settings: Settings, code: str) -> int:
    from .explain import explained, print_explained

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
