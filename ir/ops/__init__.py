"""Every op: what is meant, not how a file spells it. One file per family."""

from __future__ import annotations

from . import (  # ruff: ignore[unused-import]  (importing a family registers its ops)
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
    shape,
)
