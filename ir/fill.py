"""Many weights into one sink: the one loop in which the data of a conversion moves."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np

from ..errors import LayoutError
from .layout import Layout
from .source import Array
from .stream import BUDGET, Workspace, plain_range, stream
from .tensor import Param, extents

SHARE = 32 << 20
"""Bytes that a thread moves before it asks for more; fewer in all are moved without threads."""

MOST_THREADS = 4
"""More do not help: by then the memory is busy."""

BETWEEN = 0.1
"""Seconds between two looks at how far the threads are."""


class Sink(Protocol):
    """What takes the numbers of tensors that were declared to it; `index` says which.

    Its methods are called from several threads at a time, unless `fill` is told otherwise.
    """

    def write(self, index: int, start: int, data: Array) -> None:
        """Put flat, contiguous numbers from element `start` of a tensor on."""
        ...

    def copy_from(self, index: int, start: int, fd: int, offset: int, nbytes: int) -> None:
        """Put bytes of an open file from element `start` of a tensor on."""
        ...


class Job(msgspec.Struct, frozen=True):
    """One weight to be written.

    Attributes:
        index: Of the tensor in the sink.
        param: The weight as a node uses it.
        wanted: The layout to write.
        dtype: The dtype to write: as declared to the sink.
    """

    index: int
    param: Param
    wanted: Layout
    dtype: Any


def fill(
    sink: Sink,
    jobs: Iterable[Job],
    *,
    in_order: bool = False,
    budget: int = BUDGET,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write every weight. What lies in a file as it is wanted is copied without being read here.

    Args:
        sink: Takes the numbers.
        jobs: In the order in which they are to be written; that of the sink's file is fastest.
        in_order: Whether the sink has to get each tensor's numbers from the first to the last.
        budget: Bytes of memory to take at most.
        progress: Told the bytes written so far, every now and then and at the end.

    Raises:
        LayoutError: A weight cannot be brought into the wanted layout.
        WeightError: A weight does not hold what its layout says, or does not fit the dtype.
        FormatError: A file ends before its numbers.
    """
    moves = [_Move(job, 0, _count(job)) for job in jobs]
    total = sum(move.nbytes for move in moves)
    threads = min(_processors(), MOST_THREADS, total // SHARE)
    if in_order or threads < 2:
        _fill_alone(sink, moves, budget, progress)
        return
    _fill_together(sink, list(_shares(moves)), threads, budget, progress)


def _fill_alone(
    sink: Sink,
    moves: Sequence[_Move],
    budget: int,
    progress: Callable[[int], None] | None,
) -> None:
    room, done = Workspace(budget), 0

    def moved(nbytes: int) -> None:
        nonlocal done
        done += nbytes
        if progress is not None:
            progress(done)

    for move in moves:
        move.run(sink, room, moved)


def _fill_together(
    sink: Sink,
    shares: Sequence[Sequence[_Move]],
    threads: int,
    budget: int,
    progress: Callable[[int], None] | None,
) -> None:
    """Move shares in threads, each within its part of the budget; the first failure ends all."""
    from concurrent.futures import FIRST_EXCEPTION, CancelledError, ThreadPoolExecutor, wait

    rooms = threading.local()
    ended = threading.Event()
    done = [0] * len(shares)

    def work(number: int) -> None:
        def moved(nbytes: int) -> None:
            done[number] += nbytes
            if ended.is_set():
                raise CancelledError

        if not hasattr(rooms, "own"):
            rooms.own = Workspace(budget // threads)
        for move in shares[number]:
            move.run(sink, rooms.own, moved)

    with ThreadPoolExecutor(threads, thread_name_prefix="kerasir-fill") as pool:
        waiting = {pool.submit(work, number) for number in range(len(shares))}
        try:
            while waiting:
                finished, waiting = wait(waiting, BETWEEN, return_when=FIRST_EXCEPTION)
                for one in finished:
                    one.result()
                if progress is not None:
                    progress(sum(done))
        except BaseException:
            ended.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class _Move(msgspec.Struct, frozen=True):
    """A run of a weight's numbers in the destination: from `start` to before `stop`."""

    job: Job
    start: int
    stop: int

    @property
    def nbytes(self) -> int:
        return (self.stop - self.start) * self.itemsize

    @property
    def itemsize(self) -> int:
        return int(np.dtype(self.job.dtype).itemsize)

    def run(self, sink: Sink, room: Workspace, moved: Callable[[int], None]) -> None:
        """Move it; `moved` is told the bytes of each step once they are written."""
        job = self.job
        plain = plain_range(job.param, job.wanted, job.dtype)
        if plain is not None:
            offset = plain.offset + self.start * self.itemsize
            sink.copy_from(job.index, self.start, plain.descriptor(), offset, self.nbytes)
            moved(self.nbytes)
            return

        def write(start: int, data: Array) -> None:
            sink.write(job.index, start, data)
            moved(data.nbytes)

        span = (self.start, self.stop)
        stream(job.param, job.wanted, job.dtype, write, span=span, workspace=room)


def _shares(moves: Iterable[_Move]) -> Iterator[list[_Move]]:
    """The moves in lists of about `SHARE` bytes each; a long one in several."""
    share: list[_Move] = []
    room = SHARE
    for move in moves:
        step = SHARE // move.itemsize
        for start in range(move.start, move.stop, step):
            part = _Move(move.job, start, min(start + step, move.stop))
            if share and part.nbytes > room:
                yield share
                share, room = [], SHARE
            share.append(part)
            room -= part.nbytes
    if share:
        yield share


def _count(job: Job) -> int:
    try:
        return math.prod(extents(job.wanted))
    except LayoutError as error:
        error.at(job.param.weight.name)
        raise


def _processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
