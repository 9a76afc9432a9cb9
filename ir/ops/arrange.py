"""Ops that choose, repeat or pad elements by their position: they keep the source order."""

from __future__ import annotations

from typing import ClassVar, Literal

from ..op import MaskRule, Op, Rule, op
from ..signature import Port, ports
from .convolution import Pads


class _Arrange(Op, frozen=True, kw_only=True):
    family: ClassVar[str] = "arrange"
    rule: ClassVar[Rule] = "pinned"
    mask: ClassVar[MaskRule] = "drop"


@op
class Take(_Arrange, frozen=True, kw_only=True):
    """Elements along an axis, in any order and number: slices with steps, flips, repetitions.

    Attributes:
        indices: Which element stands at each position of the result.
    """

    inputs: ClassVar[tuple[Port, ...]] = ports("x: before axis behind")
    results: ClassVar[tuple[Port, ...]] = ports("y: before chosen behind")

    indices: tuple[int, ...]


@op
class Gather(_Arrange, frozen=True, kw_only=True):
    """The slices of the first input, along an axis, that the second input names by position.

    Negative positions count from the end.

    Attributes:
        batched: Whether both run along the same leading axes, position by position.
    """

    inputs: ClassVar[tuple[Port, ...]] = ports("x: lead before axis behind", "indices: own_lead at")
    results: ClassVar[tuple[Port, ...]] = ports("y: out")

    batched: bool = False


@op
class Pad(_Arrange, frozen=True, kw_only=True):
    """More elements before and after, along every axis.

    Attributes:
        padding: Elements before and after, per axis; the batch gets none.
        mode: What they are: a number, the mirror image without the edge or with it, or the edge.
        value: The number.
    """

    inputs: ClassVar[tuple[Port, ...]] = ports("x: ...")
    results: ClassVar[tuple[Port, ...]] = ports("y: out")

    padding: Pads
    mode: Literal["constant", "reflect", "symmetric", "edge"] = "constant"
    value: float = 0.0


@op
class Broadcast(_Arrange, frozen=True, kw_only=True):
    """Axes of extent one repeated."""

    inputs: ClassVar[tuple[Port, ...]] = ports("x: ...")
    results: ClassVar[tuple[Port, ...]] = ports("y: out")


@op
class OneHot(_Arrange, frozen=True, kw_only=True):
    """For each index a vector that is 1 at its place, 0 elsewhere, and 0 all over if it has none.

    The vector runs along a new last axis.
    """

    inputs: ClassVar[tuple[Port, ...]] = ports("x: ...")
    results: ClassVar[tuple[Port, ...]] = ports("y: ... classes")


@op
class TopK(_Arrange, frozen=True, kw_only=True):
    """The largest numbers along the last axis in falling order, and their positions.

    Attributes:
        least: Whether it is the smallest, in rising order.
    """

    inputs: ClassVar[tuple[Port, ...]] = ports("x: before axis")
    results: ClassVar[tuple[Port, ...]] = ports("y: before chosen", "at: before chosen")

    least: bool = False


@op
class Triangle(_Arrange, frozen=True, kw_only=True):
    """Zeros above a diagonal of the last two axes, or below it.

    Attributes:
        diagonal: How far above the main one.
        upper: Whether what is above is kept.
    """

    inputs: ClassVar[tuple[Port, ...]] = ports("x: ...")
    results: ClassVar[tuple[Port, ...]] = ports("y: ...")

    diagonal: int = 0
    upper: bool = False


@op
class Einsum(_Arrange, frozen=True, kw_only=True):
    """Sums of products over the axes whose letters the result lacks (NumPy `einsum`).

    Attributes:
        equation: In lower-case letters, one for each axis.
    """

    inputs: ClassVar[tuple[Port, ...]] = ports("x*: ...", order="kept")
    results: ClassVar[tuple[Port, ...]] = ports("y: out")

    equation: str


@op
class Extents(_Arrange, frozen=True, kw_only=True):
    """How many elements the input has along each axis."""

    inputs: ClassVar[tuple[Port, ...]] = ports("x: ...")
    results: ClassVar[tuple[Port, ...]] = ports("y: rank")
