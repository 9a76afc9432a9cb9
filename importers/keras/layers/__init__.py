"""One translator per layer class; one file per family. Importing this registers them all."""

from __future__ import annotations

from . import (  # ruff: ignore[unused-import]
    activation,
    adaptive,
    attention,
    audio,
    bidirectional,
    contrast,
    conv_recurrent,
    convolution,
    dense,
    einsum,
    element_merges,
    embedding,
    encoding,
    hashing,
    merge,
    normalization,
    operations,
    pooling,
    recurrent,
    resampling,
    scaling,
    shape,
    stacked,
    training_only,
    transposed,
)
