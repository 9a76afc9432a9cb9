"""What low-rank adaptation (LoRA) has learnt, as part of the kernels that it adapts.

HDF5 has it in arrays of its own beside the kernel; `.keras` and `.weights.h5` files hold the sum.

Source: Keras 3.15 `layers/core/dense.py`, `embedding.py`, `einsum_dense.py`,
`layers/convolutional/base_conv.py` (`enable_lora`, the property `kernel`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ...errors import WeightError
from ...ir.source import AdaptedSource
from .archive.record import StoredWeight, WeightGroup
from .spec import ModelSpec, walk

MARK = "lora_"
"""How the arrays of an adaptation are called: `lora_kernel_a`, `lora_embeddings_b`."""


def with_adaptations(model: ModelSpec, groups: Sequence[WeightGroup]) -> Sequence[WeightGroup]:
    """The groups with each kernel as it computes, and no arrays of adaptations.

    Args:
        model: Whose layers say by how much an adaptation counts.
        groups: Of the file.

    Raises:
        WeightError: An adaptation does not fit the array that it adapts.
    """
    if not any(MARK in array.name for group in groups for array in group.weights):
        return groups
    configs = {layer.name: layer.config for layer in walk(model)}
    return [_adapted(group, configs) for group in groups]


def _adapted(group: WeightGroup, configs: Mapping[str, Mapping[str, Any]]) -> WeightGroup:
    held = {array.name.partition(":")[0]: array for array in group.weights}
    found: list[StoredWeight] = []
    for name, array in held.items():
        path, _, own = name.rpartition("/")
        if own.startswith(MARK):
            continue
        first, second = (held.get(f"{path}/{MARK}{own}_{side}") for side in "ab")
        if first is None or second is None:
            found.append(array)
            continue
        config = configs.get(path.rpartition("/")[2] or group.layer, {})
        found.append(_sum(array, first, second, config))
    return msgspec.structs.replace(group, weights=tuple(found))


def _sum(
    array: StoredWeight, first: StoredWeight, second: StoredWeight, config: Mapping[str, Any]
) -> StoredWeight:
    shape, rows, columns = (one.source.shape for one in (array, first, second))
    rank = columns[0] if columns else 0
    fits = rows == (*shape[:-1], rank) and columns == (rank, *shape[-1:])
    if not fits or not math.prod(rows):
        raise WeightError(
            f"an adaptation of shapes {rows} and {columns} for a kernel {shape}",
            where=array.name,
        )
    alpha = config.get("lora_alpha")
    scale = (alpha if isinstance(alpha, (int, float)) else rank) / rank
    source = AdaptedSource(array.source, first.source, second.source, scale)
    return msgspec.structs.replace(array, source=source)
