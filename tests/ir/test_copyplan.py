"""Copy plans against NumPy written by hand, against einops, and against an oracle of positions."""

from __future__ import annotations

import math
from typing import Any

import einops
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from kerasir.errors import LayoutError, WeightError
from kerasir.ir.copyplan import apply, assign, plan, rearrange, strided
from kerasir.ir.layout import Axis, Joined, Labelled, Layout, fuse
from kerasir.ir.notation import parse_over, show
from kerasir.testing.positions import expected
from kerasir.testing.strategies import layouts, structures

RNG = np.random.default_rng(7)


def numbered(layout: Layout) -> np.ndarray:
    """Different numbers in a tensor of this layout."""
    shape = [size or 0 for size in layout.shape]
    return np.arange(math.prod(shape)).reshape(shape)


class TestByHand:
    """What the eras need, written out in NumPy."""

    @pytest.mark.parametrize(
        ("stored", "wanted", "by_hand"),
        [
            ("O:4 I:3 ~H:2 ~W:5", "H W I O", lambda x: x[:, :, ::-1, ::-1].transpose(2, 3, 1, 0)),
            ("~H:2 ~W:5 I:3 O:4", "H W I O", lambda x: x[::-1, ::-1]),
            ("H:2 W:5 I:3 O:4", "O I H W", lambda x: x.transpose(3, 2, 0, 1)),
            (
                "(C:4 H:2 W:3) O:5",
                "(H W C) O",
                lambda x: x.reshape(4, 2, 3, 5).transpose(1, 2, 0, 3).reshape(24, 5),
            ),
            (
                "O:5 (C:4 ~H:3)",
                "(H C) O",
                lambda x: x.reshape(5, 4, 3)[:, :, ::-1].transpose(2, 1, 0).reshape(12, 5),
            ),
            (
                "I:3 (G[i f c o] U:2)",
                "(G[i o f c] U) I",
                lambda x: x.reshape(3, 4, 2)[:, [0, 3, 1, 2]].transpose(1, 2, 0).reshape(8, 3),
            ),
            (
                "{(C:2 H:3) | F:4} O:5",
                "{(H C) | F} O",
                lambda x: np.concatenate([
                    x[:6].reshape(2, 3, 5).transpose(1, 0, 2).reshape(6, 5),
                    x[6:],
                ]),
            ),
            ("N:3 {C:2 | F:4}", "{C | F} N", lambda x: x.T),
            ("H:1 C:3 W:1 O:2", "O C", lambda x: x[0, :, 0].T),
            ("C:3", "1 C 1", lambda x: x[None, :, None]),
            ("", "", lambda x: x),
            ("C:0 H:3", "H C", lambda x: x.T),
        ],
    )
    def test_rearrange(self, stored: str, wanted: str, by_hand: Any) -> None:
        have = Layout.parse(stored)
        array = numbered(have)
        result = rearrange(array, have, parse_over(wanted, have.terms))
        np.testing.assert_array_equal(result, by_hand(array), strict=True)

    def test_open_sizes_are_read_off_the_array(self) -> None:
        have = Layout.parse("N:? T:? C:3")
        array = RNG.standard_normal((2, 5, 3))
        result = rearrange(array, have, parse_over("N (C T)", have.terms))
        np.testing.assert_array_equal(result, array.transpose(0, 2, 1).reshape(2, 15))

    def test_an_array_in_any_memory_order_will_do(self) -> None:
        have = Layout.parse("C:3 H:4")
        array = np.asfortranarray(RNG.standard_normal((3, 4)))
        result = rearrange(array[:, ::-1], have, parse_over("H C", have.terms))
        np.testing.assert_array_equal(result, array[:, ::-1].T)


@given(st.data())
def test_rearrange_does_what_the_positions_say(data: st.DataObject) -> None:
    structure = data.draw(structures())
    have, want = data.draw(layouts(structure)), data.draw(layouts(structure))
    array = numbered(have)
    np.testing.assert_array_equal(
        rearrange(array, have, want), expected(array, have, want), strict=True
    )


@given(st.data())
def test_there_and_back_is_the_identity(data: st.DataObject) -> None:
    structure = data.draw(structures())
    have, want = data.draw(layouts(structure)), data.draw(layouts(structure))
    array = numbered(have)
    np.testing.assert_array_equal(rearrange(rearrange(array, have, want), want, have), array)


@given(st.data())
def test_two_ways_after_one_another_are_the_direct_one(data: st.DataObject) -> None:
    structure = data.draw(structures())
    first, second, third = (data.draw(layouts(structure)) for _ in range(3))
    array = numbered(first)
    np.testing.assert_array_equal(
        rearrange(rearrange(array, first, second), second, third), rearrange(array, first, third)
    )


@given(st.data())
def test_einops_agrees_where_it_can_say_it(data: st.DataObject) -> None:
    structure = data.draw(structures(labels=False, joins=False))
    have, want = (data.draw(layouts(structure, reversals=False)) for _ in range(2))
    names = {axis: f"a{number}" for number, axis in enumerate(have.axes)}
    pattern = " -> ".join(show(layout.terms, sizes=False, names=names) for layout in (have, want))
    sizes = {name: axis.size for axis, name in names.items()}
    array = numbered(have)
    np.testing.assert_array_equal(
        rearrange(array, have, want), einops.rearrange(array, pattern, **sizes), strict=True
    )


@settings(max_examples=50)
@given(st.data())
def test_units_come_and_go_in_joins_too(data: st.DataObject) -> None:
    part, other = (*data.draw(structures(joins=False)), Axis("C", 2)), Axis("F", 3)
    unit = Axis("H", 1)
    have = Layout.of(Joined((fuse([*part, unit]), other)))
    want = Layout.of(Joined((fuse(part), other)), Axis("X", 1))
    array = numbered(have)
    np.testing.assert_array_equal(rearrange(array, have, want), array[:, None])


class TestPlain:
    """A plan that moves nothing is known to: its bytes can be copied as they lie."""

    @given(st.data())
    def test_is_the_way_from_a_layout_to_itself(self, data: st.DataObject) -> None:
        layout = data.draw(layouts(data.draw(structures()), reversals=False))
        assert plan(layout, layout).is_plain

    @given(st.data())
    def test_means_that_the_numbers_stay_in_order(self, data: st.DataObject) -> None:
        structure = data.draw(structures())
        have, want = data.draw(layouts(structure)), data.draw(layouts(structure))
        array = numbered(have)
        stays = bool((expected(array, have, want).ravel() == array.ravel()).all())
        assert plan(have, want).is_plain <= stays

    @pytest.mark.parametrize(
        ("stored", "wanted"),
        [
            ("(C:2 H:3) O:4", "C H O"),
            ("H:1 I:3 O:4", "I H O"),
            ("I:3 (G[i f] U:2)", "I G[i f] U"),
            ("N:2 {C:3 | F:4}", "N {C | F}"),
            ("", ""),
        ],
    )
    def test_includes_other_shapes(self, stored: str, wanted: str) -> None:
        have = Layout.parse(stored)
        assert plan(have, parse_over(wanted, have.terms)).is_plain

    @pytest.mark.parametrize(
        ("stored", "wanted"),
        [
            ("H:3 W:2", "W H"),
            ("~H:3", "H"),
            ("G[i f] U:2", "G[f i] U"),
        ],
    )
    def test_leaves_out_what_moves(self, stored: str, wanted: str) -> None:
        have = Layout.parse(stored)
        assert not plan(have, parse_over(wanted, have.terms)).is_plain

    def test_leaves_out_one_of_several_arrays(self) -> None:
        gate, units = Axis("G", 2), Axis("U", 3)
        wanted = Layout.of(Labelled(gate, ("i", "f")), units)
        assert not plan(Layout.of(units), wanted, at={gate: "i"}).is_plain


class TestRefusals:
    def test_other_axes(self) -> None:
        have, want = Layout.parse("C:3 H:4"), Layout.parse("C:3 H:4")
        with pytest.raises(LayoutError, match="not made of the same axes"):
            plan(have, want)

    def test_a_label_that_is_not_there(self) -> None:
        have = Layout.parse("G[i f] U:2")
        gate, units = have.axes
        want = Layout.of(Labelled(gate, ("i", "c")), units)
        with pytest.raises(LayoutError, match="not made of the same axes"):
            plan(have, want)

    def test_a_label_without_a_source(self) -> None:
        have = Layout.parse("G[i] U:2")
        gate, units = have.axes
        want = Layout.of(Labelled(gate, ("i", "c")), units)
        with pytest.raises(LayoutError, match="some of it has no source"):
            plan(have, want)

    def test_the_same_label_twice(self) -> None:
        have = Layout.parse("G[i f] U:2")
        gate, units = have.axes
        twice = Layout.of(Labelled(gate, ("i", "i")), units)
        with pytest.raises(LayoutError):
            plan(have, twice)
        with pytest.raises(LayoutError):
            plan(twice, have)

    def test_an_axis_twice(self) -> None:
        axis = Axis("C", 3)
        with pytest.raises(LayoutError):
            plan(Layout.of(axis), Layout.of(axis, axis))
        with pytest.raises(LayoutError):
            plan(Layout.of(axis, axis), Layout.of(axis))

    def test_a_size_that_is_not_known(self) -> None:
        layout = Layout.parse("N:? C:3")
        with pytest.raises(LayoutError, match=r"the size of N:\? is not known here"):
            plan(layout, layout)

    def test_a_box_outside_the_array(self) -> None:
        with pytest.raises(ValueError, match="incompatible"):
            strided(np.zeros(11), 0, (3, 4), (4, 1))
        with pytest.raises(ValueError, match="incompatible"):
            strided(np.zeros(12), 7, (3, 4), (-4, 1))


class TestAssign:
    """Numbers change their type on the way, but never their meaning."""

    @pytest.mark.parametrize(
        ("stored", "wanted"),
        [("<f4", "<f8"), (">f4", "<f4"), ("<f4", ">f8"), ("i4", "i8"), ("f2", "f4"), ("?", "f4")],
    )
    def test_widening_and_byte_order_are_exact(self, stored: str, wanted: str) -> None:
        here = np.array([0, 1, 3], stored)
        there = np.empty(3, wanted)
        assign(there, here)
        np.testing.assert_array_equal(there, here.astype(wanted))

    def test_narrowing_rounds(self) -> None:
        there = np.empty(2, np.float32)
        assign(there, np.array([0.1, 1e-60]))
        assert there.tolist() == [np.float32(0.1), 0.0]

    def test_what_was_infinite_or_nan_stays_so(self) -> None:
        there = np.empty(3, np.float16)
        assign(there, np.array([np.inf, -np.inf, np.nan]))
        np.testing.assert_array_equal(there, np.array([np.inf, -np.inf, np.nan], np.float16))

    @pytest.mark.parametrize(
        ("number", "stored", "wanted"),
        [
            (1e300, "f8", "f4"),
            (-1e300, ">f8", "<f4"),
            (1e6, "f4", "f2"),
            (2**40, "i8", "i4"),
            (70000, "i8", "f2"),
        ],
    )
    def test_a_number_that_does_not_fit_is_refused(
        self, number: float, stored: str, wanted: str
    ) -> None:
        here = np.array([[1, number], [2, 3]], stored).T
        with pytest.raises(WeightError, match="a number is too large for"):
            assign(np.empty((2, 2), wanted), here)

    def test_another_kind_of_number_is_refused(self) -> None:
        with pytest.raises(WeightError, match="float32 numbers cannot be stored as int32"):
            assign(np.empty(1, np.int32), np.ones(1, np.float32))


def test_a_plan_is_run_on_flat_arrays() -> None:
    have = Layout.parse("C:2 ~H:3")
    copy = plan(have, parse_over("H C", have.terms))
    result = np.empty(6)
    apply(copy, np.arange(6.0), result)
    assert result.tolist() == [2, 5, 1, 4, 0, 3]
