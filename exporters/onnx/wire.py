"""ONNX' messages as bytes: the fields of each, by name, in protobuf's wire format.

A few lines instead of the onnx package, which takes longer to import than a small model to
convert; and what is written then cannot depend on the release of onnx that happens to be there.

Source: onnx.proto of ONNX 1.23; protobuf.dev, "Encoding".
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache

Scalar = int | float | str | bytes
Field = Scalar | Sequence[Scalar] | None

MODEL = {
    "ir_version": 1, "producer_name": 2, "producer_version": 3, "doc_string": 6, "graph": 7,
    "opset_import": 8, "metadata_props": 14, "functions": 25,
}  # fmt: skip
OPERATOR_SET = {"domain": 1, "version": 2}
ENTRY = {"key": 1, "value": 2}
FUNCTION = {"name": 1, "input": 4, "output": 5, "node": 7, "opset_import": 9, "domain": 10}
GRAPH = {"node": 1, "name": 2, "initializer": 5, "input": 11, "output": 12, "value_info": 13}
NODE = {
    "input": 1, "output": 2, "name": 3, "op_type": 4, "attribute": 5, "doc_string": 6, "domain": 7,
}  # fmt: skip
ATTRIBUTE = {
    "name": 1, "f": 2, "i": 3, "s": 4, "t": 5, "g": 6, "floats": 7, "ints": 8, "strings": 9,
    "type": 20,
}  # fmt: skip
TENSOR = {
    "dims": 1, "data_type": 2, "name": 8, "raw_data": 9, "external_data": 13, "data_location": 14,
}  # fmt: skip
VALUE = {"name": 1, "type": 2, "doc_string": 3}
TYPE = {"tensor_type": 1}
TENSOR_TYPE = {"elem_type": 1, "shape": 2}
SHAPE = {"dim": 1}
DIMENSION = {"dim_value": 1, "dim_param": 2}

MESSAGES: Mapping[str, Mapping[str, int]] = {
    "ModelProto": MODEL, "OperatorSetIdProto": OPERATOR_SET, "StringStringEntryProto": ENTRY,
    "FunctionProto": FUNCTION, "GraphProto": GRAPH, "NodeProto": NODE, "AttributeProto": ATTRIBUTE,
    "TensorProto": TENSOR, "ValueInfoProto": VALUE, "TypeProto": TYPE,
    "TypeProto.Tensor": TENSOR_TYPE, "TensorShapeProto": SHAPE,
    "TensorShapeProto.Dimension": DIMENSION,
}  # fmt: skip
"""The numbers of the fields that are written, by message; a test compares them with onnx'."""

ATTRIBUTE_TYPES = {
    "f": 1, "i": 2, "s": 3, "t": 4, "g": 5, "floats": 6, "ints": 7, "strings": 8,
}  # fmt: skip
"""AttributeProto.AttributeType of each field of an attribute."""

EXTERNAL = 1
"""TensorProto.DataLocation: the numbers are in another file."""

VARINT, DELIMITED, FIXED32 = 0, 2, 5
"""Kinds of fields: a number; a length and so many bytes; a float."""

FLOAT = struct.Struct("<f")


def message(numbers: Mapping[str, int], **fields: Field) -> bytes:
    """A message.

    Args:
        numbers: Of its fields.
        fields: In the order of their numbers, as protobuf writes them. Bytes are messages within,
            or what they are; a list is a repeated field; None is not there.

    Raises:
        OverflowError: A number is beyond what the format holds.
    """
    out = bytearray()
    for name, value in fields.items():
        if value is None:
            continue
        number = numbers[name] << 3
        for item in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(item, str):
                item = item.encode("utf-8", "replace")
            if isinstance(item, bytes):
                out += varint(number | DELIMITED) + varint(len(item)) + item
            elif isinstance(item, float):
                out += varint(number | FIXED32) + FLOAT.pack(item)
            else:
                out += varint(number | VARINT) + varint(item)
    return bytes(out)


def prefix(number: int, nbytes: int) -> bytes:
    """What stands before a field of so many bytes, by its number."""
    return varint(number << 3 | DELIMITED) + varint(nbytes)


@lru_cache(maxsize=4096)
def varint(value: int) -> bytes:
    """A number in groups of seven bits, the lowest first; all but the last have the high bit.

    Raises:
        OverflowError: It does not fit into 64 bits.
    """
    if not -(1 << 63) <= value < 1 << 63:
        raise OverflowError(f"{value} does not fit into 64 bits")
    out, rest = bytearray(), value & (1 << 64) - 1
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)
