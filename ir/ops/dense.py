"""Dense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ..op import Op, op
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
