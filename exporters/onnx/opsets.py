"""Which opsets kerasir writes, whatever onnx is installed."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import UsageError

IR_VERSIONS: Mapping[int, int] = {
    13: 7,
    14: 7,
    15: 8,
    16: 8,
    17: 8,
    18: 8,
    19: 9,
    20: 9,
    21: 10,
    22: 10,
    23: 11,
    24: 12,
    25: 13,
    26: 13,
    27: 13,
    28: 14,
}
"""The IR version of the first ONNX release that had an opset: every runtime that knows the opset
reads it. Source: ONNX 1.23 docs/Versioning.md, "Released Versions"."""

LOWEST, HIGHEST = min(IR_VERSIONS), max(IR_VERSIONS)

DEFAULT_OPSET = 17
"""Read by every runtime of the last two years and by many older ones (ONNX Runtime from 1.12 on,
of 2022; TensorRT 8.6, OpenVINO 2023), and the first opset that loses nothing that kerasir writes:
newer ones only take other attributes, or shorten what is rarely used."""

AXES_AS_INPUT: Mapping[str, int] = {
    "ReduceSum": 13,
    "ReduceMax": 18,
    "ReduceMin": 18,
    "ReduceProd": 18,
    "ReduceLogSumExp": 18,
    "ReduceMean": 18,
    "ReduceL2": 18,
    "ReduceSumSquare": 18,
}
"""From which opset on a reduction takes its axes as an input; an attribute before that."""

FUNCTIONS_SINCE = 15
"""The first opset whose IR version has functions (onnx.proto, IR version 8)."""

SHAPE_TAKES_RANGE = 15
"""From which opset on `Shape` can give some of the extents only."""


def ir_version(opset: int) -> int:
    """The IR version to write.

    Raises:
        UsageError: kerasir does not write this opset.
    """
    if opset not in IR_VERSIONS:
        raise UsageError(
            f"no opset {opset}",
            where="--opset",
            hint=f"{LOWEST} to {HIGHEST}; the default is {DEFAULT_OPSET}",
        )
    return IR_VERSIONS[opset]
