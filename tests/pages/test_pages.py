"""The pieces of pages: escaping, tags, folding, places."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, strategies as st

from kerasir.pages.fold import Box, Item, fold
from kerasir.pages.markup import Markup, el, join, text
from kerasir.pages.place import place
from kerasir.pages.tags import marks, tag


def test_what_is_no_markup_becomes_text() -> None:
    assert el("p", "<b>&\x1b[31m\u202e", None, 3) == "<p>&lt;b&gt;&amp;\\x1b[31m\\u202e3</p>"
    assert el("a", "x", href='"><script>') == '<a href="&quot;&gt;&lt;script&gt;">x</a>'
    assert el("path", d="M0 0", class_="edge") == '<path d="M0 0" class="edge"/>'
    assert el("svg", viewBox="0 0 1 1", aria_label="a", hidden=True, role=None) == (
        '<svg viewBox="0 0 1 1" aria-label="a" hidden></svg>'
    )
    assert join(["<", Markup("<br/>"), None]) == "&lt;<br/>"
    assert text("x" * 1000).endswith("...")


@pytest.mark.parametrize(
    ("before", "after", "marked"),
    [
        (
            "O:4 I:3 ~H:3 ~W:3",
            "H:3 W:3 I:3 O:4",
            {"H": "rev", "W": "rev", "O": "perm", "I": "perm"},
        ),
        ("N C:3 H:8 W:8", "N H:8 W:8 C:3", {"C": "perm"}),
        ("(C:6 H:4 W:3) O:8", "(H:4 W:3 C:6) O:8", dict.fromkeys("CHW", "rows")),
        ("F:256 O:10", "F:256 O:10", {}),
        ("I:3 (G[i f c o] U:4)", "I:3 (G[i o f c] U:4)", {}),
    ],
)
def test_what_moved_is_marked(before: str, after: str, marked: dict[str, str]) -> None:
    found = marks(before, after)
    if "O" in marked:  # one of the two orders of two axes is the moved one: either will do
        assert {found.get("H"), found.get("W")} == {"rev"}
        assert "perm" in found.values()
    else:
        assert found == marked


def test_a_tag_in_a_page() -> None:
    assert tag("(C:6 H:4) O:8") == (
        '(C<span class="sz">:6</span> H<span class="sz">:4</span>) O<span class="sz">:8</span>'
    )
    assert tag("~H O", element="tspan") == '<tspan class="t rev">~H</tspan> O'
    assert "<b>" not in tag("<b> &")


def chain(looks: str) -> list[Item]:
    return [Item(inputs=(i - 1,) if i else (), look=look) for i, look in enumerate(looks)]


def test_equal_neighbours_become_one() -> None:
    boxes = fold(chain("abbbbc"), limit=2)
    assert [(box.members, box.times, box.inputs) for box in boxes] == [
        ((0,), 1, ()),
        ((1, 2, 3, 4), 4, (0,)),
        ((5,), 1, (1,)),
    ]
    assert boxes[1].first == (1,)
    assert fold(chain("abbbbc")) == [
        Box(members=(i,), inputs=(i - 1,) if i else ()) for i in range(6)
    ]


def test_a_block_with_a_path_around_it_is_one() -> None:
    """in, then three times: conv, add(conv, what went in)."""
    items = [Item(inputs=(), look="in")]
    for _ in range(3):
        last = len(items) - 1
        items += [Item(inputs=(last,), look="conv"), Item(inputs=(last, last + 1), look="add")]
    boxes = fold(items, limit=2)
    assert [(box.members, box.times) for box in boxes] == [((0,), 1), ((1, 2, 3, 4, 5, 6), 3)]


def test_two_inputs_do_not_make_one_box_of_all() -> None:
    items = [Item(inputs=(), look="in"), Item(inputs=(), look="in2")]
    items += [Item(inputs=(0 if i == 0 else i + 1,), look=f"d{i}") for i in range(8)]
    items.append(Item(inputs=(9, 1), look="join"))
    boxes = fold(items, limit=2)
    assert len(boxes) > 8
    assert sorted(m for box in boxes for m in box.members) == list(range(len(items)))


@st.composite
def graphs(draw: st.DrawFn) -> list[Item]:
    count = draw(st.integers(1, 40))
    found = []
    for index in range(count):
        inputs = draw(st.sets(st.integers(0, index - 1), max_size=3)) if index else set()
        look, light = draw(st.sampled_from("ab")), draw(st.booleans())
        found.append(Item(inputs=tuple(sorted(inputs)), look=look, light=light))
    return found


@given(graphs(), st.integers(0, 5))
def test_folding_keeps_every_node_once_and_the_order(items: list[Item], limit: int) -> None:
    boxes = fold(items, limit)
    assert sorted(m for box in boxes for m in box.members) == list(range(len(items)))
    assert all(source < index for index, box in enumerate(boxes) for source in box.inputs)
    assert all(len(box.members) % box.times == 0 for box in boxes)


@given(graphs())
def test_places_are_free_and_below_what_is_read(items: list[Item]) -> None:
    spots = place([item.inputs for item in items])
    assert len(set(spots)) == len(spots)
    for item, spot in zip(items, spots, strict=True):
        assert all(spots[source].row < spot.row for source in item.inputs)


def test_a_long_chain_is_quick_and_straight() -> None:
    spots = place([(i - 1,) if i else () for i in range(20_000)])
    assert [spot.row for spot in itertools.islice(spots, 3)] == [0, 1, 2]
    assert {spot.lane for spot in spots} == {0}
