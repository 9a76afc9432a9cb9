"""From the records of a `.kerasir` header back to a model. The records are not trusted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec

from ..errors import FormatError
from . import ops as _ops  # ruff: ignore[unused-import]  (registers the ops)
from .declared import check_declared
from .graph import Graph, Layer, Node, Value
from .layout import Axis, Fused, Joined, Labelled, Layout, Reversed, Term, Terms, fuse
from .model import Facts, Model, ModelKind, Scope
from .op import OPS, Op
from .original import Original, OriginalArray, OriginalGroup
from .report import Event, Report
from .schema import (
    GroupData,
    Header,
    LayerData,
    NodeData,
    OriginalData,
    SlotData,
    TermData,
    TrainingData,
    WeightData,
)
from .source import Source
from .tensor import Param, Stored, Weight
from .training import Slot, Training

DEEPEST = 32
"""How deep terms may nest."""

T = TypeVar("T")


def unpack(header: Header, sources: Sequence[Source]) -> Model:
    """The model that a header describes.

    Args:
        header: Of the right types already; what its indices say is checked here.
        sources: The arrays, by index.

    Raises:
        FormatError: An index that points nowhere, an op nobody knows, attributes that do not fit.
    """
    try:
        return _Unpacker(header, sources).model()
    except msgspec.ValidationError as error:
        raise FormatError(f"the header does not fit: {error}") from error


class _Unpacker:
    def __init__(self, header: Header, sources: Sequence[Source]) -> None:
        self.header = header
        self.sources = sources
        self.axes = [Axis(role, size) for role, size in header.axes]
        self.layers: list[Layer] = []
        for data in header.layers:
            self.layers.append(self._layer(data))
        self.values = [Value(v.name, self._terms(v.axes), v.dtype) for v in header.values]
        self.weights = [self._weight(data) for data in header.weights]

    def model(self) -> Model:
        header = self.header
        graph = Graph(
            self._values(header.inputs),
            [self._node(node) for node in header.nodes],
            self._values(header.outputs),
            header.output_names,
        )
        check_declared(graph)
        scopes = tuple(
            Scope(
                tuple(scope.path),
                _at(self.layers, scope.layer, "layer"),
                tuple(self._values(scope.inputs)),
                tuple(self._values(scope.outputs)),
                tuple(scope.names),
            )
            for scope in header.scopes
        )
        return Model(
            graph=graph,
            name=header.name,
            kind=msgspec.convert(header.kind, ModelKind),
            facts=msgspec.convert(header.facts, Facts),
            report=Report(msgspec.convert(event, Event) for event in header.events),
            training=None if header.training is None else self._training(header.training),
            scopes=scopes,
            layers=tuple(_at(self.layers, index, "layer") for index in header.model_layers),
            preserved=header.preserved,
            original=None if header.original is None else self._original(header.original, graph),
        )

    def _weight(self, data: WeightData) -> Weight:
        if not data.arrays or len(data.stored_names) not in (0, len(data.arrays)):
            raise FormatError("a weight without arrays, or not a name for each", where=data.name)
        return Weight(
            data.name,
            tuple(_at(self.sources, index, "array") for index in data.arrays),
            trainable=data.trainable,
            stored_names=tuple(data.stored_names),
        )

    def _original(self, data: OriginalData, graph: Graph) -> Original:
        return Original(
            graph=graph if data.unchanged else Graph((), (), ()),
            era=data.era,
            form=data.form,
            config=data.config,
            training=data.training,
            metadata=data.metadata,
            attributes=data.attributes,
            besides=tuple(data.besides),
            groups=self._groups(data.groups),
            optimizer=self._groups(data.optimizer),
        )

    def _groups(self, listed: Sequence[GroupData]) -> tuple[OriginalGroup, ...]:
        return tuple(
            OriginalGroup(
                data.path,
                tuple(
                    OriginalArray(name, _at(self.sources, index, "array"), kind)
                    for name, index, kind in data.arrays
                ),
                data.name,
            )
            for data in listed
        )

    def _values(self, indices: Sequence[int]) -> list[Value]:
        return [_at(self.values, index, "value") for index in indices]

    def _layer(self, data: LayerData) -> Layer:
        return Layer(
            data.name,
            data.class_name,
            data.config,
            data.source_class,
            tuple(data.scope),
            tuple(_at(self.layers, index, "layer") for index in data.wrappers),
        )

    def _terms(self, data: Sequence[TermData], depth: int = 0) -> Terms:
        return tuple(self._term(item, depth) for item in data)

    def _term(self, data: TermData, depth: int) -> Term:
        if isinstance(data, int) and not isinstance(data, bool):
            return _at(self.axes, data, "axis")
        if data == ["()"]:
            return Fused(())  # of no axes: an index of nothing more
        if not isinstance(data, list) or len(data) < 2 or depth > DEEPEST:
            raise FormatError(f"no term: {data!r:.80}")
        kind, *rest = data
        if kind == "~":
            return Reversed(_at(self.axes, rest[0], "axis"))
        if kind == "[]" and len(rest) == 2 and isinstance(rest[1], list):
            axis, labels = _at(self.axes, rest[0], "axis"), tuple(map(str, rest[1]))
            if not len(labels) == len(set(labels)) == axis.size:
                raise FormatError(f"labels {labels!r:.80} of {axis.size} places")
            return Labelled(axis, labels)
        inner = self._terms(rest, depth + 1)
        if kind == "()":
            return inner[0] if len(inner) == 1 else Fused(fused_terms(inner))
        if kind == "{}":
            return Joined(inner)
        raise FormatError(f"no term: {data!r:.80}")

    def _node(self, data: NodeData) -> Node:
        params = {}
        for port, param in data.params.items():
            stored = tuple(
                Stored(
                    Layout(self._terms(s.layout)),
                    {_at(self.axes, _number(axis), "axis"): label for axis, label in s.at.items()},
                )
                for s in param.stored
            )
            weight = _at(self.weights, param.weight, "weight")
            if len(stored) != len(weight.sources):
                raise FormatError(
                    f"{port} lies in {len(stored)} ways, its arrays are {len(weight.sources)}",
                    where=data.name,
                )
            params[port] = Param(weight, stored)
        return Node(
            data.name,
            unpack_op(data.op),
            [None if index == -1 else _at(self.values, index, "value") for index in data.inputs],
            self._values(data.results),
            {name: self._terms(terms) for name, terms in data.axes.items()},
            params,
            None if data.layer == -1 else _at(self.layers, data.layer, "layer"),
            data.part,
        )

    def _training(self, data: TrainingData) -> Training:
        slots = tuple(map(self._slot, data.slots))
        return Training(data.optimizer, data.config, data.iterations, slots, data.compiled)

    def _slot(self, data: SlotData) -> Slot:
        weight = _at(self.weights, data.weight, "weight")
        if len(data.arrays) != len(weight.sources):
            raise FormatError(f"{data.kind} of other arrays than the weight's", where=weight.name)
        sources = tuple(_at(self.sources, index, "array") for index in data.arrays)
        return Slot(data.kind, weight, sources)


def fused_terms(inner: Terms) -> Terms:
    """The terms of a fusion, flat."""
    whole = fuse(inner)
    return whole.terms if isinstance(whole, Fused) else (whole,)


def unpack_op(data: Any, depth: int = 0) -> Op:
    """An op from plain data.

    Raises:
        FormatError: Nobody knows its name, or its attributes do not fit.
    """
    if not isinstance(data, dict) or not isinstance(data.get("attrs"), dict) or depth > DEEPEST:
        raise FormatError(f"no op: {data!r:.80}")
    cls = OPS.get(str(data.get("op")))
    if cls is None:
        raise FormatError(
            f"no op {data.get('op')!r:.80}", hint="if a plugin declares it: --plugin FILE.py"
        )
    attrs: dict[str, Any] = {}
    for name, kind in _fields(cls):
        if name in data["attrs"]:
            value = data["attrs"][name]
            attrs[name] = (
                unpack_op(value, depth + 1) if kind is Op else msgspec.convert(value, kind)
            )
    try:
        return cls(**attrs)
    except TypeError as error:
        raise FormatError(f"op {cls.__name__}: {error}") from error


@cache
def _fields(cls: type[Op]) -> tuple[tuple[str, Any], ...]:
    """Names and types of an op's attributes; finding the types takes longer than reading them."""
    return tuple((field.name, field.type) for field in msgspec.structs.fields(cls))


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 12:
        raise FormatError(f"no index: {text!r:.40}")
    return int(text)


def _at(items: Sequence[T], index: Any, what: str) -> T:
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(items):
        raise FormatError(f"no {what} of number {index!r:.40}")
    return items[index]
