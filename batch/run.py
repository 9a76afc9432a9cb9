"""Conversions, each in a process of its own, here or on a cluster."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from types import FrameType
from typing import Any

import msgspec

from ..account import account, digest
from ..eras.titles import BACKENDS, writer
from ..errors import CrashError, KerasirError, UsageError
from ..isolate import Limits, run
from .records import Job, Outcome, Trouble

FOREVER = Limits(cpu=1 << 30, wall=float(1 << 30), memory=1 << 46)
"""A conversion may take what it takes; its own reading child has the usual limits."""


class Stopped(BaseException):
    """The process of a conversion was asked to end; what it began is cleaned up on the way out."""


def attempt(job: Job, started: Callable[[int], None] | None = None) -> Outcome:
    """Do a job in a process of its own, whatever becomes of that.

    Args:
        job: What to do.
        started: Told the number of the process.
    """
    try:
        return run(
            perform, msgspec.to_builtins(job), result=Outcome, limits=FOREVER, started=started
        )
    except CrashError as error:
        return Outcome(src=job.src, dst=job.dst, read=_size(job.src), error=Trouble.of(error))


def perform(data: Mapping[str, Any]) -> Outcome:
    """Do a job in this process, which is asked to stop by SIGTERM.

    Args:
        data: A `Job` as plain data.
    """
    job = msgspec.convert(data, Job)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stop)
    plain = Outcome(src=job.src, dst=job.dst, read=_size(job.src))
    try:
        return _perform(job, plain)
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


def _perform(job: Job, plain: Outcome) -> Outcome:
    from ..api import convert
    from ..arrays import write_text
    from ..pages.report import report_page

    sha256 = digest(job.src) or ""
    if sha256 and sha256 == job.known and os.path.isfile(job.dst):
        return msgspec.structs.replace(plain, ok=True, skipped=True, sha256=sha256)
    os.makedirs(os.path.dirname(job.dst) or ".", exist_ok=True)
    done = convert(job.src, job.dst, **{**job.options, "isolated": True})
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


def run_here(jobs: Sequence[Job], workers: int) -> Iterator[Outcome]:
    """Do jobs on this machine, so many at a time; each outcome as it comes.

    Whatever breaks this off ends the processes too, and waits until they have cleaned up.
    """
    alive: set[int] = set()

    def one(job: Job) -> Outcome:
        mine: list[int] = []

        def started(pid: int) -> None:
            mine.append(pid)
            alive.add(pid)

        try:
            return attempt(job, started)
        finally:
            alive.difference_update(mine)

    pool = ThreadPoolExecutor(max_workers=max(1, workers), thread_name_prefix="batch")
    try:
        futures = [pool.submit(one, job) for job in jobs]
        for future in as_completed(futures):
            yield future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for pid in list(alive):
            _ask_to_end(pid)
        pool.shutdown(wait=True)


def _ask_to_end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:  # it has just ended
        return


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
