"""Kernels of locally connected layers that are stored as matrices, dense or sparse.

tf.keras has three `implementation`s of one layer. The first stores a kernel `out_space patch
filters`, as every older Keras does; the second a matrix from all inputs to all outputs, in which
what is not connected is not looked at; the third the numbers of that matrix which are connected,
row by row. Here a place in a kernel of the first kind is found in those of the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec
import numpy as np

from .source import Array

One = TypeVar("One")
Places = Callable[[Array], Array]
"""Takes places in one array and gives those in another; -1 where it has none."""


class Connections(msgspec.Struct, frozen=True):
    """What a locally connected layer connects.

    Attributes:
        inputs: Extents of the input along space.
        outputs: Extents of the result along space.
        taps: Extents of the kernel.
        strides: Per spatial axis.
        before: How far the first window begins before the input, per spatial axis.
        channels: Of the input.
        filters: Of the result.
        channels_first: Whether channels are counted before space: in patches, inputs and results.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    taps: tuple[int, ...]
    strides: tuple[int, ...]
    before: tuple[int, ...]
    channels: int
    filters: int
    channels_first: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a kernel `out_space patch filters`."""
        return (math.prod(self.outputs), math.prod(self.taps) * self.channels, self.filters)

    @property
    def dense_shape(self) -> tuple[int, ...]:
        """Of a kernel from all inputs to all outputs."""
        return (
            *self._ordered(self.channels, self.inputs),
            *self._ordered(self.filters, self.outputs),
        )

    @property
    def count(self) -> int:
        """How many pairs of an input and an output are connected."""
        connected = math.prod(int(count.sum()) for _, count in self._windows())
        return connected * self.channels * self.filters

    def dense(self, places: Array) -> Array:
        """Where the matrix from all inputs to all outputs has what is at these places.

        Source: tf-keras 2.21 `layers/locally_connected/locally_connected_utils.py`
        (`local_conv_matmul`).
        """
        outs, taps, channel, filters = self._split(places)
        where = [
            out * stride - before + tap
            for out, stride, before, tap in zip(outs, self.strides, self.before, taps, strict=True)
        ]
        inside = np.ones(places.shape, bool)
        for one, size in zip(where, self.inputs, strict=True):
            inside &= (one >= 0) & (one < size)
        index = (*self._ordered(channel, where), *self._ordered(filters, outs))
        return np.where(inside, np.ravel_multi_index(index, self.dense_shape, mode="clip"), -1)

    def sparse(self, places: Array) -> Array:
        """Where the list of what is connected has it, which is sorted by output, then by input.

        Source: tf-keras 2.21 `utils/conv_utils.py` (`conv_kernel_idxs`).
        """
        outs, taps, channel, filters = self._split(places)
        windows = self._windows()
        joined = np.ones((), np.int64)
        for _, count in windows:
            joined = np.multiply.outer(joined, count)
        begins = (np.cumsum(joined) - joined.reshape(-1)).reshape(self.outputs)[outs]
        inside, rank = np.ones(places.shape, bool), np.zeros(places.shape, np.int64)
        for out, tap, (first, count) in zip(outs, taps, windows, strict=True):
            own = tap - first[out]
            inside &= (own >= 0) & (own < count[out])
            rank = rank * count[out] + own
        each = joined[outs]
        if self.channels_first:
            row = filters * int(joined.sum()) + begins
            found = row * self.channels + channel * each + rank
        else:
            row = begins * self.filters + filters * each
            found = (row + rank) * self.channels + channel
        return np.where(inside, found, -1)

    def _ordered(self, channel: One, space: Iterable[One]) -> tuple[One, ...]:
        """A channel and places along space in the order of the data format."""
        return (channel, *space) if self.channels_first else (*space, channel)

    def _split(self, places: Array) -> tuple[tuple[Array, ...], tuple[Array, ...], Array, Array]:
        """Output, tap, channel and filter of places in a kernel `out_space patch filters`."""
        patch = self._ordered(self.channels, self.taps)
        index = np.unravel_index(places, (*self.outputs, *patch, self.filters))
        rank = len(self.outputs)
        outs, within, filters = index[:rank], index[rank:-1], index[-1]
        channel, taps = (
            (within[0], within[1:]) if self.channels_first else (within[-1], within[:-1])
        )
        return outs, taps, channel, filters

    def _windows(self) -> list[tuple[Array, Array]]:
        """Per axis and place of the result: the first tap inside the input, and how many are."""
        found = []
        for size, outs, taps, stride, before in zip(
            self.inputs, self.outputs, self.taps, self.strides, self.before, strict=True
        ):
            start = np.arange(outs) * stride - before
            first = np.maximum(-start, 0)
            found.append((first, np.minimum(size - start, taps) - first))
        return found
