"""A graph before and after, laid out once, so that the eye compares along a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .changes import Changed, Kind, Row
from .drawing import Shape, drawing, rows as grid_of
from .graph import LIGHT, Group, groups, parameters, title
from .markup import Markup, el, join
from .place import Spot, place
from .tags import Mark, marks, tag

SPAN = 216
"""Pixels between the two sides."""
LETTER, PADDING = 6.2, 18
"""Width of a badge: per character, and besides."""


class Aligned:
    """Both graphs.

    Args:
        listed: Layers of `kerasir.convert/1` that compute something.
        changed: What was done to each.
        links: Where the box of a layer leads, by place.
    """

    def __init__(
        self, listed: Sequence[Row], changed: Sequence[Changed], links: Mapping[int, str]
    ) -> None:
        self.listed, self.changed, self.links = listed, changed, links
        self._done = {id(row): done for row, done in zip(listed, changed, strict=True)}
        self.boxes = groups(listed, self._look)
        self.spots = place([box.inputs for box in self.boxes])
        if any(spot.lane for spot in self.spots):  # two graphs with branches have no room
            self.boxes = groups(listed, self._look, limit=0)
            self.spots = place([box.inputs for box in self.boxes])
        self.grid = grid_of(self.spots, [self._tall(box) for box in self.boxes])

    def _look(self, row: Row) -> object:
        weights = [(weight["before"], weight["after"]) for weight in row["weights"]]
        return row["operation"], weights, row["same_as"], self._done[id(row)].kinds

    def _tall(self, box: Group) -> bool:
        return box.folded or bool(self.listed[box.lead]["weights"])

    def markup(self, before: str, after: str) -> Markup:
        """Both sides and what is between them.

        Args:
            before: What the left side is.
            after: What the right side is.
        """
        pick = [
            el("input", type="radio", name="side", id="before", class_="pick"),
            el("input", type="radio", name="side", id="after", class_="pick", checked=True),
            el(
                "div",
                el("label", "Before", for_="before"),
                el("label", "After", for_="after"),
                class_="tabs",
            ),
        ]
        heads = [
            el("div", el("h3", "before"), el("p", before, class_="names"), class_="before"),
            el("div", class_="bridge"),
            el("div", el("h3", "after"), el("p", after, class_="names"), class_="after"),
        ]
        sides = [self._side("before"), self._bridge(), self._side("after")]
        cells = [
            el("div", svg, class_=name)
            for svg, name in zip(sides, ("before", "bridge", "after"), strict=True)
        ]
        return join([*pick, el("div", *heads, *cells, class_="side")])

    def _side(self, side: str) -> Markup:
        shapes = [self._shape(box, side) for box in self.boxes]
        inputs = [box.inputs for box in self.boxes]
        spots = [Spot(spot.row, 0) for spot in self.spots]
        return drawing(shapes, inputs, spots, self.grid, f"The graph {side}")

    def _shape(self, box: Group, side: str) -> Shape | None:
        lead, last = self.listed[box.lead], self.listed[box.every[-1]]
        if side == "after" and all(self.listed[i]["after"] is None for i in box.every):
            return None
        out = next(iter(last[side] or last["before"]), "")
        moved = marks(last["before"][0], (last["after"] or last["before"])[0]) if out else {}
        count = parameters(self.listed, box)
        kinds = self._kinds(box)
        return Shape(
            name="/".join([*lead["path"], lead["name"]]),
            title=title(self.listed, box),
            weight=self._weight(box, side),
            count=f"{count:,}" if count else "",
            output=tag(out, moved, element="tspan"),
            output_text=out,
            kind=kinds[0].style if kinds and side == "after" else "",
            times=box.times,
            link=self.links.get(box.lead, ""),
        )

    def _weight(self, box: Group, side: str) -> Markup | str:
        heavy = [i for i in box.rows if self.listed[i]["op"] not in LIGHT]
        if box.folded and heavy != [box.lead]:
            return el("tspan", f"{len(box.rows):,} layers", class_="dim")
        weights = self.listed[box.lead]["weights"]
        weight = max(weights, key=lambda one: one["parameters"], default=None)
        if weight is None:
            return ""
        moved: dict[str, Mark] = marks(weight["before"], weight["after"])
        if "joined" in weight["words"]:
            moved = {}
        name = el("tspan", weight["name"] + " ", class_="dim")
        return join([name, tag(weight[side], moved, element="tspan")])

    def _kinds(self, box: Group) -> list[Kind]:
        """Of all that is in a box, those with a colour first."""
        found = dict.fromkeys(kind for i in box.every for kind in self.changed[i].kinds)
        return sorted(found, key=lambda kind: not kind.style)

    def _bridge(self) -> Markup:
        parts: list[Markup] = []
        for box, spot in zip(self.boxes, self.spots, strict=True):
            middle = self.grid.tops[spot.row] + self.grid.heights[spot.row] / 2
            kinds = self._kinds(box)
            same = "link same" if not kinds else f"link {kinds[0].style}".strip()
            parts.append(el("path", class_=same, d=f"M0 {middle}H{SPAN}"))
            parts += _badges(kinds, middle)
        view = f"0 0 {SPAN} {self.grid.height}"
        return el("svg", *parts, viewBox=view, width=SPAN, role="img", aria_label="What was done")


def _badges(kinds: Sequence[Kind], middle: float) -> list[Markup]:
    """Centred, on as many lines as they need, three at most."""
    lines: list[list[tuple[Kind, float]]] = [[]]
    for kind in kinds[:5]:
        width = round(len(kind.text) * LETTER + PADDING, 1)
        if lines[-1] and sum(w + 6 for _, w in lines[-1]) + width > SPAN - 8:
            lines.append([])
        lines[-1].append((kind, width))
    found: list[Markup] = []
    y = middle - (len(lines) - 1) * 11.5
    for line in lines:
        x = (SPAN - sum(w for _, w in line) - 6 * (len(line) - 1)) / 2
        for kind, width in line:
            found.append(
                el(
                    "g",
                    el("rect", x=round(x, 1), y=y - 10, width=width, height=20, rx=10),
                    el("text", kind.text, x=round(x + width / 2, 1), y=y + 4, text_anchor="middle"),
                    class_=f"badge {kind.style}".strip(),
                )
            )
            x += width + 6
        y += 23
    return found
