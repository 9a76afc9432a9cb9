"""What ONNX cannot say: found before anything is drawn, told all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...errors import ExportError, KerasirError, show
from ...ir.graph import Node
from ...ir.op import Op, attributes
from ...ir.ops.opaque import Opaque
from ...ir.plan import Plan, Settled
from .registry import emitter, lowest_opset

FEW = 3
"""How many names a list shows."""

DOMAIN = "--opaque-domain com.example"


def check_supported(plan: Plan, opset: int, *, opaque: bool = False) -> None:
    """Name every layer without an emitter for this opset.

    Args:
        plan: What is to be drawn.
        opset: For what.
        opaque: Whether layers of unknown meaning may become operators of another domain.

    Raises:
        ExportError: There are some.
    """
    settled = list(plan.settled)
    missing = [
        step
        for step in settled
        if not (opaque and _is_opaque(step)) and any(_lacking(step.node.op, opset))
    ]
    if not missing:
        return
    rest = len({_name(step.node) for step in settled} - {_name(step.node) for step in missing})
    if len(missing) == 1:
        raise _one(plan, missing[0], opset, rest)
    raise _several(missing, opset, rest)


def _is_opaque(step: Settled) -> bool:
    return isinstance(step.node.op, Opaque)


def refusal(failures: Sequence[KerasirError]) -> KerasirError:
    """One error for all layers that an emitter could not draw."""
    if len(failures) == 1:
        return failures[0]
    details = [f"{error.where}   {error.what}" for error in failures]
    hints = list(dict.fromkeys(error.hint for error in failures if error.hint))
    return ExportError(
        "ONNX cannot express them as they are",
        where=f"{len(failures)} layers",
        hint=hints[0] if len(hints) == 1 else "",
        details=details,
    )


def _lacking(op: Op, opset: int) -> Iterator[type[Op]]:
    """The op, and ops in its attributes, that have no emitter for the opset."""
    if emitter(type(op), opset) is None:
        yield type(op)
    for value in attributes(op).values():
        if isinstance(value, Op) and emitter(type(value), opset) is None:
            yield type(value)


def _one(plan: Plan, step: Settled, opset: int, rest: int) -> ExportError:
    node = step.node
    consumers = plan.graph.consumers()[node.result]
    behind = ", ".join(_name(consumer) for consumer in consumers[:FEW]) or "the output"
    have = ", ".join(str(held.layout) for held in step.inputs if held is not None)
    hint = "say what it computes: --plugin FILE"
    if isinstance(node.op, Opaque) and node.op.has_code:
        hint = f'say what it computes: --lambda {_name(node)}="x / 127.5 - 1" or --plugin FILE'
    if _is_opaque(step):
        hint += f", or keep it: {DOMAIN}"
    elif needs := _needs(node.op, opset):
        hint = f"--opset {needs} or higher"
    details = [f"between     input {have} → {behind}"]
    if rest:
        details.append(f"The other {_counted(rest)} supported.")
    details += _begun([step])
    return ExportError(_reason(node.op, opset), where=_name(node), hint=hint, details=details)


def _several(missing: Sequence[Settled], opset: int, rest: int) -> ExportError:
    kinds: dict[str, list[Settled]] = {}
    for step in missing:
        kinds.setdefault(_class(step.node.op), []).append(step)
    rows = [("class", "layers", "input", "why")]
    for name, steps in kinds.items():
        layers = [_name(step.node) for step in steps]
        more = f" and {len(layers) - FEW} more" if len(layers) > FEW else ""
        have = next((str(h.layout) for h in steps[0].inputs if h is not None), "-")
        why = _reason(steps[0].node.op, opset).partition(": ")[0]
        rows.append((show(name), ", ".join(layers[:FEW]) + more, have, why))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    details = [
        "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]))
        for row in rows
    ]
    if rest:
        details.append(f"The other {_counted(rest)} supported.")
    details += _begun(missing)
    keep = f", or keep them: {DOMAIN}" if any(_is_opaque(step) for step in missing) else ""
    code = any(isinstance(step.node.op, Opaque) and step.node.op.has_code for step in missing)
    return ExportError(
        f"no ONNX for {len(kinds)} {'class' if len(kinds) == 1 else 'classes'}",
        where=f"{len({_name(step.node) for step in missing})} layers",
        hint=f"say what they compute: {FORMULA * code}--plugin FILE{keep}",
        details=details,
    )


OF_TEXTS = frozenset({"StringLookup", "TextVectorization", "Hashing", "HashedCrossing"})
"""Layers of Keras' own that are not computed, as they are of texts."""

FORMULA = "--lambda NAME=EXPR or "


def _begun(missing: Sequence[Settled]) -> list[str]:
    """How to begin a plugin, where one is for a layer class of the author's own."""
    for step in missing:
        op, layer = step.node.op, step.node.layer
        if (
            isinstance(op, Opaque)
            and not op.has_code
            and layer
            and layer.source_class == _class(op)
        ):
            return [f"A plugin begins with: kerasir ops --template {show(layer.source_class)}"]
    return []


def _reason(op: Op, opset: int) -> str:
    name = _class(op)
    if isinstance(op, Opaque):
        if op.has_code:
            return f"a {show(name)} holds Python bytecode, which is never run: no ONNX"
        if name in OF_TEXTS:
            return f"a {name} is of texts: no ONNX"
        return f"what a {show(name)} computes is not known: no ONNX"
    needs = _needs(op, opset)
    if needs:
        return f"{name} needs opset {needs}: {opset} is asked for"
    kind = next(_lacking(op, opset))
    return f"{kind.__name__} has no ONNX emitter"


def _needs(op: Op, opset: int) -> int | None:
    """The lowest opset that has everything the op lacks in this one; None if none has."""
    found = [lowest_opset(kind) for kind in _lacking(op, opset)]
    return None if None in found else max(n for n in found if n is not None)


def _class(op: Op) -> str:
    return op.layer_class if isinstance(op, Opaque) else op.kind


def _name(node: Node) -> str:
    return show(node.layer.name if node.layer is not None else node.name)


def _counted(count: int) -> str:
    return f"{count} layers are" if count > 1 else "layer is"
