"""A finished draft as an ONNX model: everything but the numbers of weights."""

from __future__ import annotations

import math
import struct
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from ...errors import ExportError, show
from . import wire
from .dims import Shape
from .draft import Body, Constant, Draft, Edge, Function, OnnxNode
from .functions import DOMAIN
from .opsets import ir_version
from .pen import ONNX_TYPES
from .wire import message
from .writer import Frame

PACKED: Mapping[str, str] = {
    "float16": "e",
    "float32": "f",
    "float64": "d",
    "bool": "?",
    "int8": "b",
    "int16": "h",
    "int32": "i",
    "int64": "q",
    "uint8": "B",
    "uint16": "H",
    "uint32": "I",
    "uint64": "Q",
}
"""How `struct` packs numbers of each dtype."""

LARGEST: Mapping[str, float] = {"float16": 65519.0, "float32": 3.4028235677e38}
"""What is above that rounds to infinity."""

ATTRIBUTES: Mapping[type, tuple[str, str]] = {
    int: ("i", "ints"),
    float: ("f", "floats"),
    str: ("s", "strings"),
}
"""AttributeProto's field for a Python value, and the field for several."""

PLUGIN_VERSION = 1
"""Version stated for operator domains that are not ONNX' own."""


def model_frame(
    draft: Draft, *, name: str, producer: str, version: str, doc: str, metadata: Mapping[str, str]
) -> Frame:
    """The model without its weights.

    Args:
        draft: Finished.
        name: Of the graph.
        producer: Who writes it.
        version: Of the producer.
        doc: Of the model.
        metadata: For `metadata_props`.

    Raises:
        ExportError: A number does not fit.
    """
    model = message(
        wire.MODEL,
        ir_version=ir_version(draft.opset),
        producer_name=producer,
        producer_version=version,
        doc_string=doc,
        opset_import=_imports(draft.opset, draft.nodes),
        metadata_props=[
            message(wire.ENTRY, key=key, value=value) for key, value in metadata.items()
        ],
        functions=[_function(part, draft.opset) for part in draft.functions],
    )
    stored = [_tensor(constant) for constant in draft.constants]
    graph = _graph(name or "model", draft.inputs, draft.nodes, draft.outputs, stored)
    return Frame(model, graph, frozenset(held.edge.name for held in draft.constants))


def _imports(opset: int, nodes: Iterable[OnnxNode]) -> list[bytes]:
    """The operator domains that nodes are of."""
    others = sorted({node.domain for node in _all_nodes(nodes)} - {""})
    versions = {"": opset, **dict.fromkeys(others, PLUGIN_VERSION)}
    return [
        message(wire.OPERATOR_SET, domain=domain, version=number)
        for domain, number in versions.items()
    ]


def _function(part: Function, opset: int) -> bytes:
    return message(
        wire.FUNCTION,
        name=part.name,
        input=[edge.name for edge in part.inputs],
        output=[edge.name for edge in part.outputs],
        node=[*map(_constant, part.constants), *map(_node, part.nodes)],
        opset_import=_imports(opset, part.nodes),
        domain=DOMAIN,
    )


def _constant(constant: Constant) -> bytes:
    """A constant of a function, which holds no initializers."""
    name = constant.edge.name
    value = _attribute_of("value", "t", _tensor(constant))
    return message(wire.NODE, output=[name], name=name, op_type="Constant", attribute=[value])


def _all_nodes(nodes: Iterable[OnnxNode]) -> Iterable[OnnxNode]:
    for node in nodes:
        yield node
        for value in node.attributes.values():
            if isinstance(value, Body):
                yield from _all_nodes(value.nodes)


def _graph(
    name: str,
    inputs: Sequence[Edge],
    nodes: Sequence[OnnxNode],
    outputs: Sequence[Edge],
    initializers: Sequence[bytes] = (),
) -> bytes:
    """Nodes, and the type of every tensor."""
    given = set(outputs)
    made = (edge for node in nodes for edge in node.outputs if edge is not None)
    return message(
        wire.GRAPH,
        node=[_node(node) for node in nodes],
        name=name,
        initializer=initializers,
        input=[_value(edge) for edge in inputs],
        output=[_value(edge) for edge in outputs],
        value_info=[_value(edge) for edge in made if edge not in given],
    )


def _value(edge: Edge) -> bytes:
    with _fitting(edge.name):
        kind = _type(edge.dtype, edge.shape)
    return message(wire.VALUE, name=edge.name, type=kind, doc_string=edge.doc or None)


@lru_cache(maxsize=1024)
def _type(dtype: str, dims: Shape) -> bytes:
    """The type of a tensor; no dimensions at all is a shape too."""
    said = ({"dim_value" if isinstance(dim, int) else "dim_param": dim} for dim in dims)
    shape = message(wire.SHAPE, dim=[message(wire.DIMENSION, **dim) for dim in said])
    tensor = message(wire.TENSOR_TYPE, elem_type=ONNX_TYPES[dtype], shape=shape)
    return message(wire.TYPE, tensor_type=tensor)


def _node(node: OnnxNode) -> bytes:
    with _fitting(node.name):
        attributes = [_attribute(key, value) for key, value in sorted(node.attributes.items())]
    return message(
        wire.NODE,
        input=["" if edge is None else edge.name for edge in node.inputs],
        output=["" if edge is None else edge.name for edge in node.outputs],
        name=node.name,
        op_type=node.op_type,
        attribute=attributes,
        doc_string=node.doc or None,
        domain=node.domain or None,
    )


def _attribute(name: str, value: Any) -> bytes:
    if isinstance(value, Body):
        body = _graph(value.name, value.inputs, value.nodes, value.outputs)
        return _attribute_of(name, "g", body)
    listed = isinstance(value, tuple)
    items = list(value) if listed else [value]
    one, several = ATTRIBUTES[type(items[0])]
    if one == "f":
        items = [_rounded(item, "float32") for item in items]
    return _attribute_of(name, several, items) if listed else _attribute_of(name, one, items[0])


def _attribute_of(name: str, field: str, value: Any) -> bytes:
    kind = wire.ATTRIBUTE_TYPES[field]
    return message(wire.ATTRIBUTE, name=name, **{field: value}, type=kind)


def _tensor(constant: Constant) -> bytes:
    edge = constant.edge
    with _fitting(edge.name):
        return message(
            wire.TENSOR,
            dims=[dim for dim in edge.shape if isinstance(dim, int)],
            data_type=ONNX_TYPES[edge.dtype],
            name=edge.name,
            raw_data=_packed(constant.values, edge.dtype),
        )


def _packed(values: Sequence[float], dtype: str) -> bytes:
    """Numbers as they lie in a file, little-endian."""
    if dtype == "bfloat16":  # the upper halves of float32, rounded to the nearest, ties to even
        words = struct.unpack(f"<{len(values)}I", _packed(values, "float32"))
        halves = ((word + 0x7FFF + (word >> 16 & 1)) >> 16 for word in words)
        return struct.pack(f"<{len(values)}H", *halves)
    pack = struct.Struct(f"<{PACKED[dtype]}").pack
    return b"".join(pack(_rounded(value, dtype)) for value in values)


def _rounded(value: float, dtype: str) -> float:
    """The number, or infinity where a float of that size holds no number so large."""
    largest = LARGEST.get(dtype)
    if largest is None or not largest < abs(value) < math.inf:
        return value
    return math.copysign(math.inf, value)


@contextmanager
def _fitting(name: str) -> Generator[None, None, None]:
    """Say where a number is that is too large for the protocol: a file may state any."""
    try:
        yield
    except (ValueError, OverflowError, struct.error) as error:
        raise ExportError(
            f"a number does not fit into ONNX: {show(str(error))}", where=show(name)
        ) from error
