"""kerasir: Keras models of every era, in either data format, and to ONNX, through one typed IR."""

from __future__ import annotations

__version__ = "0.1.0"
