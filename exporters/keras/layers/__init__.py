"""Writers of ops, one file per family; importing this registers them all."""

from __future__ import annotations

from . import (  # noqa: F401  (importing a family registers its writers)
    activation,
    bidirectional,
    convolution,
    dense,
    embedding,
    merge,
    normalization,
    opaque,
    pooling,
    recurrent,
    shape,
    transposed,
)
