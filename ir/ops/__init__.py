"""Every op: what is meant, not how a file spells it. One file per family."""

from __future__ import annotations

from . import (  # noqa: F401  (importing a family registers its ops)
    activation,
    convolution,
    dense,
    embedding,
    merge,
    normalization,
    opaque,
    pooling,
    recurrent,
    shape,
)
