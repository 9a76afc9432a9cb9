"""What a conversion changes between the file that was read and the one that is written.

Weights are compared by how they lie in either; activations by where axes stand. Nothing here moves
or reads a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from .eras import storage
from .errors import LayoutError
from .ir.coerce import Permute, decompose
from .ir.layout import Fused, Joined, Layout, Reversed, Term, axes_of, expand, key, size_of
from .ir.model import Model
from .ir.notation import show
from .ir.orders import ordered
from .ir.plan import Held, Plan, Settled
from .ir.report import Event
from .ir.tensors import axis_names
from .targets import Aim


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A weight that lies in another way than before.

    Attributes:
        layer: Its layer.
        kind: The op that uses it.
        weight: Its name in the layer.
        have: The layout of the stored arrays.
        want: The layout that is written.
        before: `have` with sizes.
        after: `want` with sizes.
        words: What was done: `reversed`, `permuted`, `rows reordered`, `joined`.
    """

    layer: str
    kind: str
    weight: str
    have: str
    want: str
    before: str
    after: str
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        """Such as `kernel O I ~H ~W -> H W I O (reversed, permuted)`, with an arrow."""
        return f"{self.weight} {self.have} → {self.want} ({', '.join(self.words)})"


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that changes.

    Attributes:
        weights: Those that lie in another way.
        axes: Layers whose axis number changes, by the kind of op: `BatchNorm`, `Concat`.
        transposes: How often activations are transposed on their way.
        inputs: Inputs that are fed in another order: name, before, after.
        outputs: Outputs that come in another order: name, before, after.
        lost: What the target has no place for.
    """

    weights: tuple[Moved, ...]
    axes: Mapping[str, tuple[str, ...]]
    transposes: int
    inputs: tuple[tuple[str, str, str], ...]
    outputs: tuple[tuple[str, str, str], ...]
    lost: tuple[Event, ...] = ()

    def events(self) -> Iterator[Event]:
        """The same as events of a report."""
        for moved in self.weights:
            yield Event(
                code="KL301" if "rows reordered" in moved.words else "KL101",
                kind="changed",
                message=moved.text,
                layer=moved.layer,
                weight=moved.weight,
            )
        for kind, layers in self.axes.items():
            for layer in layers:
                yield Event(code="KL201", kind="changed", message=f"{kind} axis moved", layer=layer)
        for name, before, after in self.inputs:
            message = f"input {name} is fed as {after}; it was {before}"
            yield Event(code="KL401", kind="changed", message=message, layer=name)
        for name, before, after in self.outputs:
            message = f"output {name} comes as {after}; it was {before}"
            yield Event(code="KL402", kind="changed", message=message, layer=name)
        yield from self.lost


def changes(model: Model, plan: Plan, aim: Aim, *, moves_weights: bool = True) -> Changes:
    """What writing a plan changes.

    Args:
        model: What is written.
        plan: In which layouts.
        aim: To which kind of file.
        moves_weights: Whether weights are written as the target stores them, not as they were.
    """
    kind = aim.kind
    seen: set[object] = set()
    weights: list[Moved] = []
    axes: dict[str, list[str]] = {}
    for settled in plan.settled:
        if moves_weights and kind != "ir" and not aim.architecture_only:
            weights += _weights(settled, aim, seen)
        if _axis_moved(settled):
            axes.setdefault(settled.node.op.kind, []).append(_layer(settled))
    names = plan.graph.output_names
    return Changes(
        weights=tuple(weights),
        axes={kind: tuple(layers) for kind, layers in axes.items()},
        transposes=sum(map(_permutes, ((c.have, c.want) for c in plan.coercions))),
        inputs=tuple(_reordered((h.value.name for h in plan.inputs), plan.inputs)),
        outputs=tuple(_reordered(names, plan.outputs)),
        lost=tuple(_lost(model, aim)),
    )


def _lost(model: Model, aim: Aim) -> Iterator[Event]:
    """What a kind of file has no place for, whatever its exporter makes of the rest."""
    training = model.training
    alone = aim.weights_only or aim.architecture_only
    only = "only weights are written" if aim.weights_only else "only the architecture is written"
    if training is not None and (aim.kind == "onnx" or alone):
        slots = sum(len(slot.sources) for slot in training.slots)
        state = f", {slots} arrays of {training.optimizer}" if slots else ""
        message = f"the training record{state}: {aim.described.title} has no place for it"
        if alone:
            message = f"the training record{state}: {only}"
        yield Event(code="KT301", kind="lost", message=message)
    if aim.weights_only and model.kind != "weights":
        yield Event(code="KX204", kind="lost", message=f"the architecture: {only}")
    if aim.architecture_only:
        count = sum(1 for _ in model.graph.weights())
        yield Event(code="KX205", kind="lost", message=f"{count} weights: {only}")


def _layer(settled: Settled) -> str:
    layer = settled.node.layer
    return settled.node.name if layer is None else layer.name


def _weights(settled: Settled, aim: Aim, seen: set[object]) -> Iterator[Moved]:
    """Weights of a node that lie in another way; each once, at its first use."""
    for port, param in settled.node.params.items():
        if param.weight in seen or not param.stored:
            continue
        seen.add(param.weight)
        if aim.weights_layout == "stored" and aim.described.arrays:
            continue
        have = param.stored[0].layout
        want = _written(settled, port, aim)
        words = _words(have, want, joined=len(param.stored) > 1)
        if words:
            names = axis_names(settled.node, port, (have, want))
            yield Moved(
                layer=_layer(settled),
                kind=settled.node.op.kind,
                weight=port,
                have=show(have.terms, False, names),
                want=show(want.terms, False, names),
                before=show(have.terms, True, names),
                after=show(want.terms, True, names),
                words=words,
            )


def _written(settled: Settled, port: str, aim: Aim) -> Layout:
    """The layout in which a target stores a parameter; as declared where no table says."""
    op = settled.node.op.kind
    rank = len(settled.bound.get("kernel_space", ()))
    if aim.kind == "onnx" or aim.described.arrays:
        return ordered(settled, port, "onnx" if aim.kind == "onnx" else aim.weights_layout)
    try:
        text = storage.pattern("keras2", op, port, rank=rank, backend=aim.backend)[0]
    except KeyError:
        text = None
    return settled.params[port] if text is None else settled.param_layout(port, text)


def _words(have: Layout, want: Layout, *, joined: bool) -> tuple[str, ...]:
    """What brings one layout into the other; axes of size one do not count."""
    mine, other = _weighty(have.terms), _weighty(want.terms)
    if joined:
        return ("joined",)
    before = {axis for term in mine if isinstance(term, Reversed) for axis in axes_of((term,))}
    after = {axis for term in other if isinstance(term, Reversed) for axis in axes_of((term,))}
    words = ["reversed"] if before != after else []
    if [key(term) for term in mine] != [key(term) for term in other]:
        words.append("permuted")
    inner = {key(term): expand((term,)) for term in mine}
    fused = [term for term in other if isinstance(term, (Fused, Joined))]
    if any(inner.get(key(term), expand((term,))) != expand((term,)) for term in fused):
        words.append("rows reordered")
    return tuple(words)


def _weighty(terms: Sequence[Term]) -> list[Term]:
    return [term for term in terms if size_of(term) != 1]


def _axis_moved(settled: Settled) -> bool:
    """Whether the axis that an op works along has another number than its author gave it."""
    for binding in ("axis", "joined"):
        terms = settled.node.axes.get(binding, ())
        value = settled.node.result if settled.node.results else None
        if value is not None and len(terms) == 1 and terms[0] in value.axes:
            was = _from_the_end(value.axes.index(terms[0]), len(value.axes))
            now = settled.position(binding, result=True)
            return was != _from_the_end(now, len(settled.results[0].terms))
    return False


def _from_the_end(index: int, count: int) -> int:
    """An axis number as Keras files state it: -1 is the last, whatever the rank."""
    return -1 if index == count - 1 else index


def _permutes(layouts: tuple[Layout, Layout]) -> int:
    try:
        return sum(isinstance(step, Permute) for step in decompose(*layouts))
    except LayoutError:  # only a gather can do it: counted as one
        return 1


def _reordered(
    names: Iterator[str] | Sequence[str], held: Sequence[Held]
) -> Iterator[tuple[str, str, str]]:
    for name, one in zip(names, held, strict=True):
        if one.layout != one.value.layout:
            before, after = (show(la.terms, False) for la in (one.value.layout, one.layout))
            yield name, before, after
