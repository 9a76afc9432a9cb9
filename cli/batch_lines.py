"""What `kerasir batch` shows: a line per file that is done, those at work below it, a summary."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..errors import show
from . import words
from .console import Console
from .progress import CELLS, Live, amounts, bar, spinner
from .settings import Settings

if TYPE_CHECKING:
    from ..batch import Batch, Job, Outcome, Running

MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "FAIL": ("✗", "red")}
SHOWN = 12
"""Failures that the summary names; the report has all."""
AT_WORK = 8
"""Jobs at work that have a line each."""
WIDEST, WRITER, WIDE = 40, 24, 110
"""Columns of a file's name at most, of who wrote it, and of a terminal with room for all."""


class Watch:
    """A line for each file that is done, and below them what is at work and how far all is.

    Args:
        settings: What the command was told.
        jobs: All of them.
        proving: Whether each is verified once it is written.
    """

    def __init__(self, settings: Settings, jobs: Sequence[Job], *, proving: bool) -> None:
        self.settings, self.console = settings, settings.err
        self.sizes = {job.src: _size(job.src) for job in jobs}
        self.names = _names([job.src for job in jobs])
        self.wide = max(map(len, self.names.values()), default=0)
        self.finished: list[str] = []
        self.last = "verifying" if proving else "finishing"
        self.live = Live(self.console, quiet=settings.quiet)

    @property
    def seen(self) -> bool:
        """Whether somebody looks at what is at work."""
        return self.console.moves and not self.settings.quiet

    def over(self, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
        """The outcomes, each told as it comes."""
        try:
            for outcome in outcomes:
                self.finished.append(outcome.src)
                self.live.clear()
                if not self.settings.quiet:
                    self._tell(outcome)
                yield outcome
        finally:
            self.live.clear()

    def look(self, running: Sequence[Running]) -> None:
        """Show what is at work."""
        if not running or not self.live.due():
            return
        seconds = time.monotonic() - self.live.started
        sign = self.console.paint(spinner(self.console, seconds), "cyan")
        # under the column of who wrote it, where there is room for that
        gap = " " * (WRITER + 2) if (self.console.width or WIDE) >= WIDE else ""
        lines = [
            f"  {sign} {self.names[one.src]:<{self.wide}}  {gap}"
            f"{words.size(self.sizes[one.src]):>10}  {self._phase(one)}"
            for one in running[:AT_WORK]
        ]
        if len(running) > AT_WORK:
            lines.append(f"  … {len(running) - AT_WORK:,} more")
        self.live.draw([*lines, self._all(running, seconds)])

    def _phase(self, one: Running) -> str:
        if not one.total:
            return "reading"
        return f"copying weights {_percent(one):.0f} %" if one.done < one.total else self.last

    def _all(self, running: Sequence[Running], seconds: float) -> str:
        """The bar: bytes of sources, those at work by the part of them that is written."""
        total = sum(self.sizes.values())
        done = sum(self.sizes[src] for src in self.finished)
        done += sum(int(self.sizes[one.src] * _percent(one) / 100) for one in running)
        cells = self.console.paint(f"{bar(done, total):<{CELLS}}", "cyan")
        files = f"{len(self.finished):,} of {len(self.sizes):,}"
        return f"  {cells}  {files}  {amounts(done, total, seconds)}"

    def _tell(self, outcome: Outcome) -> None:
        out, word = self.console, outcome.word
        note = _note(outcome)
        if not out.terminal:
            where = "" if word == "FAIL" else f" -> {words.file(outcome.dst)} ({_took(outcome)})"
            told = f": {note}" if note else ""
            out.print(f"{word} {words.file(outcome.src)}{where}{told}")
            return
        mark, color = MARKS[word]
        name = f"{out.paint(mark, color)} {self.names[outcome.src]:<{self.wide}}"
        size, took = f"{words.size(outcome.read):>10}", f"{_took(outcome):>10}"
        out.table([[name, f"{outcome.source:<{WRITER}}", size, took, note]], cut_last=True)


def _percent(one: Running) -> float:
    return min(100.0, 100 * one.done / one.total) if one.total else 0.0


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.isfile(path) else 0


def _names(paths: Sequence[str]) -> dict[str, str]:
    """What tells files apart: their names, or if two are alike their paths; cut in the middle."""
    names = {path: os.path.basename(path) for path in paths}
    if len(set(names.values())) < len(names):
        root = os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in names])
        names = {path: os.path.relpath(os.path.abspath(path), root) for path in names}
    return {path: _cut(show(name)) for path, name in names.items()}


def _cut(name: str) -> str:
    return name if len(name) <= WIDEST else f"{name[:20]}…{name[-19:]}"


def _took(outcome: Outcome) -> str:
    return "up to date" if outcome.skipped else words.duration(outcome.seconds) * outcome.ok


def _note(outcome: Outcome) -> str:
    error = outcome.error
    if error is not None:
        place = f"{error.where}: " if error.where else ""
        return show(f"{place}{error.what}", 300) + (f" ({show(error.hint)})" if error.hint else "")
    told = [*outcome.warnings, *(f"lost: {text}" for text in outcome.lost)]
    more = f" and {len(told) - 1} more" if len(told) > 1 else ""
    return show(told[0], 200) + more if told else ""


def print_batch(console: Console, batch: Batch, where: str) -> None:
    """The summary; `where` says on what it ran: `8 jobs`, or the address of a cluster."""
    count = Counter(one.word for one in batch.files)
    late = sum(one.skipped for one in batch.files)
    fresh = sum(one.ok for one in batch.files) - late
    if not console.terminal:
        told = f"{fresh:,} converted, {count['warn']:,} with warnings, {count['FAIL']:,} failed"
        console.print(told + (f", {late:,} up to date" if late else ""))
        return
    parts = [console.paint(f"✓ {fresh:,} converted", "green")]
    parts += [console.paint(f"! {count['warn']:,} with warnings", "yellow")] * bool(count["warn"])
    parts += [console.paint(f"✗ {count['FAIL']:,} failed", "red")] * bool(count["FAIL"])
    parts += [f"· {late:,} up to date"] * bool(late)
    size = words.size(sum(one.read for one in batch.files))
    console.print()
    console.print("   ".join(parts) + f"      {size} in {words.duration(batch.seconds)}, {where}")
    failed = [one for one in batch.files if not one.ok]
    if failed:
        console.print()
        names = _names([one.src for one in batch.files])
        mark = console.paint("✗", "red")
        rows = [[f"{mark} {names[one.src]}", _note(one)] for one in failed[:SHOWN]]
        console.table(rows, cut_last=True)
        if len(failed) > SHOWN:
            console.print(f"  … {len(failed) - SHOWN:,} more in the report")
    console.print()
    _print_whereabouts(console, batch)


def _print_whereabouts(console: Console, batch: Batch) -> None:
    """What was assumed, where the reports are, and how to go on."""
    assumed = Counter(text for one in batch.files for text in one.assumed)
    for number, (text, files) in enumerate(assumed.most_common(words.NAMED)):
        title = "" if number else "assumed"
        console.print(f"  {title:<9} {show(text, 100)}, in {words.count(files, 'file')}")
    pages = [os.path.join(batch.folder, name) for name in ("report.html", "report.json")]
    console.print(f"  {'report':<9} {', '.join(map(words.file, pages))}")
    if not all(one.ok for one in batch.files):
        again = console.paint(f"kerasir batch --retry {words.file(pages[1])}", "cyan")
        console.print(f"  {'again':<9} {again}")
