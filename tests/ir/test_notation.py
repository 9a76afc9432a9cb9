"""The written form of layouts: printed, read back, refused with a caret under the place."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from kerasir.errors import LayoutError
from kerasir.ir.layout import Axis, Fused, Joined, Labelled, Layout, Reversed
from kerasir.ir.notation import MAX_DEPTH, MAX_TEXT, names_of, parse_over, show
from kerasir.testing.strategies import layouts, structures


@pytest.mark.parametrize(
    "text",
    [
        "",
        "N:? H:224 W:224 C:3",
        "O:64 I:3 ~H:7 ~W:7",
        "(C:8 H:3 W:3) O:10",
        "{(C:8 H:3 W:3) | F:10} O:5",
        "I:7 (G[i f c o] U:5)",
        "{C:2 | {C'2:3 | (C'3:4 H:5)} | ~W:6}",
        "N:? T:? T'2:3",
        "myplugin.Q:3 C:2",
        "H:0",
    ],
)
def test_what_is_printed_is_what_was_read(text: str) -> None:
    assert str(Layout.parse(text)) == text


@given(st.data())
def test_any_layout_is_read_back_over_its_own_axes(data: st.DataObject) -> None:
    layout = data.draw(layouts(data.draw(structures())))
    assert parse_over(str(layout), layout.terms) == layout


def test_terms_are_what_the_marks_say() -> None:
    terms = Layout.parse("N:? ~H:3 (C:2 W:5) {F:4 | T:6} G[a b]").terms
    assert [type(term) for term in terms] == [Axis, Reversed, Fused, Joined, Labelled]
    assert Layout(terms).shape == (None, 3, 10, 10, 2)


def test_sizes_may_be_left_out() -> None:
    layout = Layout.parse("I:7 (G[i f] ~U:5)")
    assert show(layout.terms, sizes=False) == "I (G[i f] ~U)"
    assert Layout.parse("H W").shape == (None, None)


def test_one_is_an_axis_of_size_one() -> None:
    assert Layout.parse("N:? 1 C:3").shape == (None, 1, 3)


def test_axes_of_one_role_get_marks_in_order() -> None:
    first, second = Axis("T", 2), Axis("T", 3)
    assert names_of([second, first]) == {second: "T", first: "T'2"}


def test_a_part_of_several_terms_is_fused() -> None:
    (join,) = Layout.parse("{C:2 H:3 | F:4}").terms
    assert isinstance(join, Joined)
    assert isinstance(join.parts[0], Fused)


class TestParseOver:
    def test_finds_the_same_axes(self) -> None:
        kernel = Layout.parse("O:4 I:3 ~H:2 ~W:5")
        o, i, h, w = kernel.axes
        assert parse_over("H W I O", kernel.terms).terms == (h, w, i, o)

    def test_an_axis_of_size_one_may_be_left_out(self) -> None:
        assert parse_over("C", Layout.parse("H:1 C:3").terms).shape == (3,)

    def test_no_other_axis_may(self) -> None:
        with pytest.raises(LayoutError, match=r"layout 'C' leaves out H"):
            parse_over("C", Layout.parse("H:2 C:3").terms)

    def test_an_axis_that_is_not_there_is_named(self) -> None:
        with pytest.raises(LayoutError, match=r"no axis W here \(the axes are C H\)"):
            parse_over("C H W", Layout.parse("H:2 C:3").terms)


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("N (C H", "')' is missing", 6),
        ("N C)", "not an axis: ')'", 3),
        ("()", "nothing is fused here", 1),
        ("{C | }", "an empty part of a join", 5),
        ("{C | H", "'}' is missing", 6),
        ("N  * C", "not a layout term", 3),
        ("1x", "not a layout term", 0),
        ("N:-1", "not a layout term", 1),
        ("C H  C", "axis C twice (a second axis of a role is C'2)", 5),
        ("~G[i f]", "a labelled axis is not reversed: its labels give the order", 0),
        ("I G[i i]", "labels must be there, each once", 2),
        ("G[]", "labels must be there, each once", 0),
        ("G:4[i f]", "2 labels for 4 positions", 0),
    ],
)
def test_what_cannot_be_read_is_pointed_at(text: str, message: str, place: int) -> None:
    with pytest.raises(LayoutError) as caught:
        Layout.parse(text)
    assert caught.value.what == message
    assert caught.value.details == (text, " " * place + "^")


def test_nesting_and_length_have_a_bound() -> None:
    with pytest.raises(LayoutError, match=f"nested deeper than {MAX_DEPTH}"):
        Layout.parse("(" * 900)
    with pytest.raises(LayoutError, match=f"over {MAX_TEXT} characters"):
        Layout.parse("C " * MAX_TEXT)
