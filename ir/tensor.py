"""Weights: lazy references to stored numbers, and the layouts that their uses give them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from ..errors import KerasirError, LayoutError, WeightError
from .copyplan import CopyPlan, apply, plan
from .layout import Axis, Layout
from .source import Array, Source


class Weight:
    """One weight of a model: what is stored, by identity. Uses share it; passes never read it.

    Attributes:
        name: `layer/weight`, unique in a model.
        sources: The stored arrays; several where the writer kept one per gate.
        trainable: Whether training changes it.
        stored_names: What the file calls each source.
    """

    __slots__ = ("_dtype", "name", "sources", "stored_names", "trainable")

    def __init__(
        self,
        name: str,
        sources: tuple[Source, ...],
        *,
        trainable: bool = True,
        stored_names: tuple[str, ...] = (),
        dtype: np.dtype[Any] | None = None,
    ) -> None:
        """A weight; `dtype` is what to write it as, where it is computed in more than that."""
        self.name, self.sources, self.trainable = name, sources, trainable
        self._dtype = dtype
        self.stored_names = stored_names or (name,) * len(sources)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The stored dtype, or that to be written, in this machine's byte order."""
        if self._dtype is not None:
            return self._dtype
        return np.result_type(*(s.dtype for s in self.sources)).newbyteorder("=")

    @property
    def count(self) -> int:
        """Numbers stored."""
        return sum(math.prod(source.shape) for source in self.sources)

    def __repr__(self) -> str:
        shapes = ", ".join(str(source.shape) for source in self.sources)
        return f"<Weight {self.name} {shapes} {self.dtype}>"


class Stored(msgspec.Struct, frozen=True):
    """How one source of a weight lies, in terms of the axes of the node that uses it.

    Attributes:
        layout: The stored layout; its shape is the source's up to fusing (a shape that lies about
            its order, as LocallyConnected2D's bias does, is tagged with what it really is).
        at: The label of each labelled axis that this source holds alone.
    """

    layout: Layout
    at: Mapping[Axis, str] = {}


class Param(msgspec.Struct, frozen=True):
    """A weight as one node uses it: the same numbers, tagged with that node's axes.

    Attributes:
        weight: The weight.
        stored: How each of its sources lies.
        only: Labelled axes of which one label is taken alone: a single gate, as Keras 1 stores it.
    """

    weight: Weight
    stored: tuple[Stored, ...]
    only: Mapping[Axis, str] = {}

    def plans(self, wanted: Layout) -> tuple[tuple[Source, CopyPlan], ...]:
        """What has to be copied, from where, to have the weight in `wanted`.

        Raises:
            LayoutError: The stored layouts and `wanted` are not made of the same axes.
            WeightError: A source does not hold what its layout says, or together they do not
                give each number once.
        """
        found = []
        for source, stored in zip(self.weight.sources, self.stored, strict=True):
            try:
                copy = plan(stored.layout, wanted, at=stored.at, only=self.only)
            except LayoutError as error:
                error.at(self.weight.name)
                raise
            if math.prod(source.shape) != copy.source_count:
                raise WeightError(
                    f"shape {source.shape} is stored, the layout has {copy.source_count} numbers",
                    where=self.weight.name,
                )
            found.append((source, copy))
        if self.only:
            found = [(source, copy) for source, copy in found if copy.pieces]
        pieces = [piece for _, copy in found for piece in copy.pieces if piece.count]
        moved, places = sum(piece.count for piece in pieces), {piece.offset for piece in pieces}
        if moved != math.prod(extents(wanted)) or len(places) < len(pieces):
            raise WeightError(
                f"the stored arrays do not give each number of {wanted} once",
                where=self.weight.name,
            )
        return tuple(found)

    def numpy(self, wanted: Layout, dtype: Any = None) -> Array:
        """The numbers in the layout `wanted`, in memory.

        Raises:
            LayoutError: The stored layouts and `wanted` are not made of the same axes.
            WeightError: The sources do not hold what the layouts say, or a number does not fit
                the dtype.
        """
        plans, shape = self.plans(wanted), extents(wanted)
        result = np.empty(math.prod(shape), dtype or self.weight.dtype)
        try:
            for source, copy in plans:
                held = np.empty(copy.source_count, source.dtype)
                source.read_into(0, held)
                apply(copy, held, result)
        except KerasirError as error:
            error.at(self.weight.name)
            raise
        return result.reshape(shape)


def extents(layout: Layout) -> tuple[int, ...]:
    """The shape of a weight in this layout.

    Raises:
        LayoutError: A size is not known.
    """
    known = tuple(size for size in layout.shape if size is not None)
    if len(known) < len(layout.terms):
        raise LayoutError(f"a weight cannot be brought into {layout}: a size is not known")
    return known
