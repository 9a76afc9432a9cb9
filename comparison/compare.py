"""Two models, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from ..errors import LayoutError, UsageError
from ..inspection.operations import TIMES, main_node, operation
from ..ir.graph import Node, Value
from ..ir.layout import Layout, axes_of
from ..ir.model import Model
from ..ir.notation import show
from ..ir.op import Op
from ..ir.signature import REST
from ..ir.tensor import Param, Weight
from ..ir.tensors import axis_names
from ..verification.calls import LayerCall
from ..verification.matching import Matching
from . import training
from .pairs import Pair, masks_of, pairs
from .records import Differences, Row, Verdict
from .settings import settings, shown
from .skeleton import Skeleton, plain
from .weights import apart

NUMBERED = ("axis", "joined")
"""Bindings that Keras states as the number of an axis."""


def diff(a: str, b: str, **reading: Any) -> Differences:
    """Compare two model files without running them.

    Two models are the same if they have the same layers, wired alike, with the same settings and
    the same numbers, wherever either file puts an axis. A file of weights alone is compared with
    another of its kind.

    Args:
        a: What `load` reads.
        b: Another.
        reading: What `load` takes; `arch`, `backend` and `data_format` are of `a` alone.

    Raises:
        KerasirError: One of them cannot be read.
    """
    from ..loading import load_weights

    for path in (a, b):
        if path.lower().endswith(".onnx"):
            hint = f"kerasir verify {a} {b} compares what they compute"
            raise UsageError("an ONNX file holds no layers to compare", file=path, hint=hint)
    general = {key: reading[key] for key in ("isolated", "plugins", "allow_keys") if key in reading}
    return diff_models(load_weights(a, **reading), load_weights(b, **general))


def diff_models(a: Model, b: Model) -> Differences:
    """The same for models that are loaded already.

    Raises:
        UsageError: One has an architecture and the other has none.
        KerasirError: A weight cannot be read.
    """
    if (a.kind == "weights") != (b.kind == "weights"):
        bare = a if a.kind == "weights" else b
        raise UsageError(
            "weights only, and the other file is a whole model",
            file=bare.facts.path,
            hint="read it with --arch",
        )
    found = pairs(a.graph, b.graph)
    rows = list(_Comparison(a, b, found).rows())
    both = [(p.a, p.b) for p in found if p.a is not None and p.b is not None]
    named = [x.key[1:] == y.key[1:] for x, y in both]
    places = [(x.name, y.name) for (x, y), same in zip(both, named, strict=True) if not same]
    return Differences(
        a=a.facts, b=b.facts, by_name=sum(named), by_place=tuple(places), rows=tuple(rows)
    )


class _Comparison:
    def __init__(self, a: Model, b: Model, found: list[Pair]) -> None:
        self.a, self.b, self.pairs = a, b, found
        self.bones = Skeleton(a.graph), Skeleton(b.graph)
        self.steps: dict[Node, Node] = {}
        """For each step of A the one of B."""
        self.matching = Matching()
        self.weights: dict[Weight, Weight] = {}
        self.uses: dict[Weight, training.Use] = {}
        self.seen: set[tuple[Weight, Weight]] = set()
        inputs = _by_name_or_place(a, b)
        self.inputs = dict(inputs)
        for x, y in inputs:
            if x.layout.shape == y.layout.shape and len(x.axes) == len(y.axes):
                self.matching.learn(x.axes[:1], y.axes[:1])
        masks = masks_of(a.graph), masks_of(b.graph)
        for pair in found:
            if pair.a is not None and pair.b is not None:
                self.matching.learn_calls(pair.a, pair.b)
                self._tie(self._of(pair.a.nodes, 0), self._of(pair.b.nodes, 1))
                mine, other = pair.a.last.layer, pair.b.last.layer
                if mine is not None and other is not None:
                    self._tie(masks[0].get(mine, []), masks[1].get(other, []))

    def _of(self, nodes: list[Node], side: int) -> list[Node]:
        return [node for node in nodes if self.bones[side].is_step(node)]

    def _tie(self, a: list[Node], b: list[Node]) -> None:
        if [node.op.kind for node in a] == [node.op.kind for node in b]:
            self.steps.update(zip(a, b, strict=True))

    # ---- rows ------------------------------------------------------------------------------

    def rows(self) -> Iterator[Row]:
        """Everything, in order."""
        yield from self._ports()
        for pair in self.pairs:
            if pair.a is None or pair.b is None:
                yield from self._alone(pair)
            else:
                yield from self._layer(pair.a, pair.b)
        yield from training.rows(self.a.training, self.b.training, self.uses)

    def _ports(self) -> Iterator[Row]:
        for name, mine, other in (
            ("inputs", self.a.graph.inputs, self.b.graph.inputs),
            ("outputs", self.a.graph.outputs, self.b.graph.outputs),
        ):
            if len(mine) != len(other):
                yield _row("", name, len(mine), len(other), "differs", "layers")
        for x, y in self.inputs.items():
            verdict: Verdict = "equal" if str(x.layout) == str(y.layout) else "said otherwise"
            if self.matching.mapping(y.layout, x.layout) is None or x.dtype != y.dtype:
                verdict = "differs"
            yield _row(x.name, "input", _typed(x, y), _typed(y, x), verdict, "layers")
        for number, (x, y) in enumerate(
            zip(self.a.graph.outputs, self.b.graph.outputs, strict=False)
        ):
            if not self._same_value(x, y):
                names = self.a.graph.output_names[number], self.b.graph.output_names[number]
                yield _row("", f"output {number}", *names, "differs", "layers")

    def _alone(self, pair: Pair) -> Iterator[Row]:
        call, side = (pair.a, 0) if pair.a is not None else (pair.b, 1)
        if call is None:
            return
        verdict: Verdict = "only in A" if side == 0 else "only in B"
        if not self._of(call.nodes, side):
            verdict = "said otherwise"
        text = _operation(call)
        yield _row(
            call.name, "layer", *((text, "") if side == 0 else ("", text)), verdict, "layers"
        )

    def _layer(self, a: LayerCall, b: LayerCall) -> Iterator[Row]:
        name = a.name
        mine, other = self._of(a.nodes, 0), self._of(b.nodes, 1)
        kinds = [node.op.kind for node in mine], [node.op.kind for node in other]
        if kinds[0] != kinds[1]:
            yield _row(name, "operation", _operation(a), _operation(b), "differs", "layers")
            return
        for x, y in zip(mine, other, strict=True):
            yield from self._attributes(name, x, y)
            yield from self._wires(name, x, y)
            yield from self._params(name, x, y)
        yield from self._config(name, a, b)

    def _attributes(self, name: str, x: Node, y: Node) -> Iterator[Row]:
        first, second = self.bones[0].settings(x), self.bones[1].settings(y)
        for key in dict.fromkeys((*first, *second)):
            if key == "layer_class" or (key not in first) or (key not in second):
                continue
            mine, other = first[key], second[key]
            same = plain(mine) == plain(other)
            said = getattr(x.op, key), getattr(y.op, key)
            verdict: Verdict = "equal" if plain(said[0]) == plain(said[1]) else "said otherwise"
            texts = (
                (_shown(mine), _shown(other)) if not same else (_shown(said[0]), _shown(said[1]))
            )
            yield _row(name, key, *texts, verdict if same else "differs", "settings")

    def _wires(self, name: str, x: Node, y: Node) -> Iterator[Row]:
        """What a step reads, and along which axes it works."""
        reads = self.bones[0].reads(x), self.bones[1].reads(y)
        if len(reads[0]) != len(reads[1]):
            yield _row(name, "inputs", len(reads[0]), len(reads[1]), "differs", "layers")
            return
        for number, (read, found) in enumerate(zip(*reads, strict=True)):
            value = None if read is None else read.value
            seen = None if found is None else found.value
            if not self._same_value(value, seen):
                texts = (_made(self.bones[0], value), _made(self.bones[1], seen))
                yield _row(name, f"input {number}", *texts, "differs", "layers")
        if x.op.rule in {"pinned", "places"}:
            for mine, other in zip(x.inputs, y.inputs, strict=True):
                if mine is not None and other is not None and not self._same_order(mine, other):
                    texts = str(mine.layout), str(other.layout)
                    yield _row(name, "order", *texts, "differs", "layers")
        resized = self.bones[0].resized(x) | self.bones[1].resized(y)
        for binding in x.axes:
            if binding == REST or binding not in y.axes or binding in resized:
                continue
            terms = x.axes[binding], y.axes[binding]
            if self._axes(*map(Layout, terms)):
                numbers = _number(x, binding), _number(y, binding)
                if binding in NUMBERED and numbers[0] != numbers[1]:
                    yield _row(name, "axis", *numbers, "said otherwise", "settings")
                continue
            texts = (show(terms[0]), show(terms[1]))
            yield _row(name, binding.replace("_", " "), *texts, "differs", "layers")

    def _axes(self, a: Layout, b: Layout) -> bool:
        return self.matching.translated(b, a) is not None

    def _same_order(self, a: Value, b: Value) -> bool:
        found = self.matching.translated(b.layout, a.layout)
        return found is not None and _weighty(found) == _weighty(a.layout)

    def _same_value(self, a: Value | None, b: Value | None) -> bool:
        if a is None or b is None:
            return a is b
        x, y = self.bones[0].root(a), self.bones[1].root(b)
        if x in self.inputs or y in self.inputs.values():
            return self.inputs.get(x) is y
        maker, other = self.bones[0].makers.get(x), self.bones[1].makers.get(y)
        if maker is None or other is None:
            return False
        return self.steps.get(maker[0]) is other[0] and maker[1] == other[1]

    def _params(self, name: str, x: Node, y: Node) -> Iterator[Row]:
        for port in dict.fromkeys((*x.params, *y.params)):
            mine, other = x.params.get(port), y.params.get(port)
            if mine is None or other is None:
                texts = (_tag(x, port, mine), _tag(y, port, other))
                yield _row(name, port, *texts, "only in A" if mine else "only in B", "weights")
            elif (mine.weight, other.weight) not in self.seen:
                self.seen.add((mine.weight, other.weight))
                yield self._weight(name, port, x, y)
            # a weight that two uses share has to be shared in both
            if mine is not None and other is not None:
                known = self.weights.setdefault(mine.weight, other.weight)
                if known is not other.weight:
                    texts = (mine.weight.name, other.weight.name)
                    yield _row(name, f"{port} shared", *texts, "said otherwise", "weights")

    def _weight(self, name: str, port: str, x: Node, y: Node) -> Row:
        mine, other = x.params[port], y.params[port]
        texts = _tag(x, port, mine), _tag(y, port, other)
        wanted = x.param_layout(port)
        moved = self.matching.retagged(other, y.param_layout(port), wanted)
        if moved is None:
            return _row(name, port, *texts, "differs", "weights")
        self.uses[mine.weight] = training.Use(mine, moved, wanted)
        try:
            found = apart(mine, moved, wanted)
        except LayoutError:
            return _row(name, port, *texts, "differs", "weights")
        verdict: Verdict = "differs" if found.differing else "equal"
        if not found.differing and _lies_otherwise(mine, moved, wanted):
            verdict = "retyped"
        return replace(
            _row(name, port, *texts, verdict, "weights"),
            differing=found.differing,
            count=found.count,
            largest=found.largest,
        )

    def _config(self, name: str, a: LayerCall, b: LayerCall) -> Iterator[Row]:
        mine, other = _config_of(a), _config_of(b)
        for setting in settings(mine, other):
            verdict: Verdict = "equal" if setting.same else "differs"
            texts = shown(setting.a), shown(setting.b)
            yield _row(name, setting.key, *texts, verdict, "settings")


def _by_name_or_place(a: Model, b: Model) -> list[tuple[Value, Value]]:
    mine, other = a.graph.inputs, b.graph.inputs
    named = {value.name: value for value in other}
    if len(named) == len(other) and {value.name for value in mine} == named.keys():
        return [(value, named[value.name]) for value in mine]
    return list(zip(mine, other, strict=False))


def _row(layer: str, what: str, a: object, b: object, verdict: Verdict, part: Any) -> Row:
    return Row(layer=layer, what=what, a=str(a), b=str(b), verdict=verdict, part=part)


def _number(node: Node, binding: str) -> int | None:
    """Which axis of its result a binding is, counted as Keras does."""
    axes, terms = node.result.axes if node.results else (), node.axes[binding]
    return axes.index(terms[0]) if len(terms) == 1 and terms[0] in axes else None


def _typed(value: Value, other: Value) -> str:
    return f"{value.layout}" if value.dtype == other.dtype else f"{value.layout} {value.dtype}"


def _operation(call: LayerCall) -> str:
    layer = call.last.layer
    return main_node(call.nodes).op.kind if layer is None else operation(layer, call.nodes)


def _config_of(call: LayerCall) -> Mapping[str, Any]:
    """The configuration of the layer itself, not of one that helps it; wrappers' underneath."""
    name = call.key[1]
    layers = [node.layer for node in call.nodes if node.layer is not None]
    layer = next((one for one in layers if one.name == name), layers[0] if layers else None)
    return {} if layer is None else layer.config


def _shown(value: Any) -> str:
    if isinstance(value, Op):
        return value.kind.lower()
    if isinstance(value, tuple) and value and all(isinstance(pair, tuple) for pair in value):
        return " ".join(",".join(map(str, pair)) for pair in value)
    return shown(value)


def _tag(node: Node, port: str, param: Param | None) -> str:
    if param is None:
        return ""
    layouts = tuple(stored.layout for stored in param.stored)
    if not layouts:
        return ""
    text = show(layouts[0].terms, True, axis_names(node, port, layouts))
    return f"{len(layouts)} {TIMES} {text}" if len(layouts) > 1 else text


def _lies_otherwise(a: Param, b: Param, wanted: Layout) -> bool:
    """Whether the same numbers are stored in another order, or as another kind of number."""
    if a.weight.dtype != b.weight.dtype:
        return True
    return [copy for _, copy in a.plans(wanted)] != [copy for _, copy in b.plans(wanted)]


def _weighty(layout: Layout) -> list[object]:
    return [axis for axis in axes_of(layout.terms) if axis.size != 1]


def _made(bones: Skeleton, value: Value | None) -> str:
    """Who made a value."""
    if value is None:
        return ""
    maker = bones.makers.get(value)
    if maker is None:
        return value.name
    layer = maker[0].layer
    return maker[0].name if layer is None else layer.name
