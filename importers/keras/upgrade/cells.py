"""RNN over cells: with one cell of Keras' own it is the layer that is called after the cell.

Source: Keras 2.1 to 2.3 `layers/recurrent.py`, where SimpleRNN, GRU and LSTM are an RNN over such
a cell themselves; `RNN.get_config`, `StackedRNNCells.get_config`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CELLS: Mapping[str, str] = {
    "SimpleRNNCell": "SimpleRNN",
    "GRUCell": "GRU",
    "LSTMCell": "LSTM",
    "ConvLSTM2DCell": "ConvLSTM2D",
}
"""The layer of each cell."""

STACK = "StackedRNNCells"
RUNNERS = frozenset({"RNN", "ConvRNN2D"})

TURNED = frozenset({
    "SimpleRNN", "GRU", "LSTM", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", STACK,
})  # fmt: skip
"""What a Bidirectional is read over."""

OF_AN_AUTHOR = "Bidirectional over an author's layer"
"""The class of one that is kept as it is."""

_OF_THE_LAYER = ("name", "trainable", "dtype")

Entry = tuple[str, Mapping[str, Any]]
"""A class and its configuration."""


def opened(class_name: str, config: Mapping[str, Any]) -> Entry:
    """An RNN as a layer: of one cell by its name, of several as `StackedRNNCells`.

    An RNN over a cell of the author's stays what it is.
    """
    cell = _entry(config.get("cell")) if class_name in RUNNERS else None
    if cell is None:
        return class_name, config
    kind, inner = cell
    outer = {key: value for key, value in config.items() if key != "cell"}
    if kind in CELLS:
        frozen = {"trainable": False} if inner.get("trainable") is False else {}
        own = {key: value for key, value in inner.items() if key not in _OF_THE_LAYER}
        kept = {key: inner[key] for key in _OF_THE_LAYER if key in inner}
        return CELLS[kind], {**own, **outer, **frozen, "cell": kept}
    cells = [_entry(one) for one in _listed(inner.get("cells"))] if kind == STACK else []
    if cells and all(one is not None and one[0] in CELLS for one in cells):
        known = [{"class_name": CELLS[c[0]], "config": c[1]} for c in cells if c is not None]
        order = {key: inner[key] for key in ("reverse_state_order",) if key in inner}
        kept = {key: inner[key] for key in _OF_THE_LAYER if key in inner}
        return STACK, {**outer, **order, "cells": known, "stack": kept}
    return class_name, config


def both_ways(config: Mapping[str, Any], halves: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A Bidirectional over upgraded halves; over an author's layer it stays what it is.

    Args:
        config: Its own.
        halves: The layers inside, upgraded.
    """
    known = all(half is None or half["class_name"] in TURNED for half in halves.values())
    return ("Bidirectional", {**config, **halves}) if known else (OF_AN_AUTHOR, dict(config))


def _entry(stored: Any) -> Entry | None:
    if not isinstance(stored, Mapping) or not isinstance(stored.get("config"), Mapping):
        return None
    return str(stored.get("class_name")).rsplit(">", 1)[-1], stored["config"]


def _listed(stored: Any) -> Sequence[Any]:
    return stored if isinstance(stored, Sequence) and not isinstance(stored, str) else ()
