"""Progress: after a second, on a terminal, in bytes."""

from __future__ import annotations

import io
import time
from types import SimpleNamespace

import pytest
from terminal import Stream

from kerasir.cli import progress as module
from kerasir.cli.console import Console
from kerasir.cli.progress import Live, Progress

MIB = 1 << 20


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    held = SimpleNamespace(now=100.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: held.now))
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


def test_what_nobody_can_measure_turns_until_the_first_bytes_and_after_the_last(clock) -> None:
    stream = Stream()
    clock.now = 101.5
    names = {"before": "reading", "after": "verifying"}
    with Progress(Console(stream), "copying weights", **names) as progress:
        clock.now = 103.5
        _wait_for(stream, "reading  2.0 s")
        clock.now = 104.5
        progress(1 * MIB, 2 * MIB)
        clock.now = 105.0
        progress(2 * MIB, 2 * MIB)
        clock.now = 106.5
        _wait_for(stream, "verifying  5.0 s")
    assert "copying weights  ━" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[2K")


def _wait_for(stream: Stream, text: str) -> None:
    for _ in range(100):
        if text in stream.getvalue():
            return
        time.sleep(0.05)
    raise AssertionError(f"{text!r} was never drawn: {stream.getvalue()!r}")


def test_several_lines_are_drawn_in_their_place(clock: SimpleNamespace) -> None:
    stream = Stream()
    live = Live(Console(stream))
    clock.now = 102.0
    assert live.due()
    live.draw(["one", "two", "three" * 50])
    live.draw(["four"])
    live.clear()
    erase, up = "\r\x1b[2K", "\x1b[A\r\x1b[2K"
    long = ("three" * 50)[:98] + "…"
    assert stream.getvalue() == f"{erase}one\ntwo\n{long}{erase}{up}{up}four{erase}"


def test_a_dumb_terminal_sees_no_line_that_moves(clock: SimpleNamespace, monkeypatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = Stream()
    with Progress(Console(stream), "copying weights", before="reading") as progress:
        clock.now = 500.0
        progress(1, 2)
    assert stream.getvalue() == ""
