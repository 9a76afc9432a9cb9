"""The report of a conversion as a page: the document of `kerasir convert --json`, and nothing else.

The sections follow the order in which a reader asks: is it right? what was assumed? what must I do
differently? what changed? where? how sure? what about training? from which bytes?
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..eras.schedules import read_schedule
from ..eras.titles import BACKENDS, writer
from .aligned import Aligned
from .changes import Changed, Row, changed
from .frame import page
from .markup import Markup, el, join
from .proof import chart
from .table import table
from .view import drawn

LEGEND = (
    ("k-rev", "~ reversed: read back to front"),
    ("k-perm", "permuted: axes in another order"),
    ("k-rows", "rows reordered: behind Flatten"),
    ("k-pad", "padding written out"),
)
NOTES = 40
"""Notes of one kind that are shown."""


def report_page(document: Mapping[str, Any]) -> str:
    """The page.

    Args:
        document: `kerasir.convert/1`; `pages` reads nothing else.
    """
    return _Report(document).page()


class _Report:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.source, self.target = document["source"], document["target"]
        self.proof = document["verification"]
        layers = [{**row, "outputs": row["before"]} for row in document["layers"]]
        self.bare = not any(row["before"] for row in layers)
        self.listed: list[dict[str, Any]] = layers if self.bare else drawn(layers)
        self.changed: list[Changed] = changed(self.listed, document["events"])
        self.names = [os.path.basename(side["path"]) for side in (self.source, self.target)]

    def page(self) -> str:
        """All of it."""
        sections = [self._head(), self._strip(), self._notes(), self._graph(), self._layers()]
        sections += [self._verification(), self._training(), self._origin(), _foot()]
        return page(f"{self.names[0]} to {self.names[1]}: conversion report", join(sections))

    def _of(self, kind: str) -> list[Mapping[str, Any]]:
        return [event for event in self.document["events"] if event["kind"] == kind]

    # ---- is it right?

    def _head(self) -> Markup:
        arrow = el("span", " → ", class_="ar")
        if self.proof is None:
            verdict = el("div", "Not verified: convert with --verify", class_="verdict warn")
        else:
            layers = self.proof["layers"]
            told = f": {len(layers):,} of {len(layers):,} layers agree" if layers else ""
            verdict = el("div", f"✓ Both models compute the same{told}", class_="verdict")
        return el(
            "header",
            el("h1", self.names[0], arrow, self.names[1]),
            el("p", f"{self._before()}, to {self._after()}", class_="sub"),
            verdict,
        )

    def _before(self) -> str:
        source = self.source
        parts = [writer(source["era"], source["version"])]
        parts.append(BACKENDS.get(source["backend"] or "", ""))
        return ", ".join(filter(None, [*parts, source["ordering"]]))

    def _after(self) -> str:
        target = self.target
        opset = f" opset {target['opset']}" if target["opset"] else ""
        order = "" if target["data_format"] == "keep" else f", {target['data_format']}"
        return f"{target['title']}{opset}{order}"

    def _strip(self) -> Markup:
        model = self.document["model"]
        moved = sum(bool(w["words"]) for row in self.listed for w in row["weights"])
        every = sum(len(row["weights"]) for row in self.listed)
        assumed, lost = self._of("assumed"), self._of("lost")
        worst = _worst(self.proof)
        allowed = "" if self.proof is None else f"allowed {self.proof['tolerance']:g}"
        cells = [
            ("Layers", f"{model['layers']:,}", f"{model['kind'] or 'weights alone'}"),
            ("Parameters", f"{model['parameters']:,}", f"in {model['weights']:,} arrays"),
            ("Weights moved", f"{moved:,} of {every:,}", "the others as they were"),
            ("Assumed", f"{len(assumed):,}", "what the file does not say"),
            ("Lost", f"{len(lost):,}", "told below" if lost else "nothing"),
            ("Largest error", worst or "-", allowed or "not verified"),
        ]
        return el(
            "dl",
            *(
                el("div", el("dt", name), el("dd", value, el("small", told)))
                for name, value, told in cells
            ),
            class_="strip",
        )

    # ---- what was assumed, what must I do differently

    def _notes(self) -> Markup:
        cards = list(self._cards())
        lead = "What the file did not say, and what changes for those who call the model."
        if not cards:
            cards = [el("div", el("p", "Nothing was assumed, lost or reordered."), class_="card")]
        return el(
            "section",
            el("h2", "Assumed, and good to know"),
            el("p", lead),
            el("div", *cards, class_="two"),
            id="notes",
        )

    def _cards(self) -> Iterator[Markup]:
        for kind, style in (("lost", "lost"), ("assumed", "")):
            yield from _told(kind, style, self._of(kind))
        warned = [
            event
            for event in self.document["events"]
            if event["level"] == "warning" and event["kind"] in {"note", "changed", "carried"}
        ]
        yield from _told("look", "", warned)
        for what, verb in (("inputs", "feed"), ("outputs", "expect")):
            for entry in self.document[what][:NOTES]:
                yield el(
                    "div",
                    el("h3", el("span", "Changed: "), f"{verb} {entry['name']} in another order"),
                    el("p", "before ", el("code", entry["before"])),
                    el("p", "after ", el("code", entry["after"])),
                    *_turned(what, entry["before"], entry["after"]),
                    class_="card note info",
                )

    # ---- what changed, where

    def _graph(self) -> Markup | None:
        if self.bare:
            return None
        links = {place: f"#l-{place}" for place in range(len(self.listed))}
        both = Aligned(self.listed, self.changed, links)
        lead = "Each edge carries the layout of its tensor, each box that of its largest weight. "
        lead += "Colour marks what was changed; a box leads to its layer below."
        legend = [el("span", text, class_=f"chip {style}") for style, text in LEGEND]
        return el(
            "section",
            el("h2", "Graph"),
            el("p", lead),
            el("div", *legend, class_="legend"),
            el("div", both.markup(self._before(), self._after()), class_="card"),
            id="graph",
        )

    def _layers(self) -> Markup | None:
        if not self.listed:
            return None
        tolerance = None if self.proof is None else self.proof["tolerance"]
        count = sum(bool(done.kinds) for done in self.changed)
        lead = f"{count:,} of {len(self.listed):,} were changed; those open and say what was done, "
        lead += "and why that is safe."
        rows: Sequence[Row] = self.listed
        return el(
            "section",
            el("h2", "Layers"),
            el("p", lead),
            table(rows, self.changed, tolerance),
            id="layers",
        )

    # ---- how sure

    def _verification(self) -> Markup | None:
        proof = self.proof
        if proof is None:
            return None
        shown = proof["layers"] or proof["outputs"]
        facts = [
            ("before", proof["a"]["engine"]),
            ("after", proof["b"]["engine"]),
            ("inputs", proof["fed"]),
            ("proves", "the conversion; what was assumed is assumed on both sides"),
        ]
        if proof["answers"]:
            facts.append(("known answers", f"{len(proof['answers']):,} agree"))
        if proof["classes"] is not None:
            same, total = proof["classes"]["same"], proof["classes"]["total"]
            facts.append(("classes", f"the same for {same:,} of {total:,} inputs"))
        again = f"kerasir verify {self.source['path']} {self.target['path']}"
        facts.append(("again", el("code", again)))
        lead = "Both models ran on the same inputs. Largest relative error after each layer; "
        lead += "open dots have no weights of their own."
        return el(
            "section",
            el("h2", "Verification"),
            el("p", lead),
            el("div", el("div", chart(shown, proof["tolerance"]), class_="scroll"), class_="card"),
            el("div", _facts(facts), class_="card"),
            id="verify",
        )

    # ---- training

    def _training(self) -> Markup | None:
        training = self.document["training"]
        if training is None:
            return None
        kept = not any(event["code"].startswith("KT3") for event in self._of("lost"))
        lead = "Carried over, so that training can go on where it stopped."
        lead = lead if kept else "What the source has; what of it was lost is told above."
        settings = [f"{k} {_number(v)}" for k, v in training["config"].items() if _is_told(v)]
        slots: dict[str, int] = {}
        for slot in training["slots"]:
            slots[slot["slot"]] = slots.get(slot["slot"], 0) + 1
        state = ", ".join(f"{number:,} {kind} arrays" for kind, number in slots.items())
        facts = [
            ("optimizer", ": ".join(filter(None, [training["optimizer"], ", ".join(settings)]))),
            ("step", "" if training["step"] is None else f"{training['step']:,}"),
            ("state", state and f"{state}, each moved like its weight"),
            ("loss", _said(training["loss"])),
            ("metrics", _said(training["metrics"])),
        ]
        shown = [(name, value) for name, value in facts if value]
        card = el("div", _facts(shown), class_="card")
        return el(
            "section", el("h2", "Training record"), el("p", lead), card, id="training"
        )  # fmt: skip

    # ---- from which bytes

    def _origin(self) -> Markup:
        made = self.document["made"]
        facts: list[tuple[str, object]] = [
            (word, _bytes(side)) for word, side in (("read", self.source), ("written", self.target))
        ]
        known = self.document["facts"]
        for name in ("era", "backend", "ordering"):
            fact = known[name]
            how = {"file": "said by the file", "user": "said by you"}.get(
                fact["source"], "not said"
            )
            told = f"{fact['value'] or '-'}: {how}"
            facts.append((name, told + (f", {fact['evidence']}" if fact["evidence"] else "")))
        facts.append(("by", f"kerasir {made['kerasir']}, Python {made['python']}"))
        facts.append(("on", made["on"]))
        facts.append(("passes", ", ".join(made["passes"]) or "none"))
        lead = "What was read and written, by what, and in which steps."
        card = el("div", _facts(facts), class_="card")
        return el("section", el("h2", "Origin"), el("p", lead), card, id="origin")


def _turned(what: str, before: str, after: str) -> Iterator[Markup]:
    """How an array is brought from one order into the other, where each axis goes somewhere."""
    have, want = (before, after) if what == "inputs" else (after, before)
    axes, wanted = have.split(), want.split()
    if sorted(axes) == sorted(wanted) and len({*axes}) == len(axes) and "(" not in have:
        order = ", ".join(str(axes.index(axis)) for axis in wanted)
        lead = "An array in the old order: " if what == "inputs" else "In the old order: "
        name = "x" if what == "inputs" else "y"
        yield el("p", lead, el("code", f"{name}.transpose({order})"))


def _told(kind: str, style: str, events: Sequence[Mapping[str, Any]]) -> Iterator[Markup]:
    """Cards of events; those of one code and message together."""
    seen: dict[tuple[str, str, str], list[str]] = {}
    for event in events:
        key = (event["code"], event["message"], event["fix"])
        seen.setdefault(key, []).append(event["layer"])
    for number, ((code, message, fix), layers) in enumerate(seen.items()):
        if number == NOTES:
            more = f"{len(seen) - NOTES:,} more of this kind are in the .json report."
            yield el("div", el("p", more), class_="card note")
            return
        named = [layer for layer in layers if layer]
        where = ", ".join(named[:3]) + (f" and {len(named) - 3:,} more" if len(named) > 3 else "")
        yield el(
            "div",
            el("h3", el("span", kind.capitalize()), f": {where}" if where else ""),
            el("p", f"{message[:1].upper()}{message[1:]}. ", el("span", code, class_="dim")),
            el("p", el("code", fix, class_="blk")) if fix else None,
            class_=f"card note {style}".strip(),
        )


def _worst(proof: Mapping[str, Any] | None) -> str:
    if proof is None:
        return ""
    compared = [*proof["layers"], *proof["outputs"], *proof["logits"], *proof["answers"]]
    errors = [c["error"] for c in compared if isinstance(c["error"], (int, float))]
    return "" if not errors else f"{max(errors):.1e}"


def _facts(facts: Sequence[tuple[str, object]]) -> Markup:
    pairs = [part for name, value in facts for part in (el("dt", name), el("dd", value))]
    return el("dl", *pairs, class_="facts")


def _bytes(side: Mapping[str, Any]) -> Markup:
    digest = side["sha256"]
    hashed = el("code", f"sha256 {digest}", class_="hash") if digest else None
    size = f"{side['bytes']:,} bytes" if side["bytes"] else "nothing was written"
    return join([f"{side['path']}, {size}", el("br"), hashed])


def _is_told(value: object) -> bool:
    scheduled = isinstance(value, Mapping) and bool(value.get("class_name"))
    return scheduled or (isinstance(value, (bool, int, float)) and value is not False)


def _number(value: object) -> str:
    if isinstance(value, Mapping):
        name, first, _ = read_schedule(value)
        return name if first is None else f"{name} from {first:.6g}"
    return "on" if value is True else f"{value:.6g}" if isinstance(value, float) else str(value)


def _said(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_said, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_said(inner)}" for key, inner in value.items())
    return "" if value is None else str(value)


def _foot() -> Markup:
    told = "This page is complete in itself: it loads nothing and runs nothing. "
    return el("footer", told, "The same facts for programs: ", el("code", "--report FILE.json"))
