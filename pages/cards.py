"""Cards for notebooks: one element each with a style of its own, no script, no ids.

They follow the theme of the notebook and stay readable where its variables are unknown.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..eras.titles import BACKENDS, writer
from .fold import LIMIT
from .graph import groups, title
from .markup import TIMES, Markup, el, join
from .tags import tag
from .view import drawn

SHOWN = 8
"""Events of one kind, or layers that differ, that are shown."""
KINDS = ("assumed", "changed", "carried", "lost")


def model_card(document: Mapping[str, Any]) -> str:
    """A model: facts, layers, what was assumed.

    Args:
        document: `kerasir.inspect/1`.
    """
    facts, model = document["facts"], document["model"]
    name = os.path.basename(document["file"]["path"]) or model["name"]
    about = f"{model['layers']:,} layers, {model['parameters']:,} parameters"
    wrote = [writer(facts["era"]["value"], facts["era"]["version"])]
    backend = BACKENDS.get(facts["backend"]["value"] or "", "")
    wrote.append(
        backend + " (assumed)" * (facts["backend"]["source"] == "inferred") * bool(backend)
    )
    wrote.append(facts["ordering"]["value"] or "")
    rows: list[tuple[str, Markup]] = [("from", join([", ".join(filter(None, wrote))]))]
    for what in ("inputs", "outputs"):
        for port in document[what][:SHOWN]:
            label = [el("b", port["name"]), "  ", el("code", tag(port["layout"]))]
            rows.append((what[:-1], join(label)))
    training = document["training"]
    if training is not None and training["optimizer"]:
        step = "" if training["step"] is None else f", step {training['step']:,}"
        rows.append(("training", join([training["optimizer"] + step])))
    listed = drawn(document["layers"])
    warned = [note for note in document["notes"] if note["level"] == "warning"]
    return _card(
        _head(name, f"{(model['kind'] or 'weights').capitalize()}, {about}"),
        _pairs(rows),
        _layers(listed),
        *(el("div", f"! {note['message']}", class_="warn") for note in warned[:SHOWN]),
    )


def _layers(listed: Sequence[Mapping[str, Any]]) -> Markup:
    """A row per layer; of a long model a row per box of its graph."""
    boxes = groups(listed, lambda row: (row["operation"], row["same_as"]), LIMIT)
    rows = []
    for box in boxes:
        lead, last = listed[box.lead], listed[box.every[-1]]
        name = "/".join([*lead["path"], lead["name"]])
        many = f" {TIMES}{box.times}" if box.times > 1 else ""
        heavy = max(lead["weights"], key=lambda weight: weight["parameters"], default=None)
        weight = "" if heavy is None or box.folded else tag(heavy["layout"])
        count = sum(listed[i]["parameters"] for i in box.every)
        rows.append(
            el(
                "tr",
                el("td", el("b", name), many, el("i", title(listed, box))),
                el("td", el("code", tag(last["outputs"][0])) if last["outputs"] else None),
                el(
                    "td",
                    el("code", weight) if weight else f"{len(box.every):,} layers" * box.folded,
                ),
                el("td", f"{count:,}" if count else ""),
            )
        )
    head = el("tr", *(el("th", text) for text in ("layer", "output", "weights", "parameters")))
    table = el("div", el("table", head, *rows), class_="wrap")
    told = f"{len(listed):,} layers" + (
        f" in {len(boxes):,} rows" if len(boxes) < len(listed) else ""
    )
    return el("details", el("summary", told), table, open=True)


def conversion_card(
    target: str,
    size: int,
    seconds: float,
    events: Sequence[Mapping[str, Any]],
    equal: bool | None,
) -> str:
    """A conversion: what it assumed, changed, carried, lost.

    Args:
        target: What kind of file was written.
        size: In bytes; 0 if nothing was written.
        seconds: How long it took.
        events: Of its report, as plain data.
        equal: Whether both models were run and agree; None if they were not.
    """
    wrote = f"{size:,} bytes in {seconds:.1f} s" if size else "nothing was written"
    verified = {None: "not verified", True: "✓ verified", False: "✗ differs"}[equal]
    return _card(
        _head(target, f"{wrote}; {verified}"),
        _pairs([(kind, join(_told(kind, events))) for kind in KINDS]),
    )


def _told(kind: str, events: Sequence[Mapping[str, Any]]) -> Iterator[Markup]:
    found = Counter((event["code"], event["message"]) for event in events if event["kind"] == kind)
    for (code, message), number in found.most_common(SHOWN):
        many = f" {TIMES}{number}" if number > 1 else ""
        yield el("div", f"{message}{many} ", el("i", code))
    if len(found) > SHOWN:
        yield el("div", el("i", f"and {len(found) - SHOWN:,} more in .report"))
    if not found:
        yield el("div", "nothing")


def verification_card(found: Mapping[str, Any], equal: bool) -> str:
    """A comparison of two models.

    Args:
        found: A `Verification` as plain data.
        equal: Whether all agrees.
    """
    tolerance = found["tolerance"]
    compared = [*found["layers"], *found["outputs"], *found["answers"]]
    wrong = [one for one in compared if not one["error"] <= tolerance]
    shown = wrong[:SHOWN] or compared[-SHOWN:]
    rows = [
        el(
            "tr",
            el("td", el("b", one["name"]), el("i", one["part"])),
            el("td", one["problem"] or f"{one['error']:.1e}"),
        )
        for one in shown
    ]
    head = el("tr", el("th", "layer"), el("th", f"relative error, allowed {tolerance:g}"))
    told = "✓ equal" if equal else "✗ different"
    about = f"{len(compared) - len(wrong):,} of {len(compared):,} agree; {found['fed']}"
    return _card(_head(told, about), el("div", el("table", head, *rows), class_="wrap"))


def _head(title: str, told: str) -> Markup:
    return el("header", el("b", title), "  ", el("span", told))


def _pairs(rows: Sequence[tuple[str, Markup]]) -> Markup:
    return el("div", *(part for k, v in rows for part in (el("i", k), el("div", v))), class_="io")


def _card(*parts: Markup) -> str:
    style = (Path(__file__).parent / "card.css").read_text(encoding="utf-8")
    return el("div", el("style", Markup(style)), *parts, class_="kerasir")
