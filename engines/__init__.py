"""Engines that run a model: the reference in either precision, ONNX Runtime for `.onnx` files."""

from __future__ import annotations

from .onnx_runtime import OnnxRuntime
from .opening import open_engine
from .records import Engine, Port, Precision, Run, Watch, fits
from .reference import Reference

__all__ = [
    "Engine",
    "OnnxRuntime",
    "Port",
    "Precision",
    "Reference",
    "Run",
    "Watch",
    "fits",
    "open_engine",
]
