"""One line that says how far the work is: after a second, on a terminal, in bytes."""

from __future__ import annotations

import math
import time
from typing import Self

from . import words
from .console import Console, cut

WAIT, REDRAW = 1.0, 0.1
"""Seconds before anything is shown, and between two drawings."""
CELLS = 30
SURE = 0.05
"""The part that must be done before the time left is told."""


class Progress:
    """Called with bytes done and bytes in all; a context that clears its line at the end.

    Args:
        console: stderr.
        phase: What is done, in the present: `copying weights`.
        quiet: Show nothing.
    """

    def __init__(self, console: Console, phase: str, *, quiet: bool = False) -> None:
        self.console, self.phase = console, phase
        self._silent = quiet or not console.terminal
        self._started = self._drawn = time.monotonic()
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Make room for a line that stays; the next call draws anew."""
        if self._shown:
            self.console.stream.write("\r\x1b[2K")
            self.console.stream.flush()
            self._shown, self._drawn = False, 0.0

    def __call__(self, done: int, total: int) -> None:
        """Tell how far it is."""
        now = time.monotonic()
        if self._silent or now - self._started < WAIT or now - self._drawn < REDRAW:
            return
        self._drawn, self._shown = now, True
        line = self.line(done, total, now - self._started)
        self.console.stream.write("\r\x1b[2K" + self.console.plain(line))
        self.console.stream.flush()

    def line(self, done: int, total: int, seconds: float) -> str:
        """Such as `copying weights  ━━━━━━  4.1 MiB of 6.8 MiB  612.0 MiB/s  5 s left`."""
        share = min(1.0, done / total) if total else 1.0
        bar = "━" * round(CELLS * share)
        rate = done / seconds if seconds else 0.0
        text = f"{words.size(done)} of {words.size(total)}  {words.size(round(rate))}/s"
        if share >= SURE and rate:
            text += f"  {math.ceil((total - done) / rate)} s left"
        width = self.console.width or 100
        return cut(f"  {self.phase}  {bar:<{CELLS}}  {text}", width - 1)
