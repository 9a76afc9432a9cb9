"""Boxes and edges as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from .markup import TIMES, Markup, el, join
from .place import Spot

WIDE, LANE, GAP = 366, 386, 34
"""Pixels: a box, from lane to lane, between rows."""
TALL, LOW = 46, 30
"""Heights of rows with and without weights."""
EDGE, TOP = 30, 4
"""Where edges leave a box, from its left; above the first row."""
CHARACTER = 6.93
"""Width of a character of the small monospaced type."""
NAME, TITLE = 7.1, 6.3
"""The same of a box's name and title, on average."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A box to be drawn.

    Attributes:
        name: Its first line, on the left.
        title: The same line, on the right.
        weight: Its second line; empty for none.
        count: The second line, on the right.
        output: The layout of what it makes, written on the edge below it.
        output_text: The same without marks, for its width.
        kind: Class of colours: `k-rev`, … ; "" for a plain box.
        times: How often it comes in a row.
        link: Where it leads; "" for nowhere.
    """

    name: str
    title: str
    weight: Markup | str = ""
    count: str = ""
    output: Markup | str = ""
    output_text: str = ""
    kind: str = ""
    times: int = 1
    link: str = ""


class Rows(msgspec.Struct, frozen=True):
    """Where each row begins, and how high it is."""

    tops: tuple[int, ...]
    heights: tuple[int, ...]

    @property
    def height(self) -> int:
        """Of the whole drawing."""
        return self.tops[-1] + self.heights[-1] + TOP if self.tops else 2 * TOP


def rows(spots: Sequence[Spot], tall: Sequence[bool]) -> Rows:
    """Rows as high as what is in them."""
    heights = [LOW] * (max((spot.row for spot in spots), default=-1) + 1)
    for spot, high in zip(spots, tall, strict=True):
        if high:
            heights[spot.row] = TALL
    tops, at = [], TOP
    for height in heights:
        tops.append(at)
        at += height + GAP
    return Rows(tuple(tops), tuple(heights))


def drawing(
    shapes: Sequence[Shape | None],
    inputs: Sequence[Sequence[int]],
    spots: Sequence[Spot],
    grid: Rows,
    label: str,
) -> Markup:
    """The boxes with their edges.

    Args:
        shapes: None for one that this drawing leaves a gap for.
        inputs: For each shape those that it reads.
        spots: Where they stand.
        grid: Rows.
        label: What the drawing shows, for those who cannot see it.
    """
    wide = LANE * (max((spot.lane for spot in spots), default=0)) + WIDE + 24
    read: set[int] = set()
    seen = [spot for shape, spot in zip(shapes, spots, strict=True) if shape is not None]
    edges: list[Markup] = []
    for place, shape in enumerate(shapes):
        if shape is not None:
            for source in dict.fromkeys(_present(shapes, inputs, place)):
                read.add(source)
                edges += _edge(seen, grid, spots[source], spots[place])
    labels = [_pill(shapes[i], spots[i], grid) for i in sorted(read)]
    boxes = [
        _box(shape, spot, grid)
        for shape, spot in zip(shapes, spots, strict=True)
        if shape is not None
    ]
    return el(
        "svg",
        *edges,
        *labels,
        *boxes,
        class_="graph",
        viewBox=f"0 0 {wide} {grid.height}",
        width=wide,
        role="img",
        aria_label=label,
    )


def _present(
    shapes: Sequence[Shape | None], inputs: Sequence[Sequence[int]], place: int
) -> Iterator[int]:
    """What a shape reads, gaps followed back to what is drawn."""
    ahead = list(inputs[place])
    while ahead:
        source = ahead.pop()
        if shapes[source] is None:
            ahead += inputs[source]
        else:
            yield source


def _edge(spots: Sequence[Spot], grid: Rows, a: Spot, b: Spot) -> list[Markup]:
    """The way from one spot to another, around the others."""
    x0, x1 = a.lane * LANE + EDGE, b.lane * LANE + EDGE
    y0, y1 = grid.tops[a.row] + grid.heights[a.row], grid.tops[b.row] - 5
    if x0 != x1:
        if a.lane < b.lane:  # out at once, then straight down its own lane
            bend = min(y0 + GAP - 5, y1)
            line = f"M{x0} {y0}C{x0} {y0 + 24} {x1} {y0 + 4} {x1} {bend}V{y1}"
        else:  # straight down, in at the end
            bend = max(y1 - GAP + 8, y0)
            line = f"M{x0} {y0}V{bend}C{x0} {y1 - 2} {x1} {y1 - 22} {x1} {y1}"
    elif b.row == a.row + 1 or not _between(spots, a, b):
        line = f"M{x0} {y0}V{y1}"
    else:  # past its own lane: round on the right
        x = a.lane * LANE + WIDE
        middle = grid.tops[a.row] + grid.heights[a.row] // 2
        end = grid.tops[b.row] + grid.heights[b.row] // 2
        line = f"M{x} {middle}C{x + 26} {middle} {x + 26} {end} {x} {end}"
        return [el("path", class_="edge", d=line)]
    head = f"M{x1 - 4} {y1 - 2}h8l-4 7z"
    return [el("path", class_="edge", d=line), el("path", class_="head", d=head)]


def _between(spots: Sequence[Spot], a: Spot, b: Spot) -> bool:
    return any(s.lane == a.lane and a.row < s.row < b.row for s in spots)


def _pill(shape: Shape | None, spot: Spot, grid: Rows) -> Markup | None:
    """The layout on the edge below a box."""
    if shape is None or not shape.output_text:
        return None
    x = spot.lane * LANE + EDGE + 12
    y = grid.tops[spot.row] + grid.heights[spot.row] + GAP / 2 - 2
    width = round(len(shape.output_text) * CHARACTER + 19)
    return join([
        el("rect", class_="pill", x=x, y=y - 10, width=width, height=20, rx=10),
        el("text", shape.output, class_="mono", x=x + 9, y=y + 4),
    ])


def _box(shape: Shape, spot: Spot, grid: Rows) -> Markup:
    x, y = spot.lane * LANE + 2, grid.tops[spot.row]
    height = grid.heights[spot.row]
    parts: list[Markup] = []
    if shape.times > 1:
        deck = {"x": x + 5, "y": y + 5, "width": WIDE, "height": height, "rx": 7}
        parts.append(el("rect", **deck))
    parts.append(el("rect", x=x, y=y, width=WIDE, height=height, rx=7))
    if shape.kind:
        parts.append(el("rect", class_="bar", x=x, y=y + 6, width=3.5, height=height - 12, rx=1.7))
    many = f" {TIMES}{shape.times}" if shape.times > 1 else ""
    title = _short(shape.title, int(WIDE * 0.62 / TITLE))
    room = int((WIDE - 36 - len(title) * TITLE) / NAME) - len(many)
    times = el("tspan", many, class_="x") if many else None
    parts += [
        el("text", _short(shape.name, room), times, class_="nm", x=x + 14, y=y + 19.5),
        el("text", title, class_="op", x=x + WIDE - 12, y=y + 19.5, text_anchor="end"),
    ]
    if shape.weight or shape.count:
        parts.append(el("text", shape.weight, class_="mono", x=x + 14, y=y + 37))
        at = {"x": x + WIDE - 12, "y": y + 37}
        parts.append(el("text", shape.count, class_="op", text_anchor="end", **at))
    group = el("g", *parts, class_=f"node {shape.kind}".strip())
    return el("a", group, href=shape.link) if shape.link else group


def _short(text: str, room: int) -> str:
    """A name shortened in the middle: its end tells as much as its beginning."""
    if len(text) <= room:
        return text
    half = max(2, (room - 1) // 2)
    return f"{text[:half]}…{text[-half:]}"
