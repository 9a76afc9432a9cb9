"""The training half of a file: loss, metrics, optimizer, and its state tied to the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from .source import Source
from .tensor import Weight


class Slot(msgspec.Struct, frozen=True, eq=False):
    """One array of optimizer state: numbers with the layout of the weight they belong to.

    Attributes:
        kind: In the newest vocabulary: `momentum`, `velocity`, `accumulator`, …
        weight: The weight; the slot goes wherever it goes, in the same layout.
        sources: Stored numbers, one per source of the weight.
    """

    kind: str
    weight: Weight
    sources: tuple[Source, ...]


class Training(msgspec.Struct, frozen=True, eq=False):
    """What `compile` was told, and how far training had come.

    Attributes:
        optimizer: Class name; "" if the file has none.
        config: The optimizer's configuration, in the newest vocabulary.
        iterations: Steps done; None if not stored.
        slots: The optimizer's state.
        compiled: The rest of the record as stored: loss, metrics, loss_weights, …
    """

    optimizer: str = ""
    config: Mapping[str, Any] = {}
    iterations: int | None = None
    slots: tuple[Slot, ...] = ()
    compiled: Mapping[str, Any] = {}
