"""A verification as people read it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import show
from . import words
from .console import Console

if TYPE_CHECKING:
    from ..verification import Compared, Side, Verification

CELLS, DECADES = 28, 9
"""Cells of a bar, which stands for errors from 1e-09 to 1."""


PARTS: Mapping[str, str] = {
    "before softmax": ", before softmax",
    "other size": ", for another size of inputs",
}
"""What is added to the name of something that was compared."""


def print_verification(console: Console, found: Verification, verbose: int = 0) -> None:
    """Both sides, a row per layer, what differs, and the verdict."""
    _print_sides(console, found)
    rows = _rows(console, found, verbose)
    if rows:
        console.print()
        head = "relative error" + (", 1e-09 to 1" if console.terminal else "")
        allowed = f"allowed {found.tolerance:g}"
        cells = (
            ["layer", f"{head:<{CELLS}}", allowed] if console.terminal else ["layer", head, allowed]
        )
        console.table([[console.paint(cell, "dim") for cell in cells], *rows])
    if not found.equal:
        _print_differences(console, found)
        _print_cause(console, found)
    console.print()
    console.print(verdict(console, found))


def _print_sides(console: Console, found: Verification) -> None:
    sides = [("A", found.a), ("B", found.b)]
    console.table(
        [
            [
                letter,
                console.paint(words.file(side.file), "bold") + " ",
                side.engine,
                " " + ", ".join(map(console.tag, side.inputs)),
            ]
            for letter, side in sides
        ],
        indent="",
    )
    own = found.b.inputs and _order(found.a) != _order(found.b)
    console.print(f"   {show(found.fed)}" + ("; B's in its own order" if own else ""))


def _order(side: Side) -> list[str]:
    return list(side.inputs)


def _rows(console: Console, found: Verification, verbose: int) -> list[list[str]]:
    """Layers that compute something, up to the first that differs and one that follows from it."""
    first = found.first
    shown = [layer for layer in found.layers if layer.weighted or verbose or layer is first]
    shown += [c for c in found.logits if verbose or c is first]
    if verbose or not found.layers or first in found.outputs:
        shown += found.outputs
    shown += found.answers
    shown += [c for c in found.sizes if verbose or not c.agrees(found.tolerance)]
    rows: list[list[str]] = []
    following = 0
    for compared in shown:
        failed = _failed(found, compared)
        follows = failed and compared is not first
        following += follows
        if not follows or following == 1 or verbose:
            rows.append(_row(console, compared, found, follows=follows))
    if following > 1 and not verbose:
        more = f"… {words.count(following - 1)} more that follow from it"
        rows.append([console.paint(more, "dim")])
    return rows


def _failed(found: Verification, compared: Compared) -> bool:
    return not compared.agrees(found.tolerance)


def _row(console: Console, compared: Compared, found: Verification, *, follows: bool) -> list[str]:
    failed = _failed(found, compared)
    name = show(compared.name) + PARTS.get(compared.part, "")
    first = failed and not follows
    label = console.paint(name, "red", "bold") + " ✗" if first else name
    number = words.error(compared.error)
    note = compared.problem
    if follows:
        label, note = console.paint(name, "dim"), note or "follows from it"
    elif first:
        note = note or ("the first that differs" if found.layers else "differs")
    bar = [_bar(console, compared.error, found.tolerance)] if console.terminal else []
    if not console.terminal and not note:
        note = "agrees"
    return [label, *bar, number, note]


def _bar(console: Console, error: float, tolerance: float) -> str:
    """A bar on a scale of decades: green up to what is allowed, red beyond it."""
    length, allowed = _cells(error), _cells(tolerance)
    text = "▇" * length
    if not console.unicode:
        return ""
    if error <= tolerance:
        return f"{console.paint(text, 'green')}{' ' * (CELLS - length)}"
    good, bad = text[:allowed], text[allowed:]
    return console.paint(good, "green") + console.paint(bad, "red") + " " * (CELLS - length)


def _cells(error: float) -> int:
    if math.isnan(error):
        return CELLS
    if error <= 10.0**-DECADES:
        return 0
    return min(CELLS, math.ceil(CELLS * (math.log10(error) + DECADES) / DECADES))


def _print_differences(console: Console, found: Verification) -> None:
    first = found.first
    if first is None or not found.differences:
        return
    console.print()
    head = [f"largest differences in {show(first.name)}", "A", "B"]
    rows = [[f"  {d.place}", _value(d.a), _value(d.b)] for d in found.differences]
    console.table([head, *rows], right=(1, 2))
    console.print(
        f"    {words.count(first.differing)} of {words.count(first.count, 'value')} differ"
    )


def _value(number: float) -> str:
    """Five decimals, or five digits where that would show nothing."""
    small = number != 0 and not 1e-3 <= abs(number) < 1e6
    return f"{number:.4e}" if small else f"{number + 0.0:.5f}"


def _print_cause(console: Console, found: Verification) -> None:
    cause = found.cause
    head = console.paint("likely cause:", "bold")
    if cause is None:
        if found.tried:
            console.print()
            tried = f"tried {len(found.tried)}: {', '.join(found.tried)}"
            console.print(f"  {head} not found; {tried}")
        return
    console.print()
    console.print(f"  {head} {show(cause.text, 400)}.")
    others = f" Not: {', '.join(cause.tried)}." if cause.tried else ""
    console.print(f"    Tried: without it, A and B agree to {words.error(cause.error)}.{others}")
    if cause.fix:
        console.print(f"    fix: {console.paint(cause.fix, 'cyan')}")


def verdict(console: Console, found: Verification) -> str:
    """The last line."""
    parts = []
    if found.layers:
        agree = f"{found.agreeing} of {words.count(len(found.layers), 'layer')} agree"
        parts.append(agree)
    parts.append(_outputs(found))
    text = ", ".join(parts)
    if found.classes is not None:
        same, total = found.classes.same, found.classes.total
        text += f"; the same class for {same} of {words.count(total, 'input')}"
    if found.equal:
        return console.paint("✓ equal", "green") + f": {text}"
    first = found.first
    where = f"first at {show(first.name)}; " if first is not None and found.layers else ""
    shown = text if not found.layers else text.split(", ", 1)[1]
    return console.paint("✗ different", "red") + f": {where}{shown}"


def _outputs(found: Verification) -> str:
    """Outputs in a phrase: how far they are apart, and how far from known answers."""
    text = _farthest(found, found.outputs, "output")
    if found.answers:
        text += f", {_farthest(found, found.answers, 'known answer')}"
    return text


def _farthest(found: Verification, compared: Sequence[Compared], noun: str) -> str:
    worst = max(compared, key=lambda c: math.inf if math.isnan(c.error) else c.error)
    if worst.problem:
        return f"{noun} {show(worst.name)}: {worst.problem}"
    if not worst.agrees(found.tolerance):
        return f"{noun} {show(worst.name)} off by {words.error(worst.error)}"
    who = f"{len(compared)} {noun}s" if len(compared) > 1 else f"{noun} {show(worst.name)}"
    return f"{who} within {words.error(worst.error)}"
