"""Normalizations."""

from __future__ import annotations

from typing import ClassVar

from ..op import Op, op
from ..signature import Port, ports


@op
class BatchNorm(Op, frozen=True, kw_only=True):
    """y = (x - mean) / sqrt(variance + epsilon) * gamma + beta along one axis.

    Attributes:
        epsilon: Added to the variance, never to the deviation.
    """

    family: ClassVar[str] = "normalization"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ... axis", order="kept")
    params: ClassVar[tuple[Port, ...]] = ports(
        "gamma?: axis", "beta?: axis", "mean: axis", "variance: axis"
    )
    results: ClassVar[tuple[Port, ...]] = ports("y: ... axis", order="kept")

    epsilon: float
