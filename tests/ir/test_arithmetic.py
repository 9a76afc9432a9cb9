"""Weights that are computed from others: what they hold, told by loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from kerasir.ir.arithmetic import diagonal, identity_matrix
from kerasir.ir.layout import Axis, Layout
from kerasir.ir.source import ArraySource
from kerasir.ir.tensor import Param, Stored, Weight


@pytest.mark.parametrize(("tall", "wide"), [(1, 1), (1, 3), (2, 3), (3, 1)])
def test_groups_by_themselves_as_all_at_once(tall: int, wide: int) -> None:
    taps, groups, rows, columns = Axis("H", 2), Axis("C", 4), Axis("I", tall), Axis("M", wide)
    # stored in another order than it is wanted
    stored = np.arange(1, 1 + 8 * tall * wide, dtype="f4").reshape(wide, 4, 2, tall)
    layout = Layout((columns, groups, taps, rows))
    param = Param(Weight("w", (ArraySource(stored),)), (Stored(layout),))
    made, channels, filters = diagonal(param, (taps,), (groups,), (rows,), (columns,))
    want = np.zeros((2, 4 * tall, 4 * wide))
    for h, c, i, m in itertools.product(range(2), range(4), range(tall), range(wide)):
        want[h, c * tall + i, c * wide + m] = stored[m, c, h, i]
    found = made.numpy(Layout((taps, channels, filters)), np.dtype("f8"))
    np.testing.assert_array_equal(found, want)
    (source,) = made.weight.sources
    for start, count in [(0, 1), (1, 5), (7, 4 * wide + 3), (want.size - 2, 2)]:
        out = np.full(count, np.nan)
        source.read_into(start, out)
        np.testing.assert_array_equal(out, want.reshape(-1)[start : start + count])


def test_an_identity_matrix() -> None:
    out = np.empty(9)
    identity_matrix(3).read_into(0, out)
    np.testing.assert_array_equal(out.reshape(3, 3), np.eye(3))
