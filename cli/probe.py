"""`kerasir inspect --probe data.npz`: which way of reading a file fits known answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ..eras.titles import BACKENDS
from ..errors import show
from . import words
from .console import Console

if TYPE_CHECKING:
    from ..verification.probe import Reading


def probe_record(readings: Sequence[Reading], tolerance: float) -> dict[str, Any]:
    """The readings as JSON has them."""
    return {
        "tolerance": tolerance,
        "readings": [{**msgspec.to_builtins(one), "fits": one.fits(tolerance)} for one in readings],
    }


def print_probe(
    console: Console, path: str, expect: str, readings: Sequence[Reading], tolerance: float
) -> None:
    """A row per reading, and how to say the one that fits."""
    console.print(f"{console.paint(words.file(path), 'bold')}   against {words.file(expect)}")
    console.print()
    head = ["reading", "largest error", f"allowed {tolerance:g}"]
    rows = [[console.paint(text, "dim") for text in head]]
    for one in readings:
        name = f"{BACKENDS[one.backend]}, {one.ordering}"
        error = "-" if math.isinf(one.error) and one.problem else words.error(one.error)
        verdict = console.paint("✓ fits", "green") if one.fits(tolerance) else ""
        verdict = verdict or (show(one.problem, 120) if one.problem else "✗")
        note = ", read so by default" if one.default else ""
        rows.append([name, error, f"{verdict}{note}"])
    console.table(rows, cut_last=True)
    console.print()
    fitting = [one for one in readings if one.fits(tolerance)]
    if not fitting:
        text = "no backend and no ordering gives these answers"
        console.print(f"{console.paint('✗ none fits', 'red')}: {text}")
    elif any(one.default for one in fitting):
        console.print(f"{console.paint('✓', 'green')} the file is read rightly by default")
    else:
        options = console.paint(fitting[0].options, "cyan")
        console.print(f"{console.paint('✓', 'green')} read it with {options}")
