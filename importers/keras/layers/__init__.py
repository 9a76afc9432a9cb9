"""One translator per layer class; one file per family. Importing this registers them all."""

from __future__ import annotations

from . import (  # ruff: ignore[unused-import]
    activation,
    bidirectional,
    conv_recurrent,
    convolution,
    dense,
    embedding,
    merge,
    normalization,
    pooling,
    recurrent,
    shape,
    training_only,
    transposed,
)
