"""A graph being rewritten: who makes a value, who reads it, and nodes replaced in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from ..ir.graph import Graph, Node, Value
from ..ir.model import Model, Scope
from ..ir.op import Op
from ..ir.tensor import Param, Weight

OTHER = "~inner"
"""Behind the name of a value that the model as it was read does not have."""


class Rewriting:
    """The nodes of a model, to be replaced and removed; `model` gives the new one."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._nodes: dict[Node, Node | None] = {node: node for node in model.graph.nodes}
        self._first = {node: node for node in model.graph.nodes}
        self._makers = {value: node for node in model.graph.nodes for value in node.results}
        self._readers: dict[Value, dict[Node, None]] = {}
        self._users: dict[Weight, dict[Node, None]] = {}
        self._outputs = set(model.graph.outputs)
        self._gone: dict[Value, Value] = {}
        for node in model.graph.nodes:
            self._register(node)

    def walk(self) -> Iterator[Node]:
        """The nodes in order, each as it is when its turn comes."""
        for node in self._nodes.values():
            if node is not None:
                yield node

    def walk_back(self) -> Iterator[Node]:
        """The same from the last one on: what a node is folded into has had its turn."""
        for node in reversed(self._nodes.values()):
            if node is not None:
                yield node

    def maker(self, value: Value | None) -> Node | None:
        """The node that makes a value; None for an input of the model."""
        return None if value is None else self._makers.get(value)

    def readers(self, value: Value) -> list[Node]:
        """The nodes that read a value."""
        return list(self._readers.get(value, ()))

    def users(self, weight: Weight) -> list[Node]:
        """The nodes that have a weight as parameter."""
        return list(self._users.get(weight, ()))

    def is_used(self, value: Value) -> bool:
        """Whether a node reads a value, or the caller gets it."""
        return bool(self._readers.get(value)) or value in self._outputs

    def is_output(self, value: Value) -> bool:
        """Whether the caller gets it."""
        return value in self._outputs

    def only_reader(self, value: Value) -> Node | None:
        """The one node that reads a value; None if there are others, or the caller gets it."""
        readers = self._readers.get(value, {})
        return next(iter(readers)) if len(readers) == 1 and value not in self._outputs else None

    def replace(self, old: Node, new: Node) -> None:
        """Put a node where another was. What the old one alone made is made no more."""
        first = self._first.pop(old)
        self._first[new], self._nodes[first] = first, new
        self._unregister(old)
        self._register(new)

    def drop(self, node: Node) -> None:
        """Take out a node whose results nobody uses."""
        self._nodes[self._first.pop(node)] = None
        self._unregister(node)

    def remove(self, node: Node, instead: Value) -> None:
        """Take a node of one result out; who read that reads `instead` from now on."""
        self.drop(node)
        self.redirect(node.result, instead)

    def redirect(self, value: Value, instead: Value) -> None:
        """Have who reads a value read another; the same for outputs of the model."""
        self._gone[value] = instead
        for reader in self.readers(value):
            inputs = tuple(instead if each is value else each for each in reader.inputs)
            self.replace(reader, rebuilt(reader, inputs=inputs))
        if value in self._outputs:
            self._outputs.add(instead)

    def absorb(self, node: Node) -> None:
        """Take a node of one input and one result out; what made its input makes its result."""
        source = node.inputs[0]
        assert source is not None
        maker = self._makers[source]
        self.drop(node)
        self.replace(maker, rebuilt(maker, results=node.results))
        self._gone[source] = node.result

    def renew(self, value: Value) -> None:
        """Put a new value in the place of one that is made of other numbers from now on.

        A value's name says which of the model's it is; under that name nothing else may be found.
        """
        fresh = Value(f"{value.name}{OTHER}", value.axes, value.dtype)
        maker = self._makers[value]
        made = tuple(fresh if each is value else each for each in maker.results)
        self.replace(maker, rebuilt(maker, results=made))
        self.redirect(value, fresh)

    def model(self) -> Model:
        """The model as rewritten; the very same if nothing was."""
        nodes = tuple(self.walk())
        if nodes == self._model.graph.nodes:
            return self._model
        return with_nodes(self._model, nodes, self._gone)

    def _register(self, node: Node) -> None:
        for value in node.results:
            self._makers[value] = node
        for read in node.inputs:
            if read is not None:
                self._readers.setdefault(read, {})[node] = None
        for param in node.params.values():
            self._users.setdefault(param.weight, {})[node] = None

    def _unregister(self, node: Node) -> None:
        for value in node.results:
            if self._makers.get(value) is node:
                del self._makers[value]
        for read in node.inputs:
            if read is not None:
                self._readers[read].pop(node, None)
        for param in node.params.values():
            self._users[param.weight].pop(node, None)


def rebuilt(
    node: Node,
    *,
    op: Op | None = None,
    inputs: Sequence[Value | None] | None = None,
    results: Sequence[Value] | None = None,
    params: Mapping[str, Param] | None = None,
) -> Node:
    """A node like another in all that is not said."""
    return Node(
        node.name,
        node.op if op is None else op,
        node.inputs if inputs is None else inputs,
        node.results if results is None else results,
        node.axes,
        node.params if params is None else params,
        node.layer,
        node.part,
    )


def with_nodes(model: Model, nodes: Sequence[Node], gone: Mapping[Value, Value]) -> Model:
    """The model with other nodes.

    Args:
        model: The old one.
        nodes: In an order of execution.
        gone: What stands for values that are made no more.
    """

    def kept(values: Sequence[Value]) -> tuple[Value, ...]:
        return tuple(_last(value, gone) for value in values)

    graph = model.graph
    scopes = tuple(
        Scope(scope.path, scope.layer, kept(scope.inputs), kept(scope.outputs), scope.names)
        for scope in model.scopes
    )
    changed = Graph(graph.inputs, nodes, kept(graph.outputs), graph.output_names)
    return msgspec.structs.replace(model, graph=changed, scopes=scopes)


def _last(value: Value, gone: Mapping[Value, Value]) -> Value:
    while value in gone:
        value = gone[value]
    return value
