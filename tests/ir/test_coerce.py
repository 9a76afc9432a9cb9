"""Coercions of activations: the same numbers as the copy plan, in as few steps as it takes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, strategies as st

from kerasir.errors import LayoutError
from kerasir.ir.coerce import Gather, Permute, Reshape, Step, decompose
from kerasir.ir.copyplan import rearrange
from kerasir.ir.layout import Axis, Layout, axes_of, rebuild
from kerasir.ir.notation import parse_over
from kerasir.ir.source import Array
from kerasir.testing.strategies import layouts, structures


def apply_steps(array: Array, steps: Sequence[Step]) -> Array:
    """What a framework computes."""
    for step in steps:
        if isinstance(step, Reshape):
            copied = [array.shape[i] if size == 0 else size for i, size in enumerate(step.shape)]
            array = array.reshape(copied)
        elif isinstance(step, Permute):
            array = array.transpose(step.perm)
        else:
            array = np.take(array, step.indices, axis=step.axis)
    return array


def numbered(layout: Layout) -> Array:
    shape = [size or 0 for size in layout.shape]
    return np.arange(math.prod(shape)).reshape(shape)


def steps_of(have: str, want: str) -> list[tuple[int, ...] | str]:
    """The steps, short: the shape of a Reshape, the perm of a Permute."""
    layout = Layout.parse(have)
    found: list[tuple[int, ...] | str] = []
    for step in decompose(layout, parse_over(want, layout.terms)):
        if isinstance(step, Gather):
            found.append(f"gather {step.axis}: {' '.join(map(str, step.indices))}")
        else:
            found.append(step.shape if isinstance(step, Reshape) else step.perm)
    return found


@given(st.data())
def test_the_steps_do_what_the_copy_plan_does(data: st.DataObject) -> None:
    structure = data.draw(structures())
    have, want = data.draw(layouts(structure)), data.draw(layouts(structure))
    array, steps = numbered(have), decompose(have, want)
    np.testing.assert_array_equal(
        apply_steps(array, steps), rearrange(array, have, want), strict=True
    )
    assert [type(step) for step in steps[:3]].count(Reshape) <= 2


@given(st.data())
def test_unknown_sizes_change_nothing_but_what_can_be_said(data: st.DataObject) -> None:
    structure = data.draw(structures(labels=False))
    have, want = data.draw(layouts(structure)), data.draw(layouts(structure))
    array, result = numbered(have), rearrange(numbered(have), have, want)
    open_axes = data.draw(st.sets(st.sampled_from(list(axes_of(structure)) or [Axis("N", 2)])))
    opened = {axis: Axis(axis.role, None) for axis in open_axes}
    have, want = (
        Layout(tuple(rebuild(term, opened) for term in layout.terms)) for layout in (have, want)
    )
    try:
        steps = decompose(have, want)
    except LayoutError:
        assert open_axes
        return
    if all(axis.size != 1 for axis in open_axes):
        np.testing.assert_array_equal(apply_steps(array, steps), result, strict=True)


@given(st.data())
def test_a_layout_is_brought_to_itself_by_no_step(data: st.DataObject) -> None:
    layout = data.draw(layouts(data.draw(structures())))
    assert decompose(layout, layout) == ()


@given(st.data())
def test_what_keeps_its_dimensions_is_permuted_only(data: st.DataObject) -> None:
    structure = data.draw(structures(labels=False, joins=False, sizes=(2, 3, 4, 5)))
    have, want = (data.draw(layouts(structure, reversals=False, fusions=False)) for _ in range(2))
    assert len(decompose(have, want)) == (have != want)


@pytest.mark.parametrize(
    ("have", "want", "steps"),
    [
        ("N H:4 W:5 C:3", "N C H W", [(0, 3, 1, 2)]),
        ("N H W C:3", "N C H W", [(0, 3, 1, 2)]),
        ("N H:4 W:5 C:3", "N (C H W)", [(0, 3, 1, 2), (0, 60)]),
        ("N (H:4 W:5 C:3)", "N (C H W)", [(0, 20, 3), (0, 2, 1), (0, 60)]),
        ("N (H:4 W:5 C:3)", "N C H W", [(0, 4, 5, 3), (0, 3, 1, 2)]),
        ("N C:3 H:4 W:5", "N (C H W)", [(0, 60)]),
        ("N (C:3 H:4 W:5)", "N C (H W)", [(0, 3, 20)]),
        # What moves whole may be of unknown size; one such size can be left to the Reshape.
        ("N (T C:3) F:2", "N F (T C)", [(0, 2, 1)]),
        ("N (T C:3)", "N T C", [(0, -1, 3)]),
        ("N T C:3", "(N T) C", [(-1, 3)]),
        ("N H W C:3", "N C (H W)", [(0, 3, 1, 2), (0, 3, -1)]),
        # Axes of size one come and go by a Reshape; where one only moves, nothing is permuted.
        ("N H:1 W:1 C:3", "N C", [(0, 3)]),
        ("N C:3", "N C 1 1", [(0, 3, 1, 1)]),
        ("N H:1 C:3", "N C H", [(0, 3, 1)]),
        ("N H:1 W:5 C:3", "N C H W", [(0, 3, 1, 2)]),
        ("N H:1 W:5 C:3", "N C W", [(0, 1, 3, 2), (0, 3, 5)]),
        ("N W:5 C:3", "N C 1 W", [(0, 2, 1), (0, 3, 1, 5)]),
        ("N (H:1 C:3)", "N C", []),
        # But a Reshape leaves one size open, and where more are, one of size one is permuted too.
        ("N H W C:1", "N C H W", [(0, 3, 1, 2)]),
        ("N H C:1", "N C H", [(0, 1, -1)]),
        ("N H W C:1 F:1", "N C H W", [(0, 3, 1, 2, 4), (0, 1, 0, 0)]),
        # So a batch of one stays in front.
        ("N:1 H:4 W:5 C:3", "N (C H W)", [(0, 3, 1, 2), (1, 60)]),
        ("N:1 (H:4 W:5 C:3)", "N C H W", [(1, 4, 5, 3), (0, 3, 1, 2)]),
        ("N:1 (H:4 C:3)", "N (C H)", [(1, 4, 3), (0, 2, 1), (1, 12)]),
        # A join is one atom: moved whole, reordered inside by a Gather.
        ("N H:4 {C:2 | F:3}", "N {C | F} H", [(0, 2, 1)]),
        ("N {(H:2 C:3) | F:2}", "N {(C H) | F}", ["gather 1: 0 3 1 4 2 5 6 7"]),
        ("N H:4 {(W:2 C:3) | F:2}", "N {(C W) | F} H", [(0, 2, 1), "gather 1: 0 3 1 4 2 5 6 7"]),
        ("N ~H:4 C:3", "N H C", ["gather 1: 3 2 1 0"]),
        ("", "", []),
    ],
)
def test_steps(have: str, want: str, steps: list[tuple[int, ...] | str]) -> None:
    assert steps_of(have, want) == steps


def test_a_reshape_keeps_the_batch_whatever_its_size() -> None:
    have = Layout.parse("N:1 (H:4 C:3)")
    first, _, last = decompose(have, parse_over("N (C H)", have.terms))
    assert isinstance(first, Reshape)
    assert isinstance(last, Reshape)
    assert first.layout.terms[0] is last.layout.terms[0] is have.terms[0]


def test_a_reshape_says_what_comes_out() -> None:
    have = Layout.parse("N H:4 W:5 C:3")
    _, last = decompose(have, parse_over("N (C H W)", have.terms))
    assert isinstance(last, Reshape)
    assert str(last.layout) == "N:? (C:3 H:4 W:5)"


class TestRefusals:
    def test_a_fusion_of_unknown_sizes_is_not_split(self) -> None:
        with pytest.raises(LayoutError) as caught:
            steps_of("N (H W C:3)", "N C H W")
        assert str(caught.value) == (
            "cannot bring a value to N:? H:? W:? C:3 by a Reshape: a fused term of unknown size "
            "may be moved whole, never split (fix the sizes of the model's inputs)"
        )

    @pytest.mark.parametrize(
        ("have", "want"), [("N ~H", "N H"), ("N {(T C:2)|F:3}", "N {(C T)|F}")]
    )
    def test_positions_of_unknown_number_are_not_reordered(self, have: str, want: str) -> None:
        with pytest.raises(LayoutError, match=r"cannot reorder .*: its size is not known"):
            steps_of(have, want)

    def test_other_axes(self) -> None:
        with pytest.raises(LayoutError, match="not made of the same axes"):
            decompose(Layout.parse("N C:3"), Layout.parse("N C:3"))

    def test_an_axis_twice(self) -> None:
        axis = Axis("C", 3)
        with pytest.raises(LayoutError, match="not made of the same axes"):
            decompose(Layout.of(axis), Layout.of(axis, axis))
