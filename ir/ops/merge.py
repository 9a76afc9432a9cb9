"""Ops over several inputs: element by element, along one axis, or contracting."""

from __future__ import annotations

from typing import ClassVar

from ..op import MaskRule, Op, Rule, op
from ..signature import Port, ports


class Merge(Op, frozen=True, kw_only=True):
    """Base of element-wise ops over inputs of one rank; extents of one are repeated."""

    arity: ClassVar[int | None] = None
    """How many inputs there are; None for any number."""

    family: ClassVar[str] = "merge"
    inputs: ClassVar[tuple[Port, ...]] = ports("x*: ...", order="kept")
    results: ClassVar[tuple[Port, ...]] = ports("y: ...", order="kept")
    rule: ClassVar[Rule] = "merge"
    mask: ClassVar[MaskRule] = "own"


@op
class Add(Merge, frozen=True, kw_only=True):
    """The sum of the inputs."""


@op
class Subtract(Merge, frozen=True, kw_only=True):
    """The first input minus the second."""

    arity: ClassVar[int | None] = 2


@op
class Multiply(Merge, frozen=True, kw_only=True):
    """The product of the inputs."""


@op
class Divide(Merge, frozen=True, kw_only=True):
    """The first input over the second."""

    arity: ClassVar[int | None] = 2


@op
class Average(Merge, frozen=True, kw_only=True):
    """The mean of the inputs."""


@op
class Maximum(Merge, frozen=True, kw_only=True):
    """The largest of the inputs."""


@op
class Minimum(Merge, frozen=True, kw_only=True):
    """The smallest of the inputs."""


@op
class AllOf(Merge, frozen=True, kw_only=True):
    """Where every input holds: the mask of a merge of masked inputs."""


@op
class Concat(Op, frozen=True, kw_only=True):
    """The inputs one after the other along the `joined` axis, whose parts are theirs."""

    family: ClassVar[str] = "merge"
    inputs: ClassVar[tuple[Port, ...]] = ports("x*: ... joined", order="kept")
    results: ClassVar[tuple[Port, ...]] = ports("y: ... joined", order="kept")
    rule: ClassVar[Rule] = "join"
    mask: ClassVar[MaskRule] = "own"


SMALLEST_SQUARE = 1e-12
"""What a squared length is at least where a Dot normalizes (TensorFlow `l2_normalize`)."""


@op
class Dot(Op, frozen=True, kw_only=True):
    """The sum of products over one or several axes of either input, per batch entry.

    The result has the batch, the first input's other axes, then the second's (Theano and
    TensorFlow `batch_dot`). Everything keeps the source order.

    Attributes:
        normalize: Whether either input is first divided by its length along the contracted axes
            (Keras 2 `Dot(normalize=True)`, Keras 1 `Merge(mode="cos")`).
    """

    family: ClassVar[str] = "merge"
    inputs: ClassVar[tuple[Port, ...]] = ports(
        "x: batch x_rest x_contracted", "y: batch y_rest y_contracted"
    )
    results: ClassVar[tuple[Port, ...]] = ports("z: batch x_rest y_out")
    rule: ClassVar[Rule] = "pinned"
    mask: ClassVar[MaskRule] = "drop"

    normalize: bool = False
