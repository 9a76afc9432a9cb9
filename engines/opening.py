"""The engine that fits a file."""

from __future__ import annotations

from typing import Any

from ..errors import UsageError
from .onnx_runtime import OnnxRuntime
from .records import Engine, Precision
from .reference import Reference


def open_engine(
    path: str,
    *,
    engine: str | None = None,
    precision: Precision = "float64",
    **reading: Any,
) -> Engine:
    """The engine for a file.

    Args:
        path: Any model that kerasir reads, or `.onnx`.
        engine: `reference` or `onnxruntime`; what fits the file if not given.
        precision: Of the reference.
        reading: What `load` takes.

    Raises:
        UsageError: The engine cannot run such a file.
    """
    onnx = path.lower().endswith(".onnx")
    chosen = engine or ("onnxruntime" if onnx else "reference")
    if chosen == "onnxruntime":
        if not onnx:
            raise UsageError(
                "--engine onnxruntime runs .onnx files", file=path, hint="convert it to ONNX first"
            )
        return OnnxRuntime(path)
    if onnx:
        raise UsageError("the reference runs Keras files", file=path, hint="--engine onnxruntime")
    from ..loading import load

    return Reference(load(path, **reading), precision)
