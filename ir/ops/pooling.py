"""Pools, padding, cropping, up-sampling: what happens along spatial axes without a weight."""

from __future__ import annotations

from typing import ClassVar, Literal

from .. import resampling
from ..op import MaskRule, Op, op
from ..signature import Port, ports
from .convolution import Padding, Pads

Method = Literal[
    "nearest", "bilinear", "bicubic", "bicubic_table", "lanczos3", "lanczos5", "gaussian",
    "mitchellcubic", "area",
]  # fmt: skip
"""How an axis is resampled; `bicubic_table` is what TensorFlow computes, whose weights come from a
table of 1024 places between two elements."""

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


@op
class Resample(Op, frozen=True, kw_only=True):
    """Spatial axes resampled to any extent, each by itself: `weights` are its definition.

    Attributes:
        size: The new extents.
        method: `nearest` takes the element at a place; the others are sums that a kernel weighs,
            around half-pixel centres, the weights scaled to a sum of one at the edges too.
        antialias: Whether the kernel grows with the step when an axis gets shorter.
    """

    family: ClassVar[str] = "pooling"
    inputs: ClassVar[tuple[Port, ...]] = _IN
    results: ClassVar[tuple[Port, ...]] = _OUT

    size: tuple[int, ...]
    method: Method = "bilinear"
    antialias: bool = False

    def weights(self, size: int, wanted: int) -> list[list[float]]:
        """What each element of an axis adds to each element of the resampled axis.

        Sources: TensorFlow 2.21 `core/kernels/image/scale_and_translate_op.cc`,
        `resize_area_op.cc`, `resize_nearest_neighbor_op.cc`.
        """
        return resampling.weights(self.method, self.antialias, size, wanted)


@op
class AdaptivePool(Op, frozen=True, kw_only=True):
    """The mean, or the largest element, of windows that divide each axis into so many parts.

    Window n of `size` goes from floor(n * extent / size) to ceil((n + 1) * extent / size).

    Attributes:
        size: How many windows, per spatial axis.
        largest: Whether it is the largest element.
    """

    family: ClassVar[str] = "pooling"
    inputs: ClassVar[tuple[Port, ...]] = _IN
    results: ClassVar[tuple[Port, ...]] = _OUT

    size: tuple[int, ...]
    largest: bool = False

    @staticmethod
    def windows(extent: int, count: int) -> list[tuple[int, int]]:
        """The first element of each window, and the one behind its last."""
        return [(n * extent // count, -(-(n + 1) * extent // count)) for n in range(count)]
