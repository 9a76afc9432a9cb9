"""Values that are one object in a Keras run, since layers hand their very input on."""

from __future__ import annotations

from collections.abc import Iterable, Set as AbstractSet

from .graph import Node, Value
from .ops.activation import Linear, TrainingOnly


def one_object(nodes: Iterable[Node], value: Value) -> AbstractSet[Value]:
    """A value and all that is the same tensor where Keras predicts.

    What is done to the tensor itself, such as taking its mask off, is done to all of them.
    Source: Keras 3.15 `layers/regularization/dropout.py`, `layers/core/identity.py`,
    `activations/activations.py` (`linear`), which return their argument.

    Args:
        nodes: In an order of execution.
        value: One of their results, or an input.
    """
    group = {value: {value}}
    for node in nodes:
        source = node.inputs[0] if node.inputs else None
        if isinstance(node.op, (Linear, TrainingOnly)) and source is not None:
            held = group.setdefault(source, {source})
            held.add(node.result)
            group[node.result] = held
    return group[value]
