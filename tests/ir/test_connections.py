"""Kernels that are stored as matrices, against the pairs that a loop finds connected."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from kerasir.ir.connections import Connections
from kerasir.ir.source import ArraySource, GatheredSource

SIZES = {
    "rows": ((8,), (3,), (3,), (2,), (0,)),
    "rows past both ends": ((7,), (4,), (5,), (2,), (2,)),
    "planes": ((5, 6), (2, 4), (3, 3), (2, 1), (0, 0)),
    "planes past all ends": ((5, 4), (3, 2), (4, 3), (2, 3), (2, 1)),
}
"""Input, output, kernel, strides, and how far the first window begins before the input."""


def weights_of(connected: Connections) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A kernel `out_space patch filters`, the matrix of all pairs, the list of those connected."""
    first = connected.channels_first
    kernel = np.zeros((*connected.outputs, *connected.taps, connected.channels, connected.filters))
    dense = np.full(connected.dense_shape, -5.0)
    listed = []
    number = itertools.count(1)
    for out, tap in itertools.product(
        itertools.product(*map(range, connected.outputs)),
        itertools.product(*map(range, connected.taps)),
    ):
        place = tuple(
            o * s - b + t
            for o, s, b, t in zip(out, connected.strides, connected.before, tap, strict=True)
        )
        if not all(0 <= p < n for p, n in zip(place, connected.inputs, strict=True)):
            continue
        for c, f in itertools.product(range(connected.channels), range(connected.filters)):
            value = float(next(number))
            kernel[*out, *tap, c, f] = value
            index = (c, *place, f, *out) if first else (*place, c, *out, f)
            dense[index] = value
            row = np.ravel_multi_index(
                (f, *out) if first else (*out, f), connected.dense_shape[len(place) + 1 :]
            )
            column = np.ravel_multi_index(index[: len(place) + 1], dense.shape[: len(place) + 1])
            listed.append((row, column, value))
    if first:
        kernel = np.moveaxis(kernel, -2, len(connected.outputs))
    sparse = np.array([value for _, _, value in sorted(listed)])
    return kernel.reshape(connected.shape), dense, sparse


@pytest.mark.parametrize("channels_first", [False, True])
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_what_is_connected(sizes: tuple[tuple[int, ...], ...], channels_first: bool) -> None:
    connected = Connections(*sizes, channels=2, filters=3, channels_first=channels_first)
    kernel, dense, sparse = weights_of(connected)
    assert connected.count == sparse.size
    for stored, places in ((dense, connected.dense), (sparse, connected.sparse)):
        source = GatheredSource(ArraySource(stored), connected.shape, places)
        found = np.empty(math.prod(source.shape))
        for start in range(0, found.size, 7):  # pieces end anywhere
            source.read_into(start, found[start : start + 7])
        assert np.array_equal(found.reshape(source.shape), kernel)


def test_another_array_is_taken_from_alike() -> None:
    places = np.array([2, -1, 0])
    source = GatheredSource(ArraySource(np.arange(4.0)), (3,), lambda at: places[at])
    found = np.empty(3)
    source.of(ArraySource(np.arange(4.0) * 10)).read_into(0, found)
    assert found.tolist() == [20.0, 0.0, 0.0]
