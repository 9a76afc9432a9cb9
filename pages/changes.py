"""What was done to a layer, in words and colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Row = Mapping[str, Any]


class Kind(NamedTuple):
    """A kind of change: its class of colours, and what a badge says."""

    style: str
    text: str


WORDS: Mapping[str, Kind] = {
    "reversed": Kind("k-rev", "reversed"),
    "permuted": Kind("k-perm", "permuted"),
    "rows reordered": Kind("k-rows", "rows reordered"),
    "joined": Kind("k-rows", "joined"),
}
"""By the words of `changes.Moved`."""

WHY: Mapping[str, str] = {
    "reversed": "Theano's convolution turns the kernel round before it multiplies, others do not. "
    "Read back to front along its spatial axes, the stored kernel gives the same sum.",
    "permuted": "The same numbers along the same axes, in the order that the target stores.",
    "rows reordered": "What feeds this layer comes in another order of axes now, so each row moves "
    "to where its input went. No value changes.",
    "joined": "Arrays that the file keeps one by one, such as one per gate, are stored as one.",
}
"""Why that is safe."""

FOLDED = Kind("", "folded into its neighbours")
PADS = ("KP201", "KP202", "KP203")


class Changed(NamedTuple):
    """A layer, what was done to it, and what is told of it."""

    kinds: tuple[Kind, ...]
    events: tuple[Mapping[str, Any], ...]


def changed(rows: Sequence[Row], events: Sequence[Mapping[str, Any]]) -> list[Changed]:
    """For each row what was done.

    Args:
        rows: Layers of `kerasir.convert/1`.
        events: Its events.
    """
    of: dict[str, list[Mapping[str, Any]]] = {}
    for event in events:
        # what moved is in the layers themselves
        if event["layer"] and not event["code"].startswith("KL"):
            of.setdefault(event["layer"], []).append(event)
    return [_changed(row, of.get(row["name"], [])) for row in rows]


def _other(code: str) -> Kind:
    return FOLDED if code == "KX103" else Kind("", "written otherwise")


def _changed(row: Row, events: Sequence[Mapping[str, Any]]) -> Changed:
    words = [word for weight in row["weights"] for word in weight["words"]]
    kinds = [WORDS.get(word, Kind("", word)) for word in words]
    if row["axis_moved"]:
        kinds.append(Kind("k-perm", "axis moved"))
    fed = not row["reads"] and not row["op"]
    if fed and row["after"] is not None and row["before"] != row["after"]:
        kinds.append(Kind("k-perm", "order changed"))
    for event in events:
        if event["kind"] == "changed":
            pad = event["code"] in PADS
            kinds.append(Kind("k-pad", "padding written out") if pad else _other(event["code"]))
        elif event["kind"] == "lost":
            kinds.append(Kind("k-lost", "lost"))
        elif event["level"] == "warning":
            kinds.append(Kind("k-warn", "look"))
    if row["after"] is None and row["before"] and FOLDED not in kinds:
        kinds.append(Kind("", "left out"))
    return Changed(tuple(dict.fromkeys(kinds)), tuple(events))
