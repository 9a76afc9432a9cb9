"""Axes and terms: sizes, keys, rewriting; layouts and the shapes that follow from them."""

from __future__ import annotations

import pytest

from kerasir.errors import LayoutError
from kerasir.ir.layout import (
    Axis,
    Fused,
    Joined,
    Labelled,
    Layout,
    Reversed,
    axes_of,
    copy_of,
    expand,
    find,
    fuse,
    key,
    rebuild,
    reverse,
    size_of,
    sizes_from,
    substance,
)


@pytest.fixture
def c() -> Axis:
    return Axis("C", 2)


@pytest.fixture
def h() -> Axis:
    return Axis("H", 3)


@pytest.fixture
def w() -> Axis:
    return Axis("W", 5)


class TestAxes:
    def test_are_compared_by_identity(self) -> None:
        assert Axis("C", 3) != Axis("C", 3)
        assert Layout.of(Axis("C", 3)) != Layout.of(Axis("C", 3))

    def test_make_layouts_equal_when_they_are_the_same(self, c: Axis, h: Axis) -> None:
        assert Layout.of(c, Reversed(h)) == Layout.of(c, Reversed(h))
        assert Layout.of(c, h) != Layout.of(h, c)
        assert hash(Layout.of(c, h)) == hash(Layout.of(c, h))


class TestFuse:
    def test_opens_fusions_inside(self, c: Axis, h: Axis, w: Axis) -> None:
        assert fuse([c, fuse([h, w])]) == Fused((c, h, w))

    def test_of_one_term_is_that_term(self, c: Axis) -> None:
        assert fuse([c]) is c

    def test_is_undone_by_expand(self, c: Axis, h: Axis, w: Axis) -> None:
        assert expand([fuse([c, h]), w]) == (c, h, w)


class TestSizes:
    def test_follow_from_the_terms(self, c: Axis, h: Axis, w: Axis) -> None:
        gates = Labelled(Axis("G", 4), ("i", "f", "c", "o"))
        layout = Layout.of(Reversed(h), fuse([c, w]), Joined((fuse([c, h]), w)), gates)
        assert layout.shape == (3, 10, 11, 4)

    def test_of_no_terms_are_those_of_a_scalar(self) -> None:
        assert Layout.of().shape == ()

    def test_are_unknown_where_one_axis_is(self, c: Axis) -> None:
        batch = Axis("N", None)
        assert Layout.of(batch, fuse([batch, c]), Joined((c, batch))).shape == (None, None, None)
        assert size_of(fuse([batch, c]), {batch: 7}) == 14

    def test_of_a_fusion_with_an_empty_axis_are_zero(self, c: Axis) -> None:
        assert size_of(fuse([c, Axis("H", 0)])) == 0


class TestSizesFrom:
    def test_reads_open_sizes_off_a_shape(self, c: Axis) -> None:
        n, t = Axis("N", None), Axis("T", None)
        assert sizes_from((n, fuse([t, c])), (7, 10)) == {n: 7, t: 5}

    def test_reads_a_size_in_a_join(self, c: Axis, h: Axis) -> None:
        t = Axis("T", None)
        assert sizes_from([Joined((fuse([t, c]), h))], [13]) == {t: 5}

    def test_reads_a_size_that_is_there_more_than_once(self, c: Axis) -> None:
        t = Axis("T", None)
        assert sizes_from([Joined((t, c, t))], [12]) == {t: 5}

    def test_of_an_empty_array(self, c: Axis) -> None:
        n = Axis("N", None)
        assert sizes_from((n, c), (0, 2)) == {n: 0}

    @pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 2, 3)])
    def test_refuses_another_shape(self, shape: tuple[int, ...]) -> None:
        layout = Layout.parse("H:3 W:2")
        with pytest.raises(LayoutError, match=r"does not fit layout H:3 W:2"):
            sizes_from(layout.terms, shape)

    def test_refuses_a_shape_that_does_not_divide(self) -> None:
        with pytest.raises(LayoutError, match=r"shape \(7,\) does not fit"):
            sizes_from(Layout.parse("(T C:2)").terms, (7,))

    def test_refuses_to_guess_two_sizes(self) -> None:
        with pytest.raises(LayoutError, match="several sizes are not known in one dimension"):
            sizes_from(Layout.parse("(H W)").terms, (6,))

    def test_does_not_count_a_labelled_axis_as_unknown(self) -> None:
        assert sizes_from([Labelled(Axis("G", None), ("i", "f"))], [2]) == {}


class TestKeys:
    def test_are_equal_whatever_the_order_inside(self, c: Axis, h: Axis, w: Axis) -> None:
        assert key(fuse([c, h, w])) == key(fuse([w, Reversed(c), h]))

    def test_tell_the_parts_of_a_join_apart_by_position(self, c: Axis, h: Axis) -> None:
        assert key(Joined((c, h))) != key(Joined((h, c)))
        assert key(Joined((c, h))) != key(fuse([c, h]))

    def test_find_a_term(self, c: Axis, h: Axis, w: Axis) -> None:
        assert find((w, fuse([c, h])), fuse([h, c])) == 1

    def test_name_what_is_not_found(self, c: Axis, h: Axis) -> None:
        with pytest.raises(LayoutError, match=r"no term H:3 in layout C:2"):
            find((c,), h)

    def test_without_units_are_a_substance(self, c: Axis, h: Axis) -> None:
        one = Axis("H", 1)
        assert substance(one) == frozenset()
        assert substance(fuse([c, one])) == substance(c)
        assert substance(Joined((fuse([c, one]), h))) == substance(Joined((c, h)))

    def test_joins_of_units_only_stay_apart(self) -> None:
        a, b, other = Axis("F", 1), Axis("F", 1), Axis("F", 1)
        assert substance(Joined((a, b))) != substance(Joined((a, other)))


class TestRewriting:
    def test_reversed_twice_is_the_term_itself(self, c: Axis, h: Axis) -> None:
        term = fuse([c, Reversed(h)])
        assert reverse(term) == Fused((Reversed(c), h))
        assert reverse(reverse(term)) == term

    def test_a_join_is_not_reversed(self, c: Axis, h: Axis) -> None:
        with pytest.raises(LayoutError, match="cannot be reversed"):
            reverse(Joined((c, h)))

    def test_an_axis_is_split_wherever_it_occurs(self, c: Axis, h: Axis, w: Axis) -> None:
        split = {c: fuse([h, w])}
        assert rebuild(c, split) == Fused((h, w))
        assert rebuild(Reversed(c), split) == Fused((Reversed(h), Reversed(w)))
        assert rebuild(Joined((c, h)), split) == Joined((Fused((h, w)), h))

    def test_a_labelled_axis_is_not_split(self, h: Axis, w: Axis) -> None:
        gates = Labelled(Axis("G", 2), ("i", "f"))
        with pytest.raises(LayoutError, match="cannot be split"):
            rebuild(gates, {gates.axis: fuse([h, w])})

    def test_a_copy_has_axes_of_its_own(self, c: Axis, h: Axis) -> None:
        term = Joined((fuse([c, h]), c))
        copy = copy_of(term)
        assert str(Layout.of(copy)) == str(Layout.of(term))
        assert not set(axes_of([copy])) & {c, h}
        assert copy.parts[0].terms[0] is copy.parts[1]  # type: ignore[union-attr]
