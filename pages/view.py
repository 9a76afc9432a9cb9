"""The graph of a model as a page: the document of `kerasir inspect --json`, drawn."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ..eras.titles import BACKENDS, writer
from .drawing import Shape, drawing, rows
from .fold import LIMIT
from .frame import page
from .graph import LIGHT, Group, Row, groups, parameters, title
from .markup import TIMES, Markup, el, join
from .place import place
from .tags import tag

NAMED = 24
"""Names of a folded box that are listed."""


def view_page(document: Mapping[str, Any]) -> str:
    """The page.

    Args:
        document: `kerasir.inspect/1`, of a whole model.
    """
    name = os.path.basename(document["file"]["path"])
    listed = drawn(document["layers"])
    boxes = groups(listed, _look)
    parts = [_head(name, document), _graph(listed, boxes), _blocks(listed, boxes)]
    return page(f"{name}: graph", join([*parts, _foot()]))


def drawn(layers: Sequence[Row]) -> list[dict[str, Any]]:
    """The layers that compute something, with `reads` counted among them."""
    kept = [i for i, row in enumerate(layers) if row["outputs"]]
    at = {place: index for index, place in enumerate(kept)}
    return [
        {**layers[i], "reads": [at[source] for source in layers[i]["reads"] if source in at]}
        for i in kept
    ]


def _look(row: Row) -> object:
    return row["operation"], [weight["layout"] for weight in row["weights"]], row["same_as"]


def _head(name: str, document: Mapping[str, Any]) -> Markup:
    facts, model = document["facts"], document["model"]
    said = [writer(facts["era"]["value"], facts["era"]["version"])]
    said.append(BACKENDS.get(facts["backend"]["value"] or "", ""))
    said += [facts["ordering"]["value"], f"{model['kind']}, {model['layers']:,} layers"]
    said.append(f"{model['parameters']:,} parameters")
    line = ", ".join(part for part in said if part)
    return el("header", el("h1", name), el("p", line, class_="sub"))


def _graph(listed: Sequence[Row], boxes: Sequence[Group]) -> Markup:
    lead = "Each edge carries the layout of its tensor, each box that of its largest weight."
    if any(box.folded for box in boxes):
        lead += f" {len(listed):,} layers in {len(boxes):,} boxes: a box that stands for several "
        lead += "leads to what is in it."
    return el(
        "section",
        el("h2", "Graph"),
        el("p", lead),
        el("div", _drawn(listed, boxes, "The model's graph"), class_="card scroll"),
        id="graph",
    )


def _drawn(listed: Sequence[Row], boxes: Sequence[Group], label: str) -> Markup:
    inputs = [box.inputs for box in boxes]
    spots = place(inputs)
    shapes = [_shape(listed, box, number) for number, box in enumerate(boxes)]
    grid = rows(spots, [bool(shape.weight) for shape in shapes])
    return drawing(shapes, inputs, spots, grid, label)


def _shape(listed: Sequence[Row], box: Group, number: int) -> Shape:
    lead = listed[box.lead]
    last = listed[box.every[-1]]
    heavy = [i for i in box.rows if listed[i]["op"] not in LIGHT]
    weight = _largest(lead) if not box.folded or heavy == [box.lead] else None
    count = parameters(listed, box)
    output = last["outputs"][0] if last["outputs"] else ""
    return Shape(
        name="/".join([*lead["path"], lead["name"]]),
        title=title(listed, box),
        weight=_weight(weight) if weight else (_layers(box) if box.folded else ""),
        count=f"{count:,}" if count else "",
        output=tag(output, element="tspan"),
        output_text=output,
        kind="k-rev" if any(_is_reversed(listed[i]) for i in box.every) else "",
        times=box.times,
        link=f"#b-{number}" if box.folded and len(listed) > LIMIT else "",
    )


def _largest(row: Row) -> Mapping[str, Any] | None:
    return max(row["weights"], key=lambda weight: weight["parameters"], default=None)


def _weight(weight: Mapping[str, Any]) -> Markup:
    name = el("tspan", weight["name"] + " ", class_="dim")
    return join([name, tag(weight["layout"], element="tspan")])


def _layers(box: Group) -> Markup:
    return el("tspan", f"{len(box.rows):,} layers", class_="dim")


def _is_reversed(row: Row) -> bool:
    return any("~" in weight["layout"] for weight in row["weights"])


def _blocks(listed: Sequence[Row], boxes: Sequence[Group]) -> Markup | None:
    """What is in the boxes that stand for several layers."""
    found = []
    for number, box in enumerate(boxes):
        if box.folded and len(listed) > LIMIT:
            found.append(_block(listed, box, number))
    if not found:
        return None
    lead = "One of each; those that repeat are alike but for their names."
    return el("section", el("h2", "Blocks"), el("p", lead), el("div", *found, class_="card"))


def _block(listed: Sequence[Row], box: Group, number: int) -> Markup:
    at = {place: index for index, place in enumerate(box.rows)}
    inner = [
        {**listed[i], "reads": [at[r] for r in listed[i]["reads"] if r in at]} for i in box.rows
    ]
    alone = groups(inner, _look, limit=len(inner))
    lead = listed[box.lead]
    many, each = (f" {TIMES}{box.times}", " each") if box.times > 1 else ("", "")
    told = f"{many}: {len(box.rows):,} layers{each}"
    names = [listed[i]["name"] for i in box.every]
    more = f", … and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return el(
        "details",
        el("summary", el("b", "/".join([*lead["path"], lead["name"]])), told),
        el(
            "div",
            el("p", ", ".join(names[:NAMED]) + more, class_="names"),
            el("div", _drawn(inner, alone, "One block"), class_="scroll"),
            id=f"b-{number}",
        ),
        class_="fold",
    )


def _foot() -> Markup:
    return el("footer", "This page is complete in itself: it loads nothing and runs nothing.")
