"""One translator per layer class; one file per family. Importing this registers them all."""

from __future__ import annotations

from . import (  # ruff: ignore[unused-import]
    activation,
    attention,
    bidirectional,
    conv_recurrent,
    convolution,
    dense,
    einsum,
    embedding,
    merge,
    normalization,
    operations,
    pooling,
    recurrent,
    scaling,
    shape,
    stacked,
    training_only,
    transposed,
)
