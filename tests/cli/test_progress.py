"""Progress: after a second, on a terminal, in bytes."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from terminal import Stream

from kerasir.cli import progress as module
from kerasir.cli.console import Console
from kerasir.cli.progress import Progress

MIB = 1 << 20


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    held = SimpleNamespace(now=100.0)
    monkeypatch.setattr(module.time, "monotonic", lambda: held.now)
    monkeypatch.setenv("COLUMNS", "100")
    return held


def test_nothing_is_shown_in_the_first_second(clock: SimpleNamespace) -> None:
    stream = Stream()
    with Progress(Console(stream), "copying weights") as progress:
        for now in (100.1, 100.5, 100.99):
            clock.now = now
            progress(5 * MIB, 10 * MIB)
    assert stream.getvalue() == ""


def test_then_one_line_at_most_ten_times_a_second_and_none_at_the_end(clock) -> None:
    stream = Stream()
    with Progress(Console(stream), "copying weights") as progress:
        for tick in range(200):
            clock.now = 101 + tick / 100
            progress(tick * MIB, 200 * MIB)
    drawn = stream.getvalue().split("\r\x1b[2K")
    assert drawn[0] == drawn[-1] == ""
    assert 15 <= len(drawn) - 2 <= 20
    assert "\n" not in stream.getvalue()


def test_the_line_says_bytes_rate_and_time_left(clock: SimpleNamespace) -> None:
    progress = Progress(Console(Stream(), "never"), "copying weights")
    assert progress.line(3 * MIB, 9 * MIB, 1.5) == (
        "  copying weights  ━━━━━━━━━━                      3.0 MiB of 9.0 MiB  2.0 MiB/s  3 s left"
    )
    assert "left" not in progress.line(1 * MIB, 100 * MIB, 1.5)


@pytest.mark.parametrize("quiet", [True, False])
def test_quiet_and_pipes_see_none_of_it(clock: SimpleNamespace, quiet: bool) -> None:
    stream = Stream() if quiet else io.StringIO()
    with Progress(Console(stream), "copying weights", quiet=quiet) as progress:
        clock.now = 500.0
        progress(1, 2)
    assert stream.getvalue() == ""
