"""The semantic graph: values, nodes, nested models. It holds what is meant and no chosen layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from .layout import Layout, Term, Terms
from .op import Op
from .signature import REST, Pattern
from .tensor import Param, Weight


class Value:
    """One activation. Identity matters, so this is no record.

    Attributes:
        name: For messages and the text form.
        axes: Its axes, in the order in which the model's author counted positions.
        dtype: Of its numbers: `float32`, `bool` for a mask, `int32` for indices.
    """

    __slots__ = ("axes", "dtype", "name")

    def __init__(self, name: str, axes: Terms, dtype: str = "float32") -> None:
        self.name, self.axes, self.dtype = name, axes, dtype

    @property
    def layout(self) -> Layout:
        """The author's order."""
        return Layout(self.axes)

    def __repr__(self) -> str:
        return f"<Value {self.name} {self.layout}>"


class Layer(msgspec.Struct, frozen=True, eq=False):
    """What the file said of the layer that a node came from: written back by the exporters.

    Attributes:
        name: As in the file.
        class_name: The newest name of its class; `source_class` is the one stored.
        config: Its configuration in the newest vocabulary, whole.
        scope: Names of the nested models around it, outermost first, each with the number of
            the call: the path of the node's `Call`s.
        wrappers: Layers around it that repeat it (TimeDistributed), outermost first.
    """

    name: str
    class_name: str
    config: Mapping[str, Any] = {}
    source_class: str = ""
    scope: tuple[str, ...] = ()
    wrappers: tuple[Layer, ...] = ()


class Node:
    """An op applied to values.

    Attributes:
        name: Unique in the graph.
        op: What is computed.
        inputs: One value per input port, None where an optional one is absent; variadic ports
            come last and take what is left.
        results: One value per result port.
        axes: The terms of each binding of the op's ports.
        params: Weights by port name.
        layer: Where the node came from; None for nodes that a pass made.
        part: Which part of its layer the node is: "" for the main one, "activation", "mask".
    """

    __slots__ = ("axes", "inputs", "layer", "name", "op", "params", "part", "results")

    def __init__(
        self,
        name: str,
        op: Op,
        inputs: Sequence[Value | None],
        results: Sequence[Value],
        axes: Mapping[str, Terms] | None = None,
        params: Mapping[str, Param] | None = None,
        layer: Layer | None = None,
        part: str = "",
    ) -> None:
        self.name, self.op, self.layer, self.part = name, op, layer, part
        self.inputs, self.results = tuple(inputs), tuple(results)
        self.axes: dict[str, Terms] = dict(axes or {})
        self.params: dict[str, Param] = dict(params or {})

    @property
    def result(self) -> Value:
        """The first result."""
        return self.results[0]

    def bound(self, name: str) -> Terms:
        """The terms of a binding in the author's order; `...` is what no other binding has."""
        return self.axes[name] if name != REST else self.axes.get(REST, ())

    def param_layout(self, name: str, pattern: str | None = None) -> Layout:
        """A parameter's declared layout (or that of `pattern`), in the author's inner order."""
        declared = self.op.port(name).pattern if pattern is None else Pattern.parse(pattern)
        return Layout(declared.build(self.axes))

    def __repr__(self) -> str:
        return f"<Node {self.name}: {self.op.kind}>"


class Graph:
    """Nodes in an order of execution, with the model's inputs and outputs.

    Attributes:
        inputs: Values that the caller feeds, in order.
        nodes: Every node behind its inputs.
        outputs: Values that the caller gets, in order; a value may come twice.
        output_names: A name per output.
    """

    __slots__ = ("inputs", "nodes", "output_names", "outputs")

    def __init__(
        self,
        inputs: Sequence[Value],
        nodes: Sequence[Node],
        outputs: Sequence[Value],
        output_names: Sequence[str] = (),
    ) -> None:
        self.inputs, self.nodes, self.outputs = tuple(inputs), tuple(nodes), tuple(outputs)
        self.output_names = tuple(output_names) or tuple(value.name for value in outputs)

    def weights(self) -> Iterator[Weight]:
        """Every weight once, in the order of first use."""
        seen: set[Weight] = set()
        for node in self.nodes:
            for param in node.params.values():
                if param.weight not in seen:
                    seen.add(param.weight)
                    yield param.weight

    def values(self) -> Iterator[Value]:
        """Every value once: inputs, then results in order."""
        yield from self.inputs
        for node in self.nodes:
            yield from node.results

    def consumers(self) -> dict[Value, list[Node]]:
        """The nodes that read each value."""
        found: dict[Value, list[Node]] = {value: [] for value in self.values()}
        for node in self.nodes:
            for value in dict.fromkeys(node.inputs):
                if value is not None:
                    found[value].append(node)
        return found


def term_at(value: Value, axis: int, batch: int = 1) -> Term:
    """The term at a position as Keras counts it, the batch being 0.

    Args:
        value: The activation.
        axis: Position; negative from the end.
        batch: How many leading terms Keras counts as the batch.
    """
    return value.axes[axis if axis < 0 else axis + batch - 1]


def joined_position(node: Node) -> int | None:
    """Where the joined axis of a join stands, in the author's order; None for other ops."""
    if node.op.rule != "join":
        return None
    return node.result.axes.index(node.axes["joined"][0])
