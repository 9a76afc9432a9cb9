"""Conversions, each in a process of its own, here or on a cluster."""

from __future__ import annotations

import os
import signal
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any

import msgspec

from ..account import account, digest
from ..eras.titles import BACKENDS, writer
from ..errors import CrashError, KerasirError, UsageError
from ..isolate import Limits, run
from .records import Job, Outcome, Running, Trouble

MARK = struct.Struct("<QQ")
"""How far a job is: bytes done, and bytes in all."""
MOST_MARKS = 4096
"""A pipe holds no more of them."""
EVERY = 0.1
"""Seconds between two looks at what is being done."""
FOREVER = Limits(cpu=1 << 30, wall=float(1 << 30), memory=1 << 46)
"""A conversion may take what it takes; its own reading child has the usual limits."""


class Stopped(BaseException):
    """The process of a conversion was asked to end; what it began is cleaned up on the way out."""


def attempt(
    job: Job, started: Callable[[int], None] | None = None, tell: int | None = None
) -> Outcome:
    """Do a job in a process of its own, whatever becomes of that.

    Args:
        job: What to do.
        started: Told the number of the process.
        tell: A pipe that is told how far it is: see `perform`.
    """
    keep = () if tell is None else (tell,)
    try:
        return run(
            perform,
            msgspec.to_builtins(job),
            tell,
            result=Outcome,
            limits=FOREVER,
            keep=keep,
            started=started,
        )
    except CrashError as error:
        return Outcome(src=job.src, dst=job.dst, read=_size(job.src), error=Trouble.of(error))


def perform(data: Mapping[str, Any], tell: int | None = None) -> Outcome:
    """Do a job in this process, which is asked to stop by SIGTERM.

    Args:
        data: A `Job` as plain data.
        tell: A pipe into which `MARK` is written now and then: bytes done, and bytes in all.
    """
    job = msgspec.convert(data, Job)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stop)
    plain = Outcome(src=job.src, dst=job.dst, read=_size(job.src))
    try:
        return _perform(job, plain, None if tell is None else partial(_tell, tell))
    except KerasirError as error:
        return msgspec.structs.replace(plain, error=Trouble.of(error))
    except OSError as error:
        what = (error.strerror or str(error)).lower()
        return msgspec.structs.replace(plain, error=Trouble(what=what, file=error.filename or ""))
    except Exception as error:
        what = f"internal error: {type(error).__name__}: {error}"
        hint = "kerasir convert --debug shows where"
        return msgspec.structs.replace(plain, error=Trouble(what=what, hint=hint))


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise Stopped


def _tell(pipe: int, done: int, total: int) -> None:
    """Say how far it is, if there is room: nobody waits for a reader."""
    os.set_blocking(pipe, False)
    with suppress(BlockingIOError):
        os.write(pipe, MARK.pack(done, total))


def _perform(
    job: Job, plain: Outcome, progress: Callable[[int, int], None] | None = None
) -> Outcome:
    from ..api import convert
    from ..arrays import write_text
    from ..pages.report import report_page

    sha256 = digest(job.src) or ""
    if sha256 and sha256 == job.known and os.path.isfile(job.dst):
        return msgspec.structs.replace(plain, ok=True, skipped=True, sha256=sha256)
    os.makedirs(os.path.dirname(job.dst) or ".", exist_ok=True)
    done = convert(job.src, job.dst, **{**job.options, "isolated": True, "progress": progress})
    if job.page:
        text = report_page(account(done, job.src, job.dst))
        write_text(job.page, text, overwrite=True)
    facts, report = done.source.facts, done.report
    backend = BACKENDS.get(facts.backend.value or "", "")
    wrote = writer(facts.era.value, facts.version.value)
    warned = [e for e in report if e.level == "warning" and e.kind not in {"assumed", "lost"}]
    return msgspec.structs.replace(
        plain,
        page=job.page,
        ok=True,
        source=", ".join(filter(None, [wrote, backend])),
        sha256=sha256,
        written=done.bytes,
        seconds=done.seconds,
        assumed=_messages(report.of("assumed")),
        warnings=_messages(warned),
        lost=_messages(report.of("lost")),
        verified=done.verification is not None,
    )


def _messages(events: Iterable[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(event.message for event in events))


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.isfile(path) else 0


def run_here(
    jobs: Sequence[Job], workers: int, watch: Callable[[Sequence[Running]], None] | None = None
) -> Iterator[Outcome]:
    """Do jobs on this machine, so many at a time; each outcome as it comes.

    Whatever breaks this off ends the processes too, and waits until they have cleaned up.

    Args:
        jobs: What to do.
        workers: How many at a time.
        watch: Told several times a second what is being done.
    """
    alive = _Alive()
    pool = ThreadPoolExecutor(max_workers=max(1, workers), thread_name_prefix="batch")
    try:
        waiting = {pool.submit(alive.attempt, job) for job in jobs}
        while waiting:
            done, waiting = wait(waiting, EVERY if watch else None, FIRST_COMPLETED)
            for future in done:
                yield future.result()
            if watch is not None:
                watch(alive.running())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        alive.ask_to_end()
        pool.shutdown(wait=True)


class _Alive:
    """The processes of jobs that are being done, and the pipes by which they tell how far."""

    def __init__(self) -> None:
        self.pids: set[int] = set()
        self.told: dict[int, Running] = {}
        self.lock = threading.Lock()

    def attempt(self, job: Job) -> Outcome:
        """Do a job, known to the others while it lasts."""
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        mine: list[int] = []

        def started(pid: int) -> None:
            mine.append(pid)
            self.pids.add(pid)

        with self.lock:
            self.told[reader] = Running(job.src, time.monotonic())
        try:
            return attempt(job, started, writer)
        finally:
            self.pids.difference_update(mine)
            with self.lock:
                del self.told[reader]
            os.close(reader)
            os.close(writer)

    def running(self) -> list[Running]:
        """What is being done, and how far it is; the longest first."""
        with self.lock:
            for reader, one in self.told.items():
                with suppress(BlockingIOError):
                    marks = os.read(reader, MARK.size * MOST_MARKS)
                    one.done, one.total = MARK.unpack(marks[-MARK.size :])
            return sorted(self.told.values(), key=lambda one: one.since)

    def ask_to_end(self) -> None:
        """Ask all of them."""
        for pid in list(self.pids):
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(pid, signal.SIGTERM)


def run_on_cluster(jobs: Sequence[Job], scheduler: str) -> Iterator[Outcome]:
    """Do jobs on the workers of a Dask cluster, which see the same files under the same paths.

    Args:
        jobs: What to do; plugins that they name are read by each worker.
        scheduler: Its address, such as `tcp://head:8786`.

    Raises:
        UsageError: Dask is not installed, or nobody answers at the address.
    """
    try:
        from distributed import Client, as_completed as completed
    except ImportError as error:
        hint = "pip install 'kerasir[cluster]'"
        raise UsageError("Dask is not installed", where="--scheduler", hint=hint) from error
    try:
        client = Client(scheduler, timeout="10s")
    except (OSError, ValueError) as error:
        what = f"nobody answers at {scheduler}"
        raise UsageError(what, where="--scheduler", hint="is it running?") from error
    return _of_cluster(client, jobs, completed)


def _of_cluster(
    client: Any, jobs: Sequence[Job], completed: Callable[[list[Any]], Iterable[Any]]
) -> Iterator[Outcome]:
    with client:
        futures = {client.submit(attempt, job, pure=False): job for job in jobs}
        for future in completed(list(futures)):
            job = futures[future]
            if future.status == "finished":
                yield future.result()
                continue
            what = f"the worker failed: {future.exception()}"
            yield Outcome(src=job.src, dst=job.dst, error=Trouble(what=what))
