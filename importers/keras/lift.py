"""From an architecture and its stored arrays to the graph: each layer by its translator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import ConfigError, KerasirError, UnsupportedLayerError, WeightError, show
from ...ir.build import Builder
from ...ir.graph import Graph, Layer, Node, Value
from ...ir.layout import Axis, Term, Terms
from ...ir.model import Scope
from ...ir.report import Report
from ...ir.tensor import Weight
from ..sizes import OPEN, Sizes
from .call import TRAINS_ON_CALL, Given, LayerCall
from .classes import is_operation
from .era import Era
from .layers import OPERATION
from .match_paths import Assigned
from .opaque import Told, lift_opaque
from .ordering import as_keras3_runs, in_order
from .registry import Slot, read_config, translator_of
from .spec import SEEN_THROUGH, LayerSpec, ModelSpec, Path, Ref
from .steps import Steps
from .structure import REPEATS
from .supported import check_arguments
from .unsaid import Unsaid, key_of
from .widths import widths

INPUT_ROLES: Mapping[tuple[int, str | None], str] = {
    (1, None): "F",
    (2, None): "TF",
    (3, "channels_first"): "CHW",
    (3, "channels_last"): "HWC",
    (4, "channels_first"): "CDHW",
    (4, "channels_last"): "DHWC",
}
"""What the axes of an input print as, by rank without the batch, and the file's ordering."""


INPUT_DTYPES = frozenset({
    "float16", "bfloat16", "float32", "float64", "bool", "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64", "float", "int", "string",
})  # fmt: skip
"""What a caller can feed; `float` and `int` are Keras 0.3's words."""


class Lifter:
    """Lifts one model.

    Attributes:
        era: How to read the file.
        report: Where to tell what was assumed.
        assigned: The stored arrays of each layer.
        slots: What each layer stores.
        sizes: What the caller fixes of inputs.
        unsaid: Shapes that nothing says.
        scopes: Calls of nested models so far.
        layers: Every layer so far, in order.
        weights: Every weight so far, by layer path and slot.
    """

    def __init__(
        self,
        era: Era,
        report: Report,
        assigned: Assigned,
        slots: Mapping[Path, Sequence[Slot]],
        allowed: frozenset[str],
        sizes: Sizes = OPEN,
        unsaid: Unsaid | None = None,
    ) -> None:
        self.era, self.report = era, report
        self.assigned, self.slots, self.allowed = assigned, slots, allowed
        self.sizes, self.unsaid = sizes, unsaid or Unsaid()
        self.builder = Builder()
        self.scopes: list[Scope] = []
        self.layers: list[Layer] = []
        self.weights: dict[Path, dict[str, Weight]] = {}
        self._batch_axis = Axis("N", None)
        self._masks: dict[Value, Value] = {}
        self._widths: dict[tuple[Path, Ref], Told] = {}
        self._extents: dict[Value, Terms] = {}

    def graph(self, model: ModelSpec) -> Graph:
        """The whole model's graph.

        Raises:
            ConfigError: A layer that does not fit what is before it; the layer is named.
            WeightError: A stored array that does not fit.
        """
        self.sizes.check_names([ref.layer for ref in model.inputs])
        outputs = self._model(model, None, (), (), 1)
        self._drop_unread(outputs)
        names = [ref.layer for ref in model.outputs]
        return self.builder.freeze(outputs, names)

    def _drop_unread(self, outputs: Sequence[Value]) -> None:
        """Operations that nobody reads: masks, which Keras 3 puts into the graph twice; shapes."""
        read, kept = set(outputs), list[Node]()
        for node in reversed(self.builder.nodes):
            of_operation = node.layer is not None and is_operation(node.layer.class_name)
            if of_operation and not read & set(node.results):
                continue
            kept.append(node)
            read.update(value for value in node.inputs if value is not None)
        self.builder.nodes[:] = reversed(kept)

    # ---- models ----------------------------------------------------------------------------

    def _model(
        self,
        model: ModelSpec,
        feeds: Sequence[Value] | None,
        path: Path,
        scope: tuple[str, ...],
        batch: int,
    ) -> list[Value]:
        """A model's outputs; with `feeds`, its inputs are values of the model around it."""
        values: dict[Ref, Value] = {}
        specs = {layer.name: layer for layer in model.layers}
        kept = {key[-1] for key in self.unsaid.kept if key[:-1] == scope}
        told = widths(model, path, self.assigned, kept)
        self._widths |= {(path, ref): one for ref, one in told.items()}
        for position, stated in enumerate(model.inputs):
            ref = _input_behind(stated, specs)
            values[ref] = (
                self._input(specs[ref.layer])
                if feeds is None
                else self._fed(feeds, position, model)
            )
        order = in_order(model, set(values))
        if any(self.era.strips_masks(layer.class_name) for layer in model.layers):
            order = as_keras3_runs(model, order)
        for layer, index in order:
            results = self._call(layer, index, values, path, scope, batch)
            for number, value in enumerate(results):
                values[Ref(layer.name, index, number)] = value
        missing = [ref for ref in model.outputs if ref not in values]
        if missing:
            raise ConfigError(f"the output {missing[0].layer!r} is never computed")
        return [values[ref] for ref in model.outputs]

    @staticmethod
    def _fed(feeds: Sequence[Value], position: int, model: ModelSpec) -> Value:
        if position >= len(feeds):
            raise ConfigError(
                f"model {model.name} has {len(model.inputs)} inputs and is given {len(feeds)}"
            )
        return feeds[position]

    def _input(self, spec: LayerSpec) -> Value:
        shape = spec.config.get("batch_input_shape", spec.config.get("batch_shape"))
        if not isinstance(shape, Sequence) or not shape:
            raise ConfigError(f"an input of shape {shape!r}", where=spec.name)
        sizes = self.sizes.fixed(spec.name, [_size(extent, spec.name) for extent in shape])
        rank = len(sizes) - 1
        roles = INPUT_ROLES.get((rank, None)) or INPUT_ROLES.get((rank, self.era.ordering))
        if sizes[0] is not None and self._batch_axis.size is None:
            self._batch_axis.size = sizes[0]
        self.sizes.check_batch(spec.name, sizes[0], self._batch_axis.size)
        axes: list[Term] = [self._batch_axis]
        axes += [Axis(r, n) for r, n in zip(roles or "X" * rank, sizes[1:], strict=True)]
        stated = spec.config.get("dtype")
        dtype = stated if isinstance(stated, str) else "float32"
        if dtype not in INPUT_DTYPES:
            raise ConfigError(f"an input of dtype '{show(dtype)}'", where=spec.name)
        self.layers.append(_layer_of(spec, (), ()))
        return self.builder.input(spec.name, axes, dtype)

    # ---- layers ----------------------------------------------------------------------------

    def _call(
        self,
        spec: LayerSpec,
        index: int,
        values: Mapping[Ref, Value],
        path: Path,
        scope: tuple[str, ...],
        batch: int,
    ) -> Sequence[Value]:
        try:
            call = spec.calls[index]
            given = Given.of(call, values)
            return self._translate(spec, index, given, path, scope, batch, ())
        except KerasirError as error:
            error.at("/".join((*path, spec.name)))
            raise

    def _translate(
        self,
        spec: LayerSpec,
        index: int,
        given: Given,
        path: Path,
        scope: tuple[str, ...],
        batch: int,
        wrappers: tuple[Layer, ...],
    ) -> Sequence[Value]:
        here = (*path, spec.name)
        if spec.model is not None:
            if given.kwargs.get("training") and self.era.vocabulary in TRAINS_ON_CALL:
                raise ConfigError("a nested model that is called with training=True")
            return self._nested(spec, index, given.inputs, here, scope, batch, wrappers)
        if spec.wrapped is not None and spec.class_name in REPEATS:
            wrapper = _layer_of(spec, scope, wrappers)
            steps = Steps(self.builder, self.era, self._masks, given.inputs, batch)
            found = self._translate(
                spec.wrapped, index, given, here, scope, batch + 1, (*wrappers, wrapper)
            )
            steps.finish(found)
            return found
        layer = _layer_of(spec, scope, wrappers)
        if index == 0:
            self.layers.append(layer)
        try:
            results = self._leaf(spec, index, layer, given, here, batch)
        except (ConfigError, WeightError):  # what it does not fit tells of shapes nobody says
            weighted = bool(self.assigned.get(here))
            self.unsaid.learn(layer, given.inputs, self.builder.nodes, weighted=weighted)
            raise
        self.unsaid.carry(given.inputs, results)
        return results

    def _nested(
        self,
        spec: LayerSpec,
        index: int,
        inputs: Sequence[Value],
        here: Path,
        scope: tuple[str, ...],
        batch: int,
        wrappers: tuple[Layer, ...],
    ) -> Sequence[Value]:
        assert spec.model is not None
        # a name inside a wrapper may be another layer's name outside it
        inner_scope = (*scope, f"{(wrappers[0] if wrappers else spec).name}#{index}")
        outputs = self._model(spec.model, inputs, here, inner_scope, batch)
        layer = _layer_of(spec, scope, wrappers)
        names = tuple(ref.layer for ref in spec.model.inputs)
        if index == 0:
            self.layers.append(layer)
        self.scopes.append(Scope(inner_scope, layer, tuple(inputs), tuple(outputs), names))
        return outputs

    def _leaf(
        self,
        spec: LayerSpec,
        index: int,
        layer: Layer,
        given: Given,
        here: Path,
        batch: int,
    ) -> Sequence[Value]:
        inputs = given.inputs
        shared = self.weights.setdefault(here, {})
        stored = self.assigned.get(here, {})
        translator = translator_of(spec.class_name)
        if translator is None and spec.class_name.startswith(OPERATION):
            raise UnsupportedLayerError(f"the operation {spec.source_class!r:.80} is not known")
        if translator is None or key_of(layer) in self.unsaid.kept:
            width = self._widths.get((here[:-1], Ref(spec.name, index)))
            return lift_opaque(
                self.builder,
                layer,
                inputs,
                stored,
                shared,
                self.report,
                given.gives,
                width,
                self.unsaid,
            )
        check_arguments(spec, translator, given)
        if spec.source_class in SEEN_THROUGH:
            self._seen_through(spec)
        config, silent = read_config(translator, spec.config, spec.class_name, self.allowed)
        for key in silent:
            self.report.add(
                "KE301",
                "note",
                f"{spec.class_name}.{key} is not known and says nothing",
                layer=spec.name,
            )
        context = LayerCall(
            layer=layer,
            config=config,
            batch=batch,
            era=self.era,
            builder=self.builder,
            report=self.report,
            stored=stored,
            slots=self.slots.get(here, ()),
            shared=shared,
            masks=self._masks,
            extents=self._extents,
            given=given,
            allowed=self.allowed,
        )
        first = len(self.builder.nodes)
        result = translator.translate(context, *inputs)
        results = result if isinstance(result, tuple) else (result,)
        self._carry_mask(first, inputs, results)
        if given.kwargs.get("mask") is not None and not self.era.has("stated_masks_travel"):
            self._forget_stated(inputs, results)
        names = spec.class_name, spec.source_class
        if is_operation(spec.class_name) or self.era.ends_masks(*names):
            for value in results:
                self._masks.pop(value, None)
        return results

    def _forget_stated(self, inputs: Sequence[Value], results: Sequence[Value]) -> None:
        """Results have the mask that came along with the first input, not the one of the call."""
        own = self._masks.get(inputs[0])
        for value in [value for value in results if value in self._masks]:
            if own is None:
                del self._masks[value]
            else:
                self._masks[value] = own

    def _seen_through(self, spec: LayerSpec) -> None:
        self.report.add(
            "KN104",
            "changed",
            f"{spec.name} ({spec.source_class}) is taken for the {spec.class_name} inside, whose "
            "kernel is stored as training has normalized it",
            layer=spec.name,
        )

    def _carry_mask(self, first: int, inputs: Sequence[Value], results: Sequence[Value]) -> None:
        """Keras' mask goes on as the op's rule says; a layer without a node keeps it."""
        mask = self._masks.get(inputs[0]) if inputs else None
        made = self.builder.nodes[first:]
        if mask is None or any(node.op.mask in {"drop", "own"} for node in made):
            return
        for value in results:
            if all(axis in value.axes for axis in mask.axes):
                self._masks.setdefault(value, mask)


def _layer_of(spec: LayerSpec, scope: tuple[str, ...], wrappers: tuple[Layer, ...]) -> Layer:
    return Layer(spec.name, spec.class_name, spec.config, spec.source_class, scope, wrappers)


def _input_behind(ref: Ref, specs: Mapping[str, LayerSpec]) -> Ref:
    """The input layer that a stated input stands for.

    On Theano, Keras 1's linear Activation hands on its very input, so that the file names the
    Activation as the model's input (Keras 1.2.2 `engine/topology.py`, `_keras_history`).
    """
    seen: set[Ref] = set()
    while True:
        spec = specs.get(ref.layer)
        if spec is None or ref in seen:
            raise ConfigError(f"input layer {ref.layer!r} is not in the model")
        if not spec.calls or not spec.calls[0].inputs:
            return Ref(ref.layer)
        seen.add(ref)
        ref = spec.calls[0].inputs[0]


def _size(extent: Any, where: str) -> int | None:
    if extent is None:
        return None
    if isinstance(extent, bool) or not isinstance(extent, int) or extent < 1:
        raise ConfigError(f"an input extent of {extent!r}", where=where)
    return extent
