"""What is worth knowing about a file: what was assumed, and the traps that are in it."""

from __future__ import annotations

from collections.abc import Iterator

from ..ir.graph import Node
from ..ir.layout import Reversed
from ..ir.model import Model
from .operations import ruled
from .records import Note

NAMES = {"theano": "Theano", "tensorflow": "TensorFlow"}


def notes_of(model: Model) -> tuple[Note, ...]:
    """Everything worth a line, the assumed first."""
    found = [*_backend(model), *_padding(model), *_variance(model)]
    known = {note.code for note in found if note.code == "KB101"}
    found += [
        Note(
            code=event.code,
            level=event.level,
            layer=event.layer,
            message=event.message,
            fix=event.fix,
        )
        for event in model.report
        if event.code not in known
    ]
    return tuple(sorted(found, key=lambda note: note.level != "warning"))


def _backend(model: Model) -> Iterator[Note]:
    fact = model.facts.backend
    if fact.trust != "inferred" or all(event.code != "KB101" for event in model.report):
        return
    count = sum(map(_reversed, once(model)))
    name, other = (fact.value or ""), "tensorflow" if fact.value == "theano" else "theano"
    one = count == 1
    read = f"backend not recorded. Read as {NAMES.get(name, name)}"
    fix = f"if that is wrong: --backend {other}"
    if count:
        read += f", so {count} {'kernel is' if one else 'kernels are'} reversed (~)"
        many = f"{count} {'layer computes' if one else 'layers compute'}"
        fix = f"If that is wrong, {many} something else: --backend {other}"
    else:
        read += ", whose 'same' has pads of its own"
    yield Note(code="KB101", level="warning", message=f"{read}.", fix=fix)


def _padding(model: Model) -> Iterator[Note]:
    """Layers whose `same` means other pads on the other backend."""
    mine = model.facts.backend.value or "tensorflow"
    other = "tensorflow" if mine == "theano" else "theano"
    for node in once(model):
        config = node.layer.config if node.layer else {}
        if node.part or config.get("padding", config.get("border_mode")) != "same":
            continue
        if not {"space"} <= node.axes.keys() or not hasattr(node.op, "padding"):
            continue
        pads, others = list(node.op.padding), ruled(node, other)
        if node.op.padding != "same_upper" and None not in others and pads != others:
            yield Note(
                code="KP201",
                layer=node.layer.name if node.layer else node.name,
                message=f"{NAMES[mine]}'s 'same' pads {_pairs(pads)} here; {NAMES[other]}'s would "
                f"pad {_pairs(others)}",
            )


def _variance(model: Model) -> Iterator[Note]:
    for node in once(model):
        param = node.params.get("variance")
        names = param.weight.stored_names if param is not None else ()
        if any(name.endswith("running_std") for name in names):
            yield Note(
                code="KN101",
                layer=node.layer.name if node.layer else node.name,
                message='"running_std" holds the variance, as in every file since Keras 1.0',
            )


def once(model: Model) -> Iterator[Node]:
    """Nodes, but those of a further call of a layer that shares its weights."""
    seen: set[tuple[tuple[str, ...], str, str]] = set()
    for node in model.graph.nodes:
        if node.layer is None:
            continue
        scope = tuple(part.partition("#")[0] for part in node.layer.scope)
        key = (scope, node.layer.name, node.part)
        if key not in seen:
            seen.add(key)
            yield node


def _reversed(node: Node) -> bool:
    layouts = (stored.layout for param in node.params.values() for stored in param.stored)
    return any(isinstance(term, Reversed) for layout in layouts for term in layout.terms)


def _pairs(pads: list[tuple[int, int] | None]) -> str:
    """Such as `1,1` where all axes have the same pads, else all of them."""
    shown = [",".join(map(str, pair)) for pair in pads if pair is not None]
    return shown[0] if len(set(shown)) == 1 else " and ".join(shown)
