"""How far the work is: after a second, on a terminal, in bytes; the lines go when it is done."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from typing import Self

from . import words
from .console import Console, cut, unpainted, width_of

WAIT, REDRAW = 1.0, 0.1
"""Seconds before anything is shown, and between two drawings."""
CELLS = 30
SURE = 0.05
"""The part that must be done before the time left is told."""
ERASE, UP = "\r\x1b[2K", "\x1b[A"


class Live:
    """Lines at the foot of a terminal, drawn anew in their place."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self.console = console
        self._silent = quiet or not console.moves
        self.started = self._drawn = time.monotonic()
        self._shown = 0

    def due(self) -> bool:
        """Whether there is somebody to see it, and it is time to draw."""
        now = time.monotonic()
        return not self._silent and now - self.started >= WAIT and now - self._drawn >= REDRAW

    def draw(self, lines: Sequence[str]) -> None:
        """Show these in place of those before; each is cut to the width."""
        width = (self.console.width or 100) - 1
        shown = [self._fitted(self.console.plain(line), width) for line in lines]
        self.console.stream.write(self._erasing() + "\n".join(shown))
        self.console.stream.flush()
        self._shown, self._drawn = len(lines), time.monotonic()

    def clear(self) -> None:
        """Make room for lines that stay; the next call draws anew."""
        if self._shown:
            self.console.stream.write(self._erasing())
            self.console.stream.flush()
            self._shown, self._drawn = 0, 0.0

    def _erasing(self) -> str:
        return ERASE + (UP + ERASE) * (self._shown - 1)

    @staticmethod
    def _fitted(line: str, width: int) -> str:
        return line if width_of(line) <= width else cut(unpainted(line), width)


class Progress:
    """Called with bytes done and bytes in all; a context that clears its line at the end.

    Args:
        console: stderr.
        phase: What is done with those bytes, in the present: `copying weights`.
        before: What is done until the first call, of which nobody knows how long it takes.
        after: The same, once all bytes are done.
        quiet: Show nothing.
    """

    def __init__(
        self,
        console: Console,
        phase: str = "",
        *,
        before: str = "",
        after: str = "",
        quiet: bool = False,
    ) -> None:
        self.console, self.phase, self.after = console, phase, after
        self._unmeasured = before
        self._live = Live(console, quiet=quiet)
        self._began = self._live.started
        self._lock, self._over = threading.Lock(), threading.Event()
        turning = (before or after) and console.moves and not quiet
        self._turner = threading.Thread(target=self._turn, daemon=True) if turning else None

    def __enter__(self) -> Self:
        if self._turner is not None:
            self._turner.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._turner is not None:
            self._turner.join()
        self._live.clear()

    def __call__(self, done: int, total: int) -> None:
        """Tell how far it is."""
        with self._lock:
            if self._unmeasured:
                self._began = time.monotonic()
            self._unmeasured = self.after if done >= total else ""
            if self._live.due():
                self._live.draw([self.line(done, total, time.monotonic() - self._began)])

    def _turn(self) -> None:
        """Show that something happens while nobody calls."""
        while not self._over.wait(REDRAW):
            with self._lock:
                if self._unmeasured and self._live.due():
                    seconds = time.monotonic() - self._live.started
                    turned = spinner(self.console, seconds)
                    took = words.duration(seconds)
                    self._live.draw([f"  {turned} {self._unmeasured}  {took}"])

    def line(self, done: int, total: int, seconds: float) -> str:
        """Such as `copying weights  ━━━━━━  4.1 MiB of 6.8 MiB  612.0 MiB/s  5 s left`."""
        return f"  {self.phase}  {bar(done, total):<{CELLS}}  {amounts(done, total, seconds)}"


def spinner(console: Console, seconds: float) -> str:
    """A sign that turns."""
    signs = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" if console.unicode else "-\\|/"
    return signs[int(seconds / REDRAW) % len(signs)]


def bar(done: int, total: int) -> str:
    """As many cells as are done."""
    return "━" * round(CELLS * _share(done, total))


def amounts(done: int, total: int, seconds: float) -> str:
    """How much of how much, how fast, and how long it may still take once that is known."""
    rate = done / seconds if seconds else 0.0
    text = f"{words.size(done)} of {words.size(total)}  {words.size(round(rate))}/s"
    if _share(done, total) >= SURE and rate:
        text += f"  {math.ceil((total - done) / rate)} s left"
    return text


def _share(done: int, total: int) -> float:
    return min(1.0, done / total) if total else 1.0
