"""Nodes of TensorFlow's graph that tf.keras of 1.13 to 2.3 keeps as layers (TensorFlowOpLayer)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from ....eras.tensorflow_nodes import NODES
from ....errors import ConfigError, UnsupportedLayerError
from ....ir.graph import Value
from ..archive.text import parse_object
from ..call import LayerCall
from ..registry import Config, translates
from .operands import Results
from .operations import bound, run


class NodeConfig(Config, frozen=True, kw_only=True):
    """What TensorFlowOpLayer reads."""

    node_def: Any
    constants: Mapping[str, Any] = {}


@translates("TensorFlowOpLayer", config=NodeConfig, free=True)
def tensorflow_node(call: LayerCall, *inputs: Value) -> Results:
    """A node of TensorFlow's graph, with its constants by their place among the operands."""
    config: NodeConfig = call.config  # type: ignore[assignment]
    node = config.node_def
    if isinstance(node, str):
        node = parse_object(node, "node_def")
    kind = node.get("op") if isinstance(node, Mapping) else None
    operator = NODES.get(str(kind))
    if operator is None:
        raise UnsupportedLayerError(f"TensorFlow's operator {kind!r:.80} is not known")
    operands: list[Any] = list(inputs)
    for place, value in _placed(config.constants):
        operands.insert(place, value)
    if operator.listed:
        cut = len(operands) - operator.behind
        operands = [operands[:cut], *operands[cut:]]
    stated = {name: _attribute(node, key) for name, key in operator.reads.items()}
    told = {name: value for name, value in stated.items() if value is not None}
    return run(call, operator.meaning, *bound(operator.meaning, operands, told))


def _placed(constants: Mapping[str, Any]) -> list[tuple[int, Any]]:
    """Constants by their place; JSON has texts for keys."""
    if not all(key.isdecimal() and len(key) < 4 for key in constants):
        raise ConfigError(f"constants at {sorted(constants)!r:.80}")
    return sorted(((int(key), constants[key]) for key in constants), key=lambda pair: pair[0])


def _attribute(node: Mapping[str, Any], name: str) -> Any:
    """What a node says of itself; None where it is silent.

    Source: TensorFlow `core/framework/attr_value.proto`, as protocol buffers write JSON: whole
    numbers as texts, bytes in base64.
    """
    attributes = node.get("attr")
    stated = attributes.get(name) if isinstance(attributes, Mapping) else None
    if not isinstance(stated, Mapping) or len(stated) != 1:
        return None
    ((kind, value),) = stated.items()
    return _plain(kind, value, name)


def _plain(kind: str, value: Any, name: str) -> Any:
    if kind == "list" and isinstance(value, Mapping) and len(value) <= 1:
        return [_plain(of, one, name) for of, items in value.items() for one in items]
    try:
        if kind == "i":
            return int(value)
        if kind == "s":
            return base64.b64decode(value, validate=True).decode()
        if kind == "type":
            return TYPES[value]
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise ConfigError(f"{name!r:.80} of a node is {value!r:.80}") from None
    if kind in {"b", "f"} and isinstance(value, bool | int | float):
        return value
    raise ConfigError(f"{name!r:.80} of a node is {value!r:.80}")


TYPES: Mapping[str, str] = {
    "DT_HALF": "float16",
    "DT_BFLOAT16": "bfloat16",
    "DT_FLOAT": "float32",
    "DT_DOUBLE": "float64",
    "DT_BOOL": "bool",
    "DT_INT8": "int8",
    "DT_UINT8": "uint8",
    "DT_INT16": "int16",
    "DT_INT32": "int32",
    "DT_INT64": "int64",
}
"""TensorFlow's names of dtypes."""
