"""Pools, padding, cropping, up-sampling: what happens along spatial axes without a weight."""

from __future__ import annotations

from typing import ClassVar, Literal

from ..op import MaskRule, Op, op
from ..signature import Port, ports
from .convolution import Padding, Pads

_IN = ports("x: batch channels space", order="spatial")
_OUT = ports("y: batch channels out_space", order="spatial")


class _Pool(Op, frozen=True, kw_only=True):
    family: ClassVar[str] = "pooling"
    inputs: ClassVar[tuple[Port, ...]] = _IN
    results: ClassVar[tuple[Port, ...]] = _OUT

    pool_size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: Padding


@op
class MaxPool(_Pool, frozen=True, kw_only=True):
    """The largest element of each window; padding never wins.

    Attributes:
        pool_size: Extent of the window in elements, per spatial axis.
        strides: Steps in input elements.
        padding: Elements before and after that take no part.
    """


@op
class AveragePool(_Pool, frozen=True, kw_only=True):
    """The mean of each window.

    Attributes:
        pool_size: Extent of the window in elements, per spatial axis.
        strides: Steps in input elements.
        padding: Elements before and after that add nothing to the sum.
        count_padding: Whether they count all the same, as zeros; else the mean is over the
            window's real elements only.
    """

    count_padding: bool = False


class _GlobalPool(Op, frozen=True, kw_only=True):
    family: ClassVar[str] = "pooling"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: ... space", order="kept")
    results: ClassVar[tuple[Port, ...]] = ports("y: ...", order="kept")


@op
class GlobalMaxPool(_GlobalPool, frozen=True, kw_only=True):
    """The largest element over all spatial axes."""


@op
class GlobalAveragePool(_GlobalPool, frozen=True, kw_only=True):
    """The mean over all spatial axes."""


@op
class GlobalSumPool(_GlobalPool, frozen=True, kw_only=True):
    """The sum over all spatial axes (Keras 0.3 `TimeDistributedMerge`)."""


@op
class GlobalProductPool(_GlobalPool, frozen=True, kw_only=True):
    """The product over all spatial axes (Keras 0.3 `TimeDistributedMerge`)."""


@op
class MaskedAveragePool(Op, frozen=True, kw_only=True):
    """The mean over the steps of time that a mask leaves: GlobalAveragePooling1D behind a mask.

    y = sum of x * mask / sum of mask (Keras 2.3.1 `layers/pooling.py`).
    """

    family: ClassVar[str] = "pooling"
    inputs: ClassVar[tuple[Port, ...]] = ports("x: batch time features", "mask: batch time")
    results: ClassVar[tuple[Port, ...]] = ports("y: batch features")
    mask: ClassVar[MaskRule] = "consume"


@op
class ZeroPad(Op, frozen=True, kw_only=True):
    """Zeros around the spatial axes.

    Attributes:
        padding: Zeros before and after, per spatial axis.
    """

    family: ClassVar[str] = "pooling"
    inputs: ClassVar[tuple[Port, ...]] = _IN
    results: ClassVar[tuple[Port, ...]] = _OUT

    padding: Pads


@op
class Crop(Op, frozen=True, kw_only=True):
    """Spatial axes cut at both ends.

    Attributes:
        cropping: Elements cut before and after, per spatial axis.
    """

    family: ClassVar[str] = "pooling"
    inputs: ClassVar[tuple[Port, ...]] = _IN
    results: ClassVar[tuple[Port, ...]] = _OUT

    cropping: Pads


@op
class UpSample(Op, frozen=True, kw_only=True):
    """Spatial axes made longer by whole factors.

    Attributes:
        size: Factor per spatial axis.
        interpolation: `nearest` repeats elements; `bilinear` takes half-pixel centres and
            clamps at the edges (TensorFlow 2); `bilinear_corner` takes positions i / factor
            (TensorFlow 1 `resize_bilinear`, align_corners off: tf backend of Keras 2.2 and 2.3).
    """

    family: ClassVar[str] = "pooling"
    inputs: ClassVar[tuple[Port, ...]] = _IN
    results: ClassVar[tuple[Port, ...]] = _OUT

    size: tuple[int, ...]
    interpolation: Literal["nearest", "bilinear", "bilinear_corner"] = "nearest"
