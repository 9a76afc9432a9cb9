"""Traps in a file: what gives wrong numbers elsewhere, or nobody can be sure of."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from ..eras.titles import BACKENDS
from ..ir.graph import Node
from ..ir.layout import Fused, Reversed
from ..ir.model import Model
from .notes import notes_of, once
from .records import Note


def lint(model: Model, path: str) -> tuple[Note, ...]:
    """The findings of a model: warnings first, then in the order of its layers.

    Args:
        model: As it was read.
        path: The file as it was named, for what to do.
    """
    told = [_with_remedy(note, model) for note in notes_of(model)]
    found = [*told, *_reversed(model, path), *_rows(model)]
    return tuple(sorted(found, key=lambda note: note.level != "warning"))


def today(path: str) -> str:
    """The target that people most likely want: a file for today's Keras, or from one ONNX."""
    stem, end = os.path.splitext(path)
    return stem + (".onnx" if end.lower() == ".keras" else ".keras")


def chosen(notes: Sequence[Note], select: Sequence[str], ignore: Sequence[str]) -> tuple[Note, ...]:
    """The findings whose code begins with one of `select`, and with none of `ignore`."""
    return tuple(
        note
        for note in notes
        if (not select or note.code.startswith(tuple(select)))
        and not (ignore and note.code.startswith(tuple(ignore)))
    )


REMEDIES: Mapping[str, str] = {
    "KB101": "state it: --backend {backend}; or convert: the new file records it",
    "KP201": "kerasir convert writes the pads out",
}
"""What ends a finding, where a note says nothing or what to do if it is wrong."""


def _with_remedy(note: Note, model: Model) -> Note:
    remedy = REMEDIES.get(note.code)
    if remedy is None:
        return note
    return replace(note, fix=remedy.format(backend=model.facts.backend.value))


def _reversed(model: Model, path: str) -> Iterator[Note]:
    count = sum(map(_has_reversed, once(model)))
    if count:
        kernels = "1 kernel is" if count == 1 else f"{count:,} kernels are"
        names = f"{BACKENDS['theano']} wrote {'it' if count == 1 else 'them'}"
        yield Note(
            code="KB201",
            message=f"{kernels} reversed, as {names}: Keras 2 on TensorFlow undoes that for some "
            "classes, tf-keras and Keras 3 for none",
            fix=f"kerasir convert {path} {today(path)} writes cross-correlation kernels",
        )


def _has_reversed(node: Node) -> bool:
    layouts = (stored.layout for param in node.params.values() for stored in param.stored)
    return any(isinstance(term, Reversed) for layout in layouts for term in layout.terms)


def _rows(model: Model) -> Iterator[Note]:
    """Weights behind a Flatten: their rows are right in one ordering only."""
    for node in once(model):
        for param in node.params.values():
            fused = [
                term
                for stored in param.stored
                for term in stored.layout.terms
                if isinstance(term, Fused) and len(term.terms) > 1
            ]
            roles = [[getattr(axis, "role", "") for axis in term.terms] for term in fused]
            order = next((found for found in roles if "C" in found and len(found) > 1), None)
            if order is not None:
                other = "channels_last" if order[0] == "C" else "channels_first"
                yield Note(
                    code="KL302",
                    layer=node.layer.name if node.layer else node.name,
                    message=f"rows follow ({' '.join(order)}): loaded as {other}, the model "
                    "gives wrong numbers and no error",
                    fix="kerasir convert reorders them with the data format",
                )
                break
