"""Views, reshapes and repeats against NumPy by position."""

from __future__ import annotations

import numpy as np
import pytest
from one_op import OneOp, everywhere, numbers

from kerasir.errors import LayoutError
from kerasir.ir.build import Builder
from kerasir.ir.layout import Axis, Term, fuse
from kerasir.ir.ops.shape import Repeat, Reshape, View

N = Axis("N", None)
A, B, C, ONE = Axis("X", 3), Axis("X", 4), Axis("X", 5), Axis("X", 1)


def view(before: list[Term], after: list[Term], op: View | Reshape) -> Builder:
    builder = Builder()
    x = builder.input("x", (N, *before))
    builder.add(op, "view", [x], [(N, *after)])
    return builder


def test_flatten_and_permute_and_units() -> None:
    x = numbers(2, 3, 4, 5)
    cases: list[tuple[list[Term], list[int], tuple[int, ...]]] = [
        ([fuse((A, B, C))], [0, 1, 2, 3], (2, 60)),
        ([fuse((B, C, A))], [0, 2, 3, 1], (2, 60)),
        ([C, A, B], [0, 3, 1, 2], (2, 5, 3, 4)),
        ([B, fuse((A, C))], [0, 2, 1, 3], (2, 4, 15)),
        ([ONE, A, fuse((B, C))], [0, 1, 2, 3], (2, 1, 3, 20)),
    ]
    for after, order, shape in cases:
        builder = view([A, B, C], after, View())
        for [found] in everywhere(builder.freeze(builder.nodes[0].results), [x]):
            np.testing.assert_array_equal(found, np.transpose(x, order).reshape(shape))


def test_reshape_that_does_not_factor() -> None:
    x = numbers(2, 4, 15)
    after = [Axis("X", 6), Axis("X", 10)]
    builder = view([Axis("X", 4), Axis("X", 15)], list(after), Reshape())
    for [found] in everywhere(builder.freeze(builder.nodes[0].results), [x]):
        np.testing.assert_array_equal(found, x.reshape(2, 6, 10))


def test_reshape_of_the_wrong_count_is_refused_by_name() -> None:
    builder = view([Axis("X", 4), Axis("X", 5)], [Axis("X", 6)], Reshape())
    graph = builder.freeze(builder.nodes[0].results)
    with pytest.raises(LayoutError, match="view: its inputs do not fit: cannot reshape"):
        list(everywhere(graph, [numbers(2, 4, 5)]))


@pytest.mark.parametrize("batch", [(2,), (2, 3)])
def test_repeat(batch: tuple[int, ...]) -> None:
    x = numbers(*batch, 4)
    y = np.zeros((*batch, 5, 4))
    for *n, t, f in np.ndindex(y.shape):
        y[*n, t, f] = x[*n, f]
    OneOp(Repeat(), {"batch": (None, *batch[1:]), "time": (5,), "features": (4,)}).gives(y, of=[x])
