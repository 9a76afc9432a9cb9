"""Many weights into one sink: the one loop in which the data of a conversion moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import msgspec

from .layout import Layout
from .source import Array
from .stream import BUDGET, Workspace, plain_range, stream
from .tensor import Param


class Sink(Protocol):
    """What takes the numbers of tensors that were declared to it; `index` says which."""

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
    budget: int = BUDGET,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write every weight. What lies in a file as it is wanted is copied without being read here.

    Args:
        sink: Takes the numbers.
        jobs: In the order in which they are to be written; that of the sink's file is fastest.
        budget: Bytes of memory to take at most.
        progress: Told the bytes written so far, after each chunk.

    Raises:
        LayoutError: A weight cannot be brought into the wanted layout.
        WeightError: A weight does not hold what its layout says, or does not fit the dtype.
        FormatError: A file ends before its numbers.
    """
    room, done = Workspace(budget), 0

    def moved(nbytes: int) -> None:
        nonlocal done
        done += nbytes
        if progress is not None:
            progress(done)

    for job in jobs:
        plain = plain_range(job.param, job.wanted, job.dtype)
        if plain is not None:
            sink.copy_from(job.index, 0, plain.descriptor(), plain.offset, plain.nbytes)
            moved(plain.nbytes)
            continue

        def write(start: int, data: Array, index: int = job.index) -> None:
            sink.write(index, start, data)
            moved(data.nbytes)

        stream(job.param, job.wanted, job.dtype, write, workspace=room)
