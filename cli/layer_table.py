"""The table of a model's layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import show
from . import words
from .console import GAP, TIMES, Console, cut, width_of
from .folding import Fold, folds

if TYPE_CHECKING:
    from ..inspection import LayerRow, WeightRow

Cells = list[str]
"""Layer, operation, output, weights, parameters: bare text."""

HEAD = ("layer", "operation", "output", "weights", "params")
NARROWEST = 8
"""Columns that are left to the weights before anything else gives way."""


def print_layers(console: Console, rows: Sequence[LayerRow], verbose: int) -> None:
    """Print a row per layer; what repeats is folded unless `verbose`."""
    table = [_cells(row, verbose) for row in rows]
    left_out = [] if verbose else folds([tuple(cells[1:]) for cells in table])
    if console.width is not None:
        _fit(table, console.width)
    lines = [[console.paint(text, "dim") for text in HEAD]]
    at = 0
    for fold in left_out:
        lines += [_painted(console, cells) for cells in table[at : fold.start]]
        lines.append([console.paint(_folded(fold, table), "dim")])
        at = fold.end
    lines += [_painted(console, cells) for cells in table[at:]]
    console.table(lines, right=(4,))


def _cells(row: LayerRow, verbose: int) -> Cells:
    operation = show(row.operation)
    if verbose and row.class_name not in {"", "InputLayer", row.op}:
        operation += f" ({show(row.class_name)})"
    weights = f"same weights as {show(row.same_as)}" if row.same_as else _tags(row.weights)
    return [
        "  " * len(row.path) + show(row.name),
        operation,
        ", ".join(row.outputs),
        weights,
        words.count(row.parameters) if row.weights else "",
    ]


def _tags(weights: Sequence[WeightRow]) -> str:
    """The layout of what matters most: a kernel; vectors of one length together."""
    shown = [weight for weight in weights if len(weight.shape) > 1]
    if shown:
        first = shown[0]
        parts = f"{len(first.stored)} arrays of " if len(first.stored) > 1 else ""
        return f"{show(first.name)} {parts}{first.layout}"
    if not weights:
        return ""
    if len({weight.layout for weight in weights}) == 1 and len(weights) > 1:
        return f"{len(weights)} {TIMES} {weights[0].layout}"
    return f"{show(weights[0].name)} {weights[0].layout}"


def _painted(console: Console, cells: Cells) -> list[str]:
    name, operation, output, weights, params = cells
    word, blank, layout = weights.partition(" ")
    tagged = console.tag(weights) if ":" in word else word + blank + console.tag(layout)
    return [name, operation, console.tag(output), tagged, params]


def _folded(fold: Fold, table: Sequence[Cells]) -> str:
    block = Counter(cells[1] for cells in table[fold.start : fold.start + fold.period])
    first = table[fold.start - fold.period][0].strip()
    kinds = ", ".join(k if n == 1 else f"{n} {TIMES} {k}" for k, n in block.items())
    what = "layer" if fold.period == 1 else "block"
    return f"… {words.count(fold.times, f'more {what}')} like {first} ({kinds}); -v shows all"


def _fit(table: list[Cells], width: int) -> None:
    """Make room on a narrow terminal: the word `kernel` goes, the batch goes, tags are cut."""
    for give_way in (_without_names, _without_batch):
        if _widths(table) > width:
            give_way(table)
    over = _widths(table) - width
    if over > 0:
        widest = max(width_of(cells[3]) for cells in table)
        for cells in table:
            cells[3] = cut(cells[3], max(NARROWEST, widest - over))


def _widths(table: Sequence[Cells]) -> int:
    columns = [max(width_of(cells[c]) for cells in [list(HEAD), *table]) for c in range(len(HEAD))]
    return sum(columns) + len(GAP) * len(columns)


def _without_names(table: list[Cells]) -> None:
    for cells in table:
        cells[3] = cells[3].removeprefix("kernel ")


def _without_batch(table: list[Cells]) -> None:
    for cells in table:
        cells[2] = cells[2].removeprefix("N:? ")
