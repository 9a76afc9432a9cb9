"""Dense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ..op import ORDERED, Op, op
from ..signature import Port, ports


@op
class Dense(Op, frozen=True, kw_only=True):
    """y = x · kernel + bias over the last axis that the author counted.

    The kernel's rows are the input's feature term whole: behind a Flatten they are `(C H W)` or
    `(H W C)` as that term lies, so no row can be left in another order.
    """

    family: ClassVar[str] = "dense"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ... features", order="last")
    params: ClassVar[tuple[Port, ...]] = ports("kernel: features units", "bias?: units")
    results: ClassVar[tuple[Port, ...]] = ports("y: ... units", order="last")
    letters: ClassVar[Mapping[str, str]] = {"units": "O"}


@op
class Highway(Op, frozen=True, kw_only=True):
    """y = t * activation(x·kernel + bias) + (1 - t) * x, t = sigmoid(x·carry + carry_bias).

    The result's numbers stand for the input's, so both keep the author's order.

    Attributes:
        activation: Of the transformed part.
    """

    family: ClassVar[str] = "dense"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ... features", order="last")
    params: ClassVar[tuple[Port, ...]] = ports(
        "kernel: features columns",
        "carry_kernel: features columns",
        "bias?: columns",
        "carry_bias?: columns",
    )
    results: ClassVar[tuple[Port, ...]] = ports("y: ... features", order="last")
    ordered: ClassVar[frozenset[str]] = ORDERED | {"features", "columns"}
    letters: ClassVar[Mapping[str, str]] = {"columns": "O"}

    activation: Op


@op
class MaxoutDense(Op, frozen=True, kw_only=True):
    """The largest of several linear maps: y = max over pieces of x·kernel + bias."""

    family: ClassVar[str] = "dense"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ... features", order="last")
    params: ClassVar[tuple[Port, ...]] = ports(
        "kernel: pieces features units", "bias?: pieces units"
    )
    results: ClassVar[tuple[Port, ...]] = ports("y: ... units", order="last")
    letters: ClassVar[Mapping[str, str]] = {"units": "O"}
