"""The states of stateful layers as inputs and outputs: for targets that keep none themselves."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..ir.graph import Graph, Node, Value
from ..ir.model import Model
from ..ir.ops.recurrent import GRU, LSTM, ConvLSTM, SimpleRNN
from .registry import Target, model_pass

FIRST_STATE = 2
"""The input port of the first initial state, of every recurrent op; its last state is result 1."""

WORDS = ("h", "c")


@model_pass(data="-")
def expose_states(model: Model, target: Target) -> Model:
    """Make the states of stateful layers inputs and outputs of the model.

    A layer `lstm_1` gets the inputs `lstm_1_state_h_in` and `lstm_1_state_c_in` and the outputs
    `lstm_1_state_h_out`, `lstm_1_state_c_out`; one with a single state `gru_1_state_in` and
    `gru_1_state_out`. What comes out of one call is fed to the next; zeros begin. A layer whose
    initial states the model computes keeps them.
    """
    return with_states(model)


def with_states(model: Model) -> Model:
    """The model with every state that a call leaves behind as an input and an output."""
    graph = model.graph
    if not any(_keeps(node) for node in graph.nodes):
        return model
    inputs, outputs = list(graph.inputs), list(graph.outputs)
    names, nodes = list(graph.output_names), list[Node]()
    for node in graph.nodes:
        if _keeps(node):
            states = node.results[1:]
            called = [f"{node.name}_state{word}" for word in _words(states)]
            fed = [
                Value(f"{name}_in", value.axes, value.dtype)
                for name, value in zip(called, states, strict=True)
            ]
            inputs += fed
            outputs += states
            names += [f"{name}_out" for name in called]
            nodes.append(_fed(node, fed))
        else:
            nodes.append(node)
    return msgspec.structs.replace(model, graph=Graph(inputs, nodes, outputs, names))


def states_of(graph: Graph) -> int:
    """How many of the last inputs and outputs are states that `with_states` has exposed."""
    fed = {
        value.name
        for node in graph.nodes
        if _stateful(node)
        for value in node.inputs[FIRST_STATE:]
        if value is not None
    }
    given = {name.removesuffix("_out") for name in graph.output_names if name.endswith("_out")}
    named = (value.name for value in graph.inputs if value.name.endswith("_in"))
    return sum(name in fed and name.removesuffix("_in") in given for name in named)


def _stateful(node: Node) -> bool:
    return isinstance(node.op, (LSTM, GRU, SimpleRNN, ConvLSTM)) and node.op.stateful


def _keeps(node: Node) -> bool:
    """Whether a node's state would be lost between calls."""
    return _stateful(node) and not any(node.inputs[FIRST_STATE:])


def _words(states: Sequence[Value]) -> list[str]:
    return [""] if len(states) == 1 else [f"_{word}" for word in WORDS]


def _fed(node: Node, states: Sequence[Value]) -> Node:
    return Node(
        node.name,
        node.op,
        (*node.inputs[:FIRST_STATE], *states),
        node.results,
        node.axes,
        node.params,
        node.layer,
        node.part,
    )
