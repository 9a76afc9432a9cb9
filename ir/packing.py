"""From a model to the records of a `.kerasir` header."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from .graph import Graph, Layer, Node, Value
from .layout import Axis, Fused, Labelled, Reversed, Term
from .model import Model
from .op import Op
from .original import Original
from .schema import (
    ALIGNMENT,
    SCHEMA,
    ArrayData,
    GroupData,
    Header,
    LayerData,
    NodeData,
    OriginalData,
    ParamData,
    ScopeData,
    SlotData,
    StoredData,
    TermData,
    TrainingData,
    ValueData,
    WeightData,
)
from .source import Source
from .tensor import Weight
from .training import Training


class _Index:
    """Gives every object a number, in the order of first meeting."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._at: dict[int, int] = {}

    def of(self, item: Any) -> int:
        if id(item) not in self._at:
            self._at[id(item)] = len(self.items)
            self.items.append(item)
        return self._at[id(item)]


def pack(model: Model, writer: str) -> tuple[Header, list[Source]]:
    """The header of a model, and its arrays in the order in which they lie.

    Args:
        model: Its weights are not read.
        writer: Name and version of the program, for the record.
    """
    return _Packer().pack(model, writer)


class _Packer:
    def __init__(self) -> None:
        self.axes, self.layers, self.values = _Index(), _Index(), _Index()
        self.weights, self.arrays = _Index(), _Index()

    def pack(self, model: Model, writer: str) -> tuple[Header, list[Source]]:
        graph = model.graph
        inputs = [self.values.of(value) for value in graph.inputs]
        nodes = [self._node(node) for node in graph.nodes]
        outputs = [self.values.of(value) for value in graph.outputs]
        scopes = [
            ScopeData(
                list(scope.path),
                self._layer(scope.layer),
                [self.values.of(value) for value in scope.inputs],
                [self.values.of(value) for value in scope.outputs],
                list(scope.names),
            )
            for scope in model.scopes
        ]
        model_layers = [self._layer(layer) for layer in model.layers]
        training = None if model.training is None else self._training(model.training)
        weights = [self._weight(weight) for weight in self.weights.items]
        original = None if model.original is None else self._original(model.original, graph)
        values = [self._value(value) for value in self.values.items]
        header = Header(
            schema=SCHEMA,
            writer=writer,
            name=model.name,
            kind=model.kind,
            facts=msgspec.to_builtins(model.facts),
            axes=[],
            layers=self._layers(),
            values=values,
            inputs=inputs,
            outputs=outputs,
            output_names=list(graph.output_names),
            nodes=nodes,
            weights=weights,
            arrays=_placed(self.arrays.items),
            model_layers=model_layers,
            scopes=scopes,
            training=training,
            preserved=dict(model.preserved),
            original=original,
            events=[msgspec.to_builtins(event) for event in model.report],
        )
        header.axes = [(axis.role, axis.size) for axis in self.axes.items]
        return header, list(self.arrays.items)

    def _terms(self, terms: Sequence[Term]) -> list[TermData]:
        return [self._term(term) for term in terms]

    def _term(self, term: Term) -> TermData:
        if isinstance(term, Axis):
            return self.axes.of(term)
        if isinstance(term, Reversed):
            return ["~", self.axes.of(term.axis)]
        if isinstance(term, Labelled):
            return ["[]", self.axes.of(term.axis), list(term.labels)]
        if isinstance(term, Fused):
            return ["()", *self._terms(term.terms)]
        return ["{}", *self._terms(term.parts)]

    def _node(self, node: Node) -> NodeData:
        params = {}
        for port, param in node.params.items():
            stored = [
                StoredData(
                    self._terms(s.layout.terms),
                    {str(self.axes.of(axis)): label for axis, label in s.at.items()},
                )
                for s in param.stored
            ]
            params[port] = ParamData(self.weights.of(param.weight), stored)
        return NodeData(
            name=node.name,
            op=pack_op(node.op),
            inputs=[-1 if value is None else self.values.of(value) for value in node.inputs],
            results=[self.values.of(value) for value in node.results],
            axes={name: self._terms(terms) for name, terms in node.axes.items()},
            params=params,
            layer=-1 if node.layer is None else self._layer(node.layer),
            part=node.part,
        )

    def _layer(self, layer: Layer) -> int:
        for wrapper in layer.wrappers:
            self._layer(wrapper)
        return self.layers.of(layer)

    def _layers(self) -> list[LayerData]:
        return [
            LayerData(
                name=layer.name,
                class_name=layer.class_name,
                config=dict(layer.config),
                source_class=layer.source_class,
                scope=list(layer.scope),
                wrappers=[self.layers.of(wrapper) for wrapper in layer.wrappers],
            )
            for layer in self.layers.items
        ]

    def _value(self, value: Value) -> ValueData:
        return ValueData(value.name, self._terms(value.axes), value.dtype)

    def _weight(self, weight: Weight) -> WeightData:
        arrays = [self.arrays.of(source) for source in weight.sources]
        return WeightData(weight.name, arrays, list(weight.stored_names), weight.trainable)

    def _original(self, original: Original, graph: Graph) -> OriginalData:
        groups, optimizer = (
            [
                GroupData(
                    group.path,
                    [(one.name, self.arrays.of(one.source), one.kind) for one in group.arrays],
                    group.name,
                )
                for group in listed
            ]
            for listed in (original.groups, original.optimizer)
        )
        return OriginalData(
            era=original.era,
            form=original.form,
            unchanged=original.graph is graph and not original.assets,  # the layers have them too
            config=None if original.config is None else dict(original.config),
            training=None if original.training is None else dict(original.training),
            metadata=dict(original.metadata),
            attributes=dict(original.attributes),
            besides=list(original.besides),
            groups=groups,
            optimizer=optimizer,
        )

    def _training(self, training: Training) -> TrainingData:
        slots = [
            SlotData(
                slot.kind,
                self.weights.of(slot.weight),
                [self.arrays.of(source) for source in slot.sources],
            )
            for slot in training.slots
        ]
        return TrainingData(
            training.optimizer,
            dict(training.config),
            training.iterations,
            slots,
            dict(training.compiled),
        )


def pack_op(op: Op) -> dict[str, Any]:
    """An op as plain data: its registered name and its attributes; ops among those likewise."""
    attrs = {}
    for name in op.__struct_fields__:
        value = getattr(op, name)
        attrs[name] = pack_op(value) if isinstance(value, Op) else msgspec.to_builtins(value)
    return {"op": op.kind, "attrs": attrs}


def stored_dtype(source: Source) -> np.dtype[Any]:
    """What an array is written as: as it is stored, little-endian."""
    return source.dtype.newbyteorder("<")


def _placed(sources: Sequence[Source]) -> list[ArrayData]:
    """Arrays one behind the other, each at a multiple of the alignment."""
    found: list[ArrayData] = []
    at = 0
    for source in sources:
        dtype = stored_dtype(source)
        nbytes = math.prod(source.shape) * dtype.itemsize
        found.append(ArrayData(dtype.str, list(source.shape), at, nbytes))
        at += -(-nbytes // ALIGNMENT) * ALIGNMENT
    return found
