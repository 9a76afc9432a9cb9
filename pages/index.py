"""The index of a batch: which files were converted, and why the others were not."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from .frame import page
from .markup import Markup, el, join

ORDER = {"FAIL": 0, "warn": 1, "ok": 2}
STYLES = {"FAIL": "bad", "warn": "warn", "ok": "ok"}
SIGNS = {"FAIL": "✗ failed", "warn": "! with warnings", "ok": "✓ converted"}


def index_page(document: Mapping[str, Any]) -> str:
    """The page.

    Args:
        document: `kerasir.batch/1`.
    """
    files = [{**one, "word": _word(one)} for one in document["files"]]
    count = Counter(one["word"] for one in files)
    head = el(
        "header",
        el("h1", f"{len(files):,} models"),
        el("p", f"to {document['folder']}, kerasir {document['version']}", class_="sub"),
        el(
            "div",
            ", ".join(f"{count[word]:,} {SIGNS[word]}" for word in ("ok", "warn", "FAIL")),
            class_="verdict" + (" warn" if count["FAIL"] else ""),
        ),
    )
    names = ("", "file", "written by", "MiB", "seconds", "what to know")
    rows = [el("tr", *(el("th", name) for name in names))]
    ordered = sorted(files, key=lambda one: ORDER[one["word"]])
    rows += [_row(one, document["folder"]) for one in ordered]
    table = el("div", el("table", *rows, class_="list"), class_="card scroll")
    lead = "Those that failed first. The same facts for programs: report.json beside this page."
    section = el("section", el("h2", "Files"), el("p", lead), table)
    foot = el("footer", "This page is complete in itself: it loads nothing and runs nothing.")
    return page(f"{len(files)} models converted", join([head, section, foot]))


def _word(one: Mapping[str, Any]) -> str:
    return "FAIL" if not one["ok"] else "warn" if one["warnings"] or one["lost"] else "ok"


def _row(one: Mapping[str, Any], folder: str) -> Markup:
    name: object = one["src"]
    if one["page"]:
        name = el("a", one["src"], href=quote(os.path.relpath(one["page"], folder)))
    return el(
        "tr",
        el("td", SIGNS[one["word"]], class_=STYLES[one["word"]]),
        el("td", name),
        el("td", one["source"]),
        el("td", f"{one['read'] / (1 << 20):,.1f}"),
        el("td", f"{one['seconds']:.1f}" if one["seconds"] else "up to date" * one["skipped"]),
        el("td", _told(one)),
    )


def _told(one: Mapping[str, Any]) -> str:
    error = one["error"]
    if error is not None:
        where = f"{error['where']}: " if error["where"] else ""
        return f"{where}{error['what']}" + (f" ({error['hint']})" if error["hint"] else "")
    told = [*one["warnings"], *(f"lost: {text}" for text in one["lost"])]
    told += [f"assumed: {text}" for text in one["assumed"]]
    return "; ".join(told[:4]) + (f"; and {len(told) - 4} more" if len(told) > 4 else "")
