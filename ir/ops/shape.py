"""Ops that only say in another way where a number stands."""

from __future__ import annotations

from typing import ClassVar, Literal

from ..op import MaskRule, Op, Rule, op
from ..signature import Port, ports


@op
class View(Op, frozen=True, kw_only=True):
    """Flatten, Permute, or a Reshape whose extents factor: moves nothing, regroups axes.

    Attributes:
        layer_class: The Keras class that says so: `Flatten`, `Permute`, `Reshape`; "" for a view
            that a translator made.
    """

    family: ClassVar[str] = "shape"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ...", order="kept")
    results: ClassVar[tuple[Port, ...]] = ports("y: ...", order="kept")
    rule: ClassVar[Rule] = "view"

    layer_class: Literal["", "Flatten", "Permute", "Reshape"] = ""


@op
class Reshape(Op, frozen=True, kw_only=True):
    """A Reshape whose extents do not factor: its input is wanted in the author's order.

    One whose extents all stay only says that something else is counted: it may lie in any order.
    """

    family: ClassVar[str] = "shape"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ...", order="kept")
    results: ClassVar[tuple[Port, ...]] = ports("y: ...", order="kept")
    rule: ClassVar[Rule] = "places"
    mask: ClassVar[MaskRule] = "drop"


@op
class Repeat(Op, frozen=True, kw_only=True):
    """Each vector repeated along a new `time` axis (Keras RepeatVector)."""

    family: ClassVar[str] = "shape"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: batch features")
    results: ClassVar[tuple[Port, ...]] = ports("y: batch time features")
    mask: ClassVar[MaskRule] = "drop"
