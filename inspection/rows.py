"""The layers of a model as rows: in order of execution, nested models around theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..ir.graph import Layer, Node, Value
from ..ir.model import Model, Scope
from ..ir.notation import show
from ..ir.tensor import Param, Weight
from ..ir.tensors import axis_names
from .operations import main_node, operation, settings
from .records import LayerRow, WeightRow

Origin = Value | Scope | Layer
"""What a row is of: an input, a call of a nested model, a call of a layer."""


def layer_rows(model: Model) -> tuple[LayerRow, ...]:
    """Every row of a model."""
    return tuple(row for row, _ in rows_and_origins(model))


def rows_and_origins(model: Model) -> list[tuple[LayerRow, Origin]]:
    """Every row of a model, and what it is of."""
    listed = _Rows(model)
    found: list[tuple[LayerRow, Origin]] = []
    for row in listed.all():
        listed.place = len(found) + 1
        found.append(row)
    return found


class _Rows:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.makers: dict[Value, str] = {}
        self.places: dict[Value, int] = {}
        self.place = 0
        """Of the row that comes next."""
        self.owners: dict[Weight, str] = {}
        self.scopes: dict[tuple[str, ...], Scope] = {scope.path: scope for scope in model.scopes}
        self.calls: dict[Layer, list[Node]] = {}
        self.used = set(model.graph.outputs)
        for node in model.graph.nodes:
            self.used.update(value for value in node.inputs if value is not None)
        for node in model.graph.nodes:
            if node.layer is not None:
                self.calls.setdefault(node.layer, []).append(node)

    def all(self) -> Iterator[tuple[LayerRow, Origin]]:
        for value in self.model.graph.inputs:
            self.makers[value], self.places[value] = value.name, self.place
            outputs = (str(value.layout),)
            yield LayerRow(name=value.name, class_name="InputLayer", outputs=outputs), value
        idle = self._idle()
        place = {layer: index for index, layer in enumerate(self.model.layers)}
        around: tuple[str, ...] = ()
        for layer, nodes in self.calls.items():
            while idle and place[idle[0]] < place.get(layer, -1):
                yield _idle_row(idle[0]), idle.pop(0)
            for depth in range(1, len(layer.scope) + 1):
                path = layer.scope[:depth]
                if around[:depth] != path and path in self.scopes:
                    yield self._scope_row(self.scopes[path]), self.scopes[path]
            around = layer.scope
            yield self._layer_row(layer, nodes), layer
        yield from ((_idle_row(layer), layer) for layer in idle)

    def _idle(self) -> list[Layer]:
        """Layers that compute nothing, such as a linear Activation, in the file's order."""
        models = {scope.layer for scope in self.model.scopes}
        return [
            layer
            for layer in self.model.layers
            if layer not in self.calls and layer not in models and layer.class_name != "InputLayer"
        ]

    def _scope_row(self, scope: Scope) -> LayerRow:
        return LayerRow(
            name=scope.layer.name,
            class_name=scope.layer.source_class or scope.layer.class_name,
            operation=scope.layer.source_class or scope.layer.class_name,
            path=_names(scope.path[:-1]),
            inputs=tuple(self.makers.get(value, value.name) for value in scope.inputs),
            reads=self._reads(scope.inputs),
            outputs=tuple(str(value.layout) for value in scope.outputs),
        )

    def _layer_row(self, layer: Layer, nodes: list[Node]) -> LayerRow:
        made = {value for node in nodes for value in node.results}
        read = [v for n in nodes for v in n.inputs if v is not None and v not in made]
        inputs = tuple(dict.fromkeys(self.makers.get(value, value.name) for value in read))
        reads = self._reads(read)
        self.makers.update(dict.fromkeys(made, layer.name))
        self.places.update(dict.fromkeys(made, self.place))
        main, last = main_node(nodes), [node for node in nodes if node.part != "mask"][-1]
        params = [(node, port, p) for node in nodes for port, p in node.params.items()]
        owner = next((self.owners[p.weight] for _, _, p in params if p.weight in self.owners), "")
        for _, _, param in params:
            self.owners.setdefault(param.weight, layer.name)
        return LayerRow(
            name=layer.name,
            class_name=layer.source_class or layer.class_name,
            op=main.op.kind,
            operation=operation(layer, nodes),
            path=_names(layer.scope),
            inputs=inputs,
            reads=reads,
            outputs=tuple(str(value.layout) for value in self._results(last)),
            attributes=_attributes(main, nodes),
            weights=() if owner else tuple(_weight_row(*use) for use in params),
            same_as=owner,
        )

    def _reads(self, values: Iterable[Value]) -> tuple[int, ...]:
        return tuple(dict.fromkeys(self.places[v] for v in values if v in self.places))

    def _results(self, node: Node) -> list[Value]:
        """The results that something reads, or that the model gives; the first if there is none."""
        return [value for value in node.results if value in self.used] or list(node.results[:1])


def _weight_row(node: Node, port: str, param: Param) -> WeightRow:
    weight = param.weight
    layouts = tuple(stored.layout for stored in param.stored)
    names = axis_names(node, port, layouts)
    return WeightRow(
        name=port,
        stored=tuple(source.where.partition(":")[2] or source.where for source in weight.sources),
        dtype=str(weight.dtype),
        shape=weight.sources[0].shape,
        layout=show(layouts[0].terms, True, names),
        parameters=weight.count,
        trainable=weight.trainable,
    )


def _idle_row(layer: Layer) -> LayerRow:
    name = layer.source_class or layer.class_name
    return LayerRow(
        name=layer.name, class_name=name, operation=layer.class_name, path=_names(layer.scope)
    )


def _attributes(main: Node, nodes: list[Node]) -> dict[str, Any]:
    found = settings(main.op)
    for node in nodes:
        if node.part == "activation" and node is not main:
            found["activation"] = node.op.kind.lower()
    return found


def _names(scope: tuple[str, ...]) -> tuple[str, ...]:
    """The names of nested models without the numbers of their calls."""
    return tuple(part.partition("#")[0] for part in scope)
