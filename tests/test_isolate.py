"""A child that reads: what comes back, what it may use, and what is left behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jobs
import pytest

from kerasir.errors import CrashError, WeightError
from kerasir.isolate import Limits, run

BOTH = pytest.mark.parametrize("spawn", [False, True], ids=["fork", "spawn"])


@BOTH
def test_result_comes_back(spawn: bool) -> None:
    assert run(jobs.total, [2, 3, 5], result=int, spawn=spawn) == 10


@BOTH
def test_result_larger_than_a_pipe_comes_back(spawn: bool) -> None:
    assert len(run(jobs.text, 30_000_000, result=str, spawn=spawn)) == 30_000_000


@BOTH
def test_error_comes_back_with_all_its_parts(spawn: bool) -> None:
    with pytest.raises(WeightError) as caught:
        run(jobs.refuse, result=int, spawn=spawn)
    error = caught.value
    assert str(error) == "a.h5: d/k: two rows, expected three (look)\n  one\n  two"
    assert error.details == ("one", "two")
    assert "in refuse" in str(error.__cause__)


@BOTH
@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS])
def test_crash_is_an_error(number: int, spawn: bool) -> None:
    with pytest.raises(CrashError) as caught:
        run(jobs.killed_by, int(number), result=int, spawn=spawn)
    assert str(caught.value) == (
        f"the HDF5 library crashed while reading it (signal {int(number)}) "
        "(the file is damaged or hostile; do not open it with other tools)"
    )


Case = tuple[Callable[..., Any], tuple[Any, ...], Limits, str]
CASES: list[Case] = [
    (jobs.spin, (), Limits(cpu=1), "reading it took more than 1 seconds of processor time"),
    (jobs.sleep, (60,), Limits(wall=0.3), "reading it took more than 0.3 seconds"),
    (jobs.text, (9000,), Limits(answer=5000), "reading it gave 9,012 bytes of names"),
    (jobs.fail, (), Limits(), "reading it failed: KeyError: 'nothing'"),
    (jobs.vanish, (), Limits(), "the process that read it ended without an answer"),
    (jobs.killed_by, (9,), Limits(), "the process that read it was killed, perhaps for want"),
]


@BOTH
@pytest.mark.parametrize(
    ("job", "args", "limits", "what"), CASES, ids=[c[0].__name__ for c in CASES]
)
def test_limit_and_mishap_is_an_error(
    job: Callable[..., Any], args: tuple[Any, ...], limits: Limits, what: str, spawn: bool
) -> None:
    with pytest.raises(CrashError) as caught:
        run(job, *args, result=int, limits=limits, spawn=spawn)
    assert caught.value.what.startswith(what)


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts all memory on Linux only")
@BOTH
def test_memory_is_limited(spawn: bool) -> None:
    limits = Limits(memory=200 << 20)
    with pytest.raises(CrashError, match="more than the 200 MiB allowed"):
        run(jobs.allocate, 300 << 20, result=int, limits=limits, spawn=spawn)
    assert run(jobs.allocate, 100 << 20, result=int, limits=limits, spawn=spawn) == 100 << 20


def test_memory_of_the_caller_does_not_count() -> None:
    held = bytearray(300 << 20)
    assert run(jobs.allocate, 30 << 20, result=int, limits=Limits(memory=64 << 20)) == 30 << 20
    assert len(held) == 300 << 20


@BOTH
def test_child_is_not_believed(spawn: bool) -> None:
    with pytest.raises(CrashError, match="garbled answer"):
        run(jobs.text, 3, result=int, spawn=spawn)


@BOTH
def test_child_prints_nothing(spawn: bool, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(jobs.shout, result=int, spawn=spawn) == 0
    assert capfd.readouterr() == ("", "")


@BOTH
def test_child_dumps_no_core(spawn: bool) -> None:
    assert run(jobs.core_limit, result=tuple[int, int], spawn=spawn) == (0, 0)


@BOTH
def test_child_has_the_descriptors_it_needs_and_no_others(tmp_path: Path, spawn: bool) -> None:
    (tmp_path / "a").write_bytes(b"abcdef")
    kept = os.open(tmp_path / "a", os.O_RDONLY)
    other = os.open(tmp_path / "a", os.O_RDONLY)
    os.set_inheritable(other, True)
    try:
        assert run(jobs.read_at, kept, 4, result=bytes, keep=(kept,), spawn=spawn) == b"abcd"
        seen = run(jobs.open_descriptors, result=list[int], keep=(kept,), spawn=spawn)
    finally:
        os.close(kept)
        os.close(other)
    assert kept in seen
    assert other not in seen
    assert len(seen) == 2  # the other one is the pipe to the parent


@BOTH
def test_nothing_is_left_behind(spawn: bool) -> None:
    before = jobs.open_descriptors()
    child = run(jobs.process_id, result=int, spawn=spawn)
    for job in (jobs.refuse, jobs.vanish, jobs.overflow_stack):
        with pytest.raises((CrashError, WeightError)):
            run(job, result=int, spawn=spawn)
    assert jobs.open_descriptors() == before
    assert child != os.getpid()
    with pytest.raises(ChildProcessError):  # no zombie: there is no such child any more
        os.waitpid(child, os.WNOHANG)


def test_interrupt_ends_the_child(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"

    def interrupt() -> None:
        while not (pid_file.exists() and pid_file.read_text()):
            pass
        time.sleep(0.5)  # past Python's own hooks behind a fork, in which an exception is lost
        os.kill(os.getpid(), signal.SIGINT)

    before = jobs.open_descriptors()
    watcher = threading.Thread(target=interrupt)
    watcher.start()
    with pytest.raises(KeyboardInterrupt):
        run(jobs.sleep, 60.0, str(pid_file), result=int)
    watcher.join()
    assert jobs.open_descriptors() == before
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_child_outlives_an_interrupt_meant_for_the_parent() -> None:
    """Ctrl-C reaches both processes; it is the parent that decides."""
    assert run(jobs.killed_by, int(signal.SIGINT), result=int) == 0


def test_status_collected_by_someone_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that ignores SIGCHLD has its children collected by the kernel."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert run(jobs.total, [2, 3], result=int) == 5
        with pytest.raises(CrashError):
            run(jobs.overflow_stack, result=int)
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_many_threads_at_once() -> None:
    results: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: results.append(run(jobs.total, [n, 3], result=int)))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(3, 11))


def test_death_is_seen_though_another_process_holds_the_pipe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A child of the caller's own, forked at the wrong moment, keeps the pipe's other end open."""
    ends: list[int] = []
    pipe = os.pipe

    def leaking_pipe() -> tuple[int, int]:
        ours, theirs = pipe()
        ends.append(os.dup(theirs))
        return ours, theirs

    monkeypatch.setattr(os, "pipe", leaking_pipe)
    with pytest.raises(CrashError, match=r"signal 11"):
        run(jobs.overflow_stack, result=int)
    assert run(jobs.total, [2, 3], result=int) == 5
    for end in ends:
        os.close(end)
    assert len(ends) == 2
