"""A finished draft as ONNX messages: everything but the numbers of weights."""

from __future__ import annotations

import math
import struct
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ...errors import ExportError, show
from .draft import Body, Constant, Draft, Edge, OnnxNode
from .functions import DOMAIN
from .opsets import ir_version
from .pen import ONNX_TYPES

if TYPE_CHECKING:
    from onnx import (
        AttributeProto,
        FunctionProto,
        GraphProto,
        ModelProto,
        NodeProto,
        TensorProto,
        ValueInfoProto,
    )

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

ATTRIBUTES: Mapping[type, tuple[str, str, str]] = {
    int: ("INT", "i", "ints"),
    float: ("FLOAT", "f", "floats"),
    str: ("STRING", "s", "strings"),
}
"""AttributeProto's type and field for a Python value, and the field for several."""

PLUGIN_VERSION = 1
"""Version stated for operator domains that are not ONNX' own."""


def model_proto(
    draft: Draft, *, name: str, producer: str, version: str, doc: str, metadata: Mapping[str, str]
) -> ModelProto:
    """The model.

    Args:
        draft: Finished.
        name: Of the graph.
        producer: Who writes it.
        version: Of the producer.
        doc: Of the model.
        metadata: For `metadata_props`.
    """
    from onnx import ModelProto

    model = ModelProto(
        ir_version=ir_version(draft.opset),
        producer_name=producer,
        producer_version=version,
        doc_string=readable(doc),
    )
    model.opset_import.add(domain="", version=draft.opset)
    _import(model, draft.nodes)
    for part in draft.functions:
        function = model.functions.add(name=part.name, domain=DOMAIN)
        function.input.extend(edge.name for edge in part.inputs)
        function.output.extend(edge.name for edge in part.outputs)
        function.opset_import.add(domain="", version=draft.opset)
        _import(function, part.nodes)
        function.node.extend(map(_constant, part.constants))
        function.node.extend(map(_node, part.nodes))
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=readable(value))
    graph = model.graph
    graph.name = readable(name) or "model"
    _fill(graph, draft.inputs, draft.nodes, draft.outputs)
    graph.initializer.extend(_tensor(constant) for constant in draft.constants)
    return model


def _import(message: ModelProto | FunctionProto, nodes: Iterable[OnnxNode]) -> None:
    """State the operator domains that are not ONNX' own."""
    for domain in sorted({node.domain for node in _all_nodes(nodes)} - {""}):
        message.opset_import.add(domain=domain, version=PLUGIN_VERSION)


def _constant(constant: Constant) -> NodeProto:
    """A constant of a function, which holds no initializers."""
    from onnx import AttributeProto, NodeProto

    name = constant.edge.name
    value = AttributeProto(name="value", type=AttributeProto.TENSOR, t=_tensor(constant))
    return NodeProto(op_type="Constant", name=name, output=[name], attribute=[value])


def readable(text: str) -> str:
    """The text in good UTF-8, as protobuf wants it."""
    return text.encode("utf-8", "replace").decode()


def _all_nodes(nodes: Iterable[OnnxNode]) -> Iterable[OnnxNode]:
    for node in nodes:
        yield node
        for value in node.attributes.values():
            if isinstance(value, Body):
                yield from _all_nodes(value.nodes)


def _fill(
    graph: GraphProto, inputs: Sequence[Edge], nodes: Sequence[OnnxNode], outputs: Sequence[Edge]
) -> None:
    """Nodes, and the type of every tensor."""
    graph.input.extend(map(_value, inputs))
    graph.output.extend(map(_value, outputs))
    given = set(outputs)
    for node in nodes:
        with _fitting(node.name):
            graph.node.append(_node(node))
        between = (edge for edge in node.outputs if edge is not None and edge not in given)
        graph.value_info.extend(map(_value, between))


def _value(edge: Edge) -> ValueInfoProto:
    from onnx import ValueInfoProto

    value = ValueInfoProto(name=edge.name, doc_string=readable(edge.doc))
    kind = value.type.tensor_type
    kind.elem_type = ONNX_TYPES[edge.dtype]
    kind.shape.SetInParent()  # no dimensions at all is a shape too
    with _fitting(edge.name):
        for dim in edge.shape:
            if isinstance(dim, int):
                kind.shape.dim.add(dim_value=dim)
            else:
                kind.shape.dim.add(dim_param=readable(dim))
    return value


def _node(node: OnnxNode) -> NodeProto:
    from onnx import NodeProto

    return NodeProto(
        op_type=node.op_type,
        domain=node.domain,
        name=node.name,
        input=["" if edge is None else edge.name for edge in node.inputs],
        output=["" if edge is None else edge.name for edge in node.outputs],
        attribute=[_attribute(key, value) for key, value in sorted(node.attributes.items())],
        doc_string=readable(node.doc),
    )


def _attribute(name: str, value: Any) -> AttributeProto:
    from onnx import AttributeProto

    if isinstance(value, Body):
        found = AttributeProto(name=name, type=AttributeProto.GRAPH)
        found.g.name = readable(value.name)
        _fill(found.g, value.inputs, value.nodes, value.outputs)
        return found
    listed = isinstance(value, tuple)
    items = list(value) if listed else [value]
    kind, field, fields = ATTRIBUTES[type(items[0])]
    if kind == "STRING":
        items = [readable(item).encode() for item in items]
    found = AttributeProto(name=name)
    found.type = AttributeProto.AttributeType.Value(f"{kind}S" if listed else kind)
    if listed:
        getattr(found, fields).extend(items)
    else:
        setattr(found, field, items[0])
    return found


def _tensor(constant: Constant) -> TensorProto:
    from onnx import TensorProto

    edge = constant.edge
    with _fitting(edge.name):
        return TensorProto(
            name=edge.name,
            dims=[dim for dim in edge.shape if isinstance(dim, int)],
            data_type=ONNX_TYPES[edge.dtype],
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
