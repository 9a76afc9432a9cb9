"""`kerasir inspect`: what is in a file. Headers only; no number of a weight is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ..errors import show
from . import words
from .console import TIMES, Console, cut, unpainted, width_of
from .folding import Fold, folds
from .reading import reading_of, reading_options
from .settings import Settings
from .usage import Command

if TYPE_CHECKING:
    from ..inspection import Inspection, LayerRow, Note, TrainingRow, WeightRow
    from ..ir.model import Fact

CONTAINERS = {
    "hdf5": "HDF5",
    "weights-h5": "Keras 3 weights",
    "keras-zip": ".keras archive",
    "kerasir": ".kerasir",
}
ERAS = {"keras3": "Keras", "tf_keras": "tf.keras", "keras0": "Keras"}
BACKENDS = {
    "theano": "Theano", "tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch",
    "cntk": "CNTK", "mxnet": "MXNet",
}  # fmt: skip
Cells = tuple[str, str, str, str, str]

FLAGS = frozenset({"nesterov", "amsgrad", "centered"})
"""Settings of optimizers that are said by their name alone."""


@click.command(
    cls=Command,
    intro="Show what is in FILE: era, backend, ordering, layers, layout tags, weights, training.\n"
    "Reads headers only, whatever the size.",
    params=[
        click.Argument(["file"], metavar="FILE"),
        *reading_options("Source: what the file may not say"),
    ],
    examples=[
        ("Every weight with its path:", "kerasir inspect old.h5 -v"),
        ("Weights whose architecture lies beside them:", "kerasir inspect w.h5 --arch model.json"),
    ],
)
@click.pass_obj
def inspect(settings: Settings, /, file: str, **options: Any) -> None:
    """Show what is in a file."""
    from ..inspection import inspect_file

    found = inspect_file(file, **reading_of(options))
    if settings.json:
        settings.document("inspect/1", ok=True, body=record(found))
    else:
        _Text(settings.out, found, settings.verbose).print()


# ---- for machines --------------------------------------------------------------------------------


def record(found: Inspection) -> dict[str, Any]:
    """The inspection as JSON has it."""
    facts = found.facts
    return {
        "file": {
            "path": facts.path,
            "bytes": facts.bytes,
            "container": facts.container,
            "content": facts.content,
        },
        "facts": {
            "era": {**_fact(facts.era), "version": facts.version.value},
            "backend": _fact(facts.backend),
            "ordering": _fact(facts.ordering),
        },
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


def _fact(fact: Fact) -> dict[str, Any]:
    return {"value": fact.value, "source": fact.trust, "evidence": fact.evidence}


def _layer(row: LayerRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "class": row.class_name,
        "op": row.op or None,
        "path": list(row.path),
        "inputs": list(row.inputs),
        "attributes": msgspec.to_builtins(row.attributes),
        "outputs": list(row.outputs),
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


class _Text:
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
            self._layers()
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
            command = f"kerasir convert {words.file(facts.path)} NEW.h5 --verify"
            out.print(out.paint("next: ", "dim") + out.paint(command, "cyan"))

    # ---- facts

    def _facts(self) -> None:
        found, facts = self.found, self.found.facts
        major = (facts.era.value or "?").removeprefix("keras")
        era = f"{ERAS.get(facts.era.value or '', 'Keras')} {facts.version.value or major}"
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
        self.console.table(
            (
                paint(f"{left:<9}", "dim"),
                paint(show(value), "yellow" if assumed else "bold"),
                " " + text,
            )
            for left, value, text, assumed in rows
        )

    @staticmethod
    def _fact(left: str, value: str, fact: Fact) -> tuple[str, str, str, bool]:
        said = {
            "file": "said by the file: ",
            "user": "said by you: ",
            "inferred": "not said; ",
            "unknown": "not said; ",
        }[fact.trust]
        return left, value, said + show(fact.evidence), fact.trust in {"inferred", "unknown"}

    # ---- layers

    def _layers(self) -> None:
        out = self.console
        table = [self._row(row) for row in self.found.rows]
        left_out = [] if self.verbose else folds([row[1:] for row in table])
        head = [
            out.paint(text, "dim") for text in ("layer", "operation", "output", "weights", "params")
        ]
        lines = [head]
        at = 0
        for fold in left_out:
            lines += self._painted(range(at, fold.start), table)
            lines.append([self._folded(fold, table)])
            at = fold.end
        lines += self._painted(range(at, len(table)), table)
        out.table(self._fitted(lines), right=(4,))

    def _row(self, row: LayerRow) -> Cells:
        """Cells as bare text."""
        name = "  " * len(row.path) + show(row.name)
        operation = show(row.operation)
        if self.verbose and row.class_name not in {"", "InputLayer", row.op}:
            operation += f" ({show(row.class_name)})"
        output = ", ".join(row.outputs)
        weights = f"same weights as {show(row.same_as)}" if row.same_as else _tags(row.weights)
        return name, operation, output, weights, words.count(row.parameters) if row.weights else ""

    def _painted(self, numbers: range, table: Sequence[Cells]) -> list[list[str]]:
        tag = self.console.tag
        return [
            [name, operation, tag(output), self._weight_cell(weights), params]
            for name, operation, output, weights, params in (table[n] for n in numbers)
        ]

    def _weight_cell(self, text: str) -> str:
        name, blank, layout = text.partition(" ")
        return name + blank + self.console.tag(layout)

    def _folded(self, fold: Fold, table: Sequence[Cells]) -> str:
        block = Counter(row[1] for row in table[fold.start : fold.start + fold.period])
        first = table[fold.start - fold.period][0].strip()
        kinds = ", ".join(k if n == 1 else f"{n} {TIMES} {k}" for k, n in block.items())
        what = "layer" if fold.period == 1 else "block"
        text = f"… {words.count(fold.times, f'more {what}')} like {first} ({kinds}); -v shows all"
        return self.console.paint(text, "dim")

    def _fitted(self, lines: list[list[str]]) -> list[list[str]]:
        """Lines that fit the terminal: first the weights are cut, then the batch goes."""
        width = self.console.width
        if width is None:
            return lines
        full = [line for line in lines if len(line) > 1]
        widest = [max(width_of(line[c]) for line in full) for c in range(5)]
        over = sum(widest) + 2 * 5 - width
        if over <= 0:
            return lines
        if over > widest[3] - 8:
            for line in full:
                line[2] = line[2].replace(self.console.tag("N:? "), "", 1)
            widest[2] = max(width_of(line[2]) for line in full)
            over = sum(widest) + 2 * 5 - width
        room = max(8, widest[3] - max(0, over))
        for line in full:
            if width_of(line[3]) > room:
                bare = unpainted(line[3])
                line[3] = self._weight_cell(cut(bare, room))
        return lines

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
        for note in self.found.notes:
            mark = out.paint("!", "yellow") if note.level == "warning" else out.paint("·", "dim")
            layer = f"{show(note.layer)}: " if note.layer else ""
            out.print(f"  {mark} {layer}{show(note.message, 600)}")
            if note.fix:
                out.print(f"    {show(note.fix)}")


def _tags(weights: tuple[WeightRow, ...]) -> str:
    """The layout of what matters most: a kernel; vectors of one length together."""
    shown = [weight for weight in weights if len(weight.shape) > 1]
    if shown:
        first = shown[0]
        parts = f"{len(first.stored)} arrays of " if len(first.stored) > 1 else ""
        return f"{show(first.name)} {parts}{first.layout or _shape(first)}"
    if not weights:
        return ""
    if len({weight.layout for weight in weights}) == 1 and len(weights) > 1:
        return f"{len(weights)}\u00a0\N{MULTIPLICATION SIGN} {weights[0].layout}".replace(
            "\u00a0", " "
        )
    return f"{show(weights[0].name)} {weights[0].layout}"


def _shape(weight: WeightRow) -> str:
    return "(" + ", ".join(map(str, weight.shape)) + ")"


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
    """An optimizer's numbers, and what is switched on; a decay of zero is none."""
    for key, value in config.items():
        if value is True and key in FLAGS:
            yield key.capitalize()
        elif _is_number(value) and (value or key != "decay"):
            yield f"{show(key)} {words.number(float(value))}"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
