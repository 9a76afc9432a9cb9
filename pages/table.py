"""The layers of a conversion as a table; what was changed opens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .changes import WHY, Changed, Row
from .markup import Markup, el, join
from .tags import marks, tag

HEAD = ("layer", "output before", "output after", "what was done", "parameters", "error")


def table(listed: Sequence[Row], changed: Sequence[Changed], tolerance: float | None) -> Markup:
    """All rows.

    Args:
        listed: Layers of `kerasir.convert/1`.
        changed: What was done to each.
        tolerance: The largest error allowed; None if nothing was verified.
    """
    head = el("div", *(el("span", text) for text in HEAD), class_="rowhead")
    rows = [
        _row(place, row, done, tolerance)
        for place, (row, done) in enumerate(zip(listed, changed, strict=True))
    ]
    return el("div", head, *rows, class_="card rows")


def _row(place: int, row: Row, done: Changed, tolerance: float | None) -> Markup:
    body = list(_body(row, done))
    cells = _cells(row, done, tolerance)
    if not body:
        return el("div", *cells, class_="plainrow", id=f"l-{place}")
    inner = el("div", *body, class_="dbody", id=f"l-{place}")
    return el("details", el("summary", *cells), inner, class_="row")


def _cells(row: Row, done: Changed, tolerance: float | None) -> list[Markup]:
    name = "/".join([*row["path"], row["name"]])
    before, after = ", ".join(row["before"]), ", ".join(row["after"] or ())
    moved = marks(row["before"][0], row["after"][0]) if before and after else {}
    chips = [el("span", kind.text, class_=f"chip {kind.style}".strip()) for kind in done.kinds]
    if not chips:
        chips = [el("span", "as before" if before == after else "axis order only", class_="dim")]
    count = f"{row['parameters']:,}" if row["parameters"] else ""
    return [
        el("span", el("b", name), el("small", row["operation"]), class_="c-n"),
        el("span", el("span", "before", class_="lab"), _tag(before, moved), class_="c-t"),
        el("span", el("span", "after", class_="lab"), _tag(after, moved), class_="c-t"),
        el("span", *chips, class_="c-k"),
        el("span", count, class_="c-p"),
        _error(row["error"], tolerance),
    ]


def _tag(layout: str, moved: Mapping[str, Any]) -> Markup:
    if not layout:
        return el("span", "not there", class_="dim")
    return el("code", tag(layout, moved))


def _error(error: object, tolerance: float | None) -> Markup:
    """NaN comes as a text; it is no agreement."""
    if error is None or tolerance is None:
        return el("span", class_="c-e")
    if not isinstance(error, (int, float)) or error != error:
        return el("span", "no number", class_="c-e bad")
    text = "exact" if error == 0 else f"{error:.1e}"
    return el("span", text, class_="c-e" if error <= tolerance else "c-e bad")


def _body(row: Row, done: Changed) -> Iterator[Markup]:
    reasons: dict[str, None] = {}
    for weight in row["weights"]:
        if not weight["words"]:
            continue
        moved = {} if "joined" in weight["words"] else marks(weight["before"], weight["after"])
        stored = weight["stored"][0] if weight["stored"] else ""
        more = f" and {len(weight['stored']) - 1} more" if len(weight["stored"]) > 1 else ""
        yield el(
            "p",
            el("b", weight["name"]),
            " ",
            el("code", tag(weight["before"], moved)),
            " → ",
            el("code", tag(weight["after"], moved)),
            el("span", f"  {', '.join(weight['words'])}; stored at ", class_="dim"),
            el("code", stored),
            more,
        )
        reasons |= dict.fromkeys(weight["words"])
    for word in reasons:
        if word in WHY:
            yield el("p", WHY[word])
    if row["axis_moved"]:
        yield el("p", "It names its axis; only the number under which the file says so differs.")
    for event in done.events:
        fix = f" ({event['fix']})" if event["fix"] else ""
        code = el("span", f"{event['code']} ", class_="dim")
        yield el("p", code, event["message"], fix)
    if row["same_as"]:
        yield el("p", join(["The same weights as ", el("b", row["same_as"]), "."]))
