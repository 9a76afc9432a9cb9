"""Arithmetic of tensors as graphs of operations have it: functions, comparisons, reductions."""

from __future__ import annotations

from typing import ClassVar, Literal

from ..op import ORDERED, MaskRule, Op, op
from ..signature import Port, ports
from .activation import Elementwise
from .merge import Merge


@op
class Function(Elementwise, frozen=True, kw_only=True):
    """A function of each number by itself, as NumPy names it.

    Attributes:
        function: Which one; `erf` is the error function, `sign` is 0 at 0.
    """

    function: Literal[
        "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "arcsinh", "arccosh",
        "arctanh", "erf", "floor", "ceil", "rint", "sign", "expm1", "log1p", "isnan", "isinf",
        "isfinite",
    ]  # fmt: skip


@op
class Not(Elementwise, frozen=True, kw_only=True):
    """y = not x, of truth values."""


@op
class Cast(Elementwise, frozen=True, kw_only=True):
    """The same numbers in another dtype: cut towards zero, or whether they differ from zero.

    Attributes:
        dtype: The name of the new dtype.
    """

    dtype: str


@op
class Fill(Elementwise, frozen=True, kw_only=True):
    """One number everywhere, in the input's shape.

    Attributes:
        value: The number.
    """

    value: float


@op
class Binary(Merge, frozen=True, kw_only=True):
    """A function of two numbers, or a comparison; extents of one are repeated.

    Attributes:
        function: Which one; `floor_divide` and `modulo` round down, as in Python.
    """

    arity: ClassVar[int | None] = 2

    function: Literal[
        "power", "floor_divide", "modulo", "squared_difference", "equal", "not_equal", "less",
        "less_equal", "greater", "greater_equal", "and", "or", "xor",
    ]  # fmt: skip


@op
class Where(Merge, frozen=True, kw_only=True):
    """The second input where the first holds, else the third; extents of one are repeated."""

    arity: ClassVar[int | None] = 3


@op
class Reduce(Op, frozen=True, kw_only=True):
    """One number for all along some axes.

    Attributes:
        function: Which; `var` and `std` divide by the count, `logsumexp` is log of the sum of exp,
            `any` and `all` are of truth values, `length` is the root of the sum of squares.
    """

    family: ClassVar[str] = "maths"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ... space", order="kept")
    results: ClassVar[tuple[Port, ...]] = ports("y: ...", order="kept")
    mask: ClassVar[MaskRule] = "drop"

    function: Literal[
        "sum", "prod", "min", "max", "mean", "var", "std", "logsumexp", "any", "all", "length"
    ]


@op
class ArgMax(Op, frozen=True, kw_only=True):
    """The position of the largest number along an axis, of the first where there are several.

    Attributes:
        least: Whether it is the smallest.
    """

    family: ClassVar[str] = "maths"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ... space", order="kept")
    results: ClassVar[tuple[Port, ...]] = ports("y: ...", order="kept")
    ordered: ClassVar[frozenset[str]] = ORDERED
    mask: ClassVar[MaskRule] = "drop"

    least: bool = False


@op
class Cumulate(Op, frozen=True, kw_only=True):
    """The sum of all numbers up to each along an axis.

    Attributes:
        product: Whether it is their product.
    """

    family: ClassVar[str] = "maths"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ... space", order="kept")
    results: ClassVar[tuple[Port, ...]] = ports("y: ... space", order="kept")
    ordered: ClassVar[frozenset[str]] = ORDERED

    product: bool = False


@op
class Constant(Op, frozen=True, kw_only=True):
    """Numbers that no input changes."""

    family: ClassVar[str] = "maths"
    params: ClassVar[tuple[Port, ...]] = ports("value: axes")
    results: ClassVar[tuple[Port, ...]] = ports("y: axes")
