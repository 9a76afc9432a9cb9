"""Operations on tensors in functional graphs: of Keras 3, and TensorFlow's in tf.keras.

What an operation is called, and what its arguments are, say tables (`eras.operations`,
`eras.tensorflow`); what it does, a function for each kind (`numeric_operations`,
`placing_operations`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ....eras.operations import KERAS3, UNREAD, Meaning
from ....eras.tensorflow import NODES, TENSORFLOW
from ....errors import ConfigError, UnsupportedLayerError
from ....ir.graph import Value
from ....ir.ops.maths import Function
from ..archive.text import parse_object
from ..call import LayerCall
from ..constants import number
from ..registry import Config, translates
from . import OPERATION
from .numeric_operations import OF_NUMBERS
from .operands import Arguments, Kind, Results, tensor
from .placing_operations import OF_PLACES

OPERATIONS: Mapping[str, Kind] = {**OF_NUMBERS, **OF_PLACES}

SILENT = (None, False)
"""Values of further arguments that ask for nothing."""


class FunctionConfig(Config, frozen=True, kw_only=True):
    """What TFOpLambda reads."""

    function: str


class NodeConfig(Config, frozen=True, kw_only=True):
    """What TensorFlowOpLayer reads."""

    node_def: Any
    constants: Mapping[str, Any] = {}


def _run(call: LayerCall, meaning: Meaning, operands: Sequence[Any], given: Arguments) -> Results:
    """The operation, of operands in order and other arguments in the words of Keras 3."""
    kind = OPERATIONS.get(meaning.name)
    known = frozenset(meaning.attributes) if kind is None else kind.arguments
    told = {key: value for key, value in given.items() if key in known}
    others = [key for key in given if key not in known | UNREAD and given[key] not in SILENT]
    if others:
        raise ConfigError(f"{call.name} has {others[0]!r:.80}, which kerasir does not know")
    if kind is None:
        return _elementwise(call, meaning, operands, told)
    return kind.translate(call, operands, told)


def _elementwise(
    call: LayerCall, meaning: Meaning, operands: Sequence[Any], given: Arguments
) -> Value:
    x = tensor(operands)
    stated = {meaning.attributes[key]: value for key, value in given.items()}
    numbers = {key: number(value) for key, value in stated.items() if value is not None}
    if None in numbers.values():
        raise ConfigError(f"{call.class_name} with arguments that are no numbers")
    assert meaning.op is not None
    op = msgspec.structs.replace(meaning.op, **numbers)
    truth = isinstance(op, Function) and op.function in TRUTHS
    return call.add(op, [x], call.axes(x), dtypes=("bool",) if truth else ()).result


TRUTHS = frozenset({"isnan", "isinf", "isfinite"})
"""Functions that give truth values."""


for _class, _meaning in KERAS3.items():

    def _of_keras3(call: LayerCall, *inputs: Value, meaning: Meaning = _meaning) -> Results:
        arguments = {**call.layer.config, **call.given.kwargs}
        return _run(call, meaning, call.given.args, arguments)

    translates(OPERATION + _class, free=True)(_of_keras3)


def _bound(meaning: Meaning, args: Sequence[Any], given: Arguments) -> tuple[list[Any], Arguments]:
    """Operands and other arguments, told apart by name; those in the words of Keras 3."""
    kind = OPERATIONS.get(meaning.name)
    known = frozenset[str]() if kind is None else kind.arguments
    if len(args) > len(meaning.arguments):
        return [*args], given
    named = {**dict(zip(meaning.arguments, args, strict=False)), **given}
    if meaning.op is None:
        named = {meaning.attributes.get(key, key): value for key, value in named.items()}
    own = [n for n in meaning.arguments if n in named and n not in known | UNREAD]
    operands = [named.pop(name) for name in own]
    return operands, named


OLD_NAMES = "compat.v1."
"""Before the names of functions that TensorFlow 1 had already."""


@translates("TFOpLambda", "SlicingOpLambda", config=FunctionConfig, free=True)
def tensorflow_function(call: LayerCall, *inputs: Value) -> Results:
    """A function of TensorFlow that was called on the tensors of a tf.keras model."""
    config: FunctionConfig = call.config  # type: ignore[assignment]
    name = config.function
    meaning = TENSORFLOW.get(name) or TENSORFLOW.get(name.removeprefix(OLD_NAMES))
    if meaning is None:
        raise UnsupportedLayerError(f"TensorFlow's function {config.function!r:.80} is not known")
    return _run(call, meaning, *_bound(meaning, call.given.args, call.given.kwargs))


@translates("TensorFlowOpLayer", config=NodeConfig, free=True)
def tensorflow_node(call: LayerCall, *inputs: Value) -> Results:
    """A node of TensorFlow's graph, with its constants by their place among the operands."""
    config: NodeConfig = call.config  # type: ignore[assignment]
    node = config.node_def
    if isinstance(node, str):
        node = parse_object(node, "node_def")
    kind = node.get("op") if isinstance(node, Mapping) else None
    meaning = NODES.get(str(kind))
    if meaning is None:
        raise UnsupportedLayerError(f"TensorFlow's operator {kind!r:.80} is not known")
    operands: list[Any] = list(inputs)
    for place, value in _placed(config.constants):
        operands.insert(place, value)
    flags = {"keepdims": "keep_dims", "transpose_a": "adj_x", "transpose_b": "adj_y"}
    told = {name: True for name, flag in flags.items() if _flag(node, flag)}
    return _run(call, meaning, *_bound(meaning, operands, told))


def _placed(constants: Mapping[str, Any]) -> list[tuple[int, Any]]:
    """Constants by their place; JSON has texts for keys."""
    if not all(key.isdecimal() and len(key) < 4 for key in constants):
        raise ConfigError(f"constants at {sorted(constants)!r:.80}")
    return sorted(((int(key), constants[key]) for key in constants), key=lambda pair: pair[0])


def _flag(node: Mapping[str, Any], name: str) -> bool:
    attributes = node.get("attr")
    stated = attributes.get(name) if isinstance(attributes, Mapping) else None
    return isinstance(stated, Mapping) and stated.get("b") is True
