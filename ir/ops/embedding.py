"""Embedding and masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ..op import MaskRule, Op, op
from ..signature import Port, ports


@op
class Embedding(Op, frozen=True, kw_only=True):
    """A row of a table for each index."""

    family: ClassVar[str] = "embedding"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ...", order="kept")
    params: ClassVar[tuple[Port, ...]] = ports("embeddings: vocabulary features")
    results: ClassVar[tuple[Port, ...]] = ports("y: ... features", order="last")
    letters: ClassVar[Mapping[str, str]] = {"features": "O"}
    mask: ClassVar[MaskRule] = "own"


@op
class NotEqual(Op, frozen=True, kw_only=True):
    """A mask: where an element is not `value` (Keras `Embedding(mask_zero=True)`).

    Attributes:
        value: What is masked.
    """

    family: ClassVar[str] = "embedding"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ...", order="kept")
    results: ClassVar[tuple[Port, ...]] = ports("mask: ...", order="kept")

    value: float


@op
class Masking(Op, frozen=True, kw_only=True):
    """Steps in which every feature is `mask_value` become zero and are masked.

    Attributes:
        mask_value: What an absent step is filled with.
    """

    family: ClassVar[str] = "embedding"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ... features", order="kept")
    results: ClassVar[tuple[Port, ...]] = ports("y: ... features", "mask: ...", order="kept")
    mask: ClassVar[MaskRule] = "own"

    mask_value: float
