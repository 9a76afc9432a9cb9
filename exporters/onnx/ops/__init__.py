"""ONNX emitters of every op. One file per family, named as in `ir.ops`."""

from __future__ import annotations

from . import (  # ruff: ignore[unused-import]  (importing a family registers its emitters)
    activation,
    arrange,
    attention,
    convolution,
    dense,
    embedding,
    hashing,
    maths,
    merge,
    normalization,
    pooling,
    recurrent,
    shape,
)
