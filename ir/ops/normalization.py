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


@op
class LayerNorm(Op, frozen=True, kw_only=True):
    """y = (x - m) / sqrt(v + epsilon) * gamma + beta, m and v of each entry along some axes.

    Attributes:
        epsilon: Added to the variance.
    """

    family: ClassVar[str] = "normalization"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ... axis", order="kept")
    params: ClassVar[tuple[Port, ...]] = ports("gamma?: axis", "beta?: axis")
    results: ClassVar[tuple[Port, ...]] = ports("y: ... axis", order="kept")
    trailing: ClassVar[bool] = True

    epsilon: float


@op
class RMSNorm(Op, frozen=True, kw_only=True):
    """y = x / sqrt(mean of x^2 + epsilon) * scale, the mean of each entry along some axes.

    Attributes:
        epsilon: Added to the mean.
    """

    family: ClassVar[str] = "normalization"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ... axis", order="kept")
    params: ClassVar[tuple[Port, ...]] = ports("scale?: axis")
    results: ClassVar[tuple[Port, ...]] = ports("y: ... axis", order="kept")

    epsilon: float


@op
class GroupNorm(Op, frozen=True, kw_only=True):
    """y = (x - m) / sqrt(v + epsilon) * gamma + beta, m and v of each entry and group of channels.

    A group's statistics are over its channels and all axes but the batch.

    Attributes:
        epsilon: Added to the variance.
    """

    family: ClassVar[str] = "normalization"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: batch ... (groups in_group)", order="kept")
    params: ClassVar[tuple[Port, ...]] = ports(
        "gamma?: (groups in_group)", "beta?: (groups in_group)"
    )
    results: ClassVar[tuple[Port, ...]] = ports("y: batch ... (groups in_group)", order="kept")

    epsilon: float


@op
class UnitNorm(Op, frozen=True, kw_only=True):
    """y = x / max(length of x, epsilon), the length along some axes.

    Attributes:
        epsilon: Least length: 1e-6 in tf.keras (`tf.linalg.l2_normalize`, 1e-12 of the square),
            1e-12 in Keras 3 (`ops.normalize`).
    """

    family: ClassVar[str] = "normalization"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ... axis", order="kept")
    results: ClassVar[tuple[Port, ...]] = ports("y: ... axis", order="kept")

    epsilon: float


class _OwnStatistics(Op, frozen=True, kw_only=True):
    """By statistics of what is fed; those that a layer stores besides take no part."""

    family: ClassVar[str] = "normalization"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ... axis", order="kept")
    params: ClassVar[tuple[Port, ...]] = ports(
        "gamma?: axis", "beta?: axis", "mean?: axis", "variance?: axis"
    )
    results: ClassVar[tuple[Port, ...]] = ports("y: ... axis", order="kept")

    epsilon: float


@op
class SampleNorm(_OwnStatistics, frozen=True, kw_only=True):
    """y = (x - m) / (s + epsilon) * gamma + beta, m and s of each entry along its last axis.

    s = sqrt(variance + epsilon): epsilon counts twice (Keras 1.2.2 `BatchNormalization`, mode 1).
    In Keras 0.3 s is the deviation itself (0.3.3 `BatchNormalization.get_output`).

    Attributes:
        epsilon: Added to the deviation.
        under_root: Whether it is added to the variance too.
    """

    under_root: bool = True


@op
class BatchStatisticsNorm(_OwnStatistics, frozen=True, kw_only=True):
    """y = (x - m) / sqrt(v + epsilon) * gamma + beta, m and v of the batch that is fed.

    Even at inference (Keras 1.2.2 `BatchNormalization`, mode 2): what one entry gives depends on
    the others.

    Attributes:
        epsilon: Added to the variance.
    """

    mixes: ClassVar[bool] = True
