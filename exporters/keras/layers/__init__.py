"""Writers of ops, one file per family; importing this registers them all."""

from __future__ import annotations

from . import (  # ruff: ignore[unused-import]  (importing a family registers its writers)
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
    opaque,
    pooling,
    recurrent,
    resampling,
    reversal,
    shape,
    transposed,
    upsampling,
)
