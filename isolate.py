"""The one place that starts a reading child: a process of its own for libraries that may crash.

The HDF5 library can be made to crash, to loop or to allocate without end by a malformed file, so a
function that calls it runs in a child with limits, and only plain data comes back: the result of
the function, encoded by msgspec and validated against the type that the caller expects.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import resource
import select
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from . import errors
from .errors import CrashError, KerasirError

R = TypeVar("R")
MIB = 1 << 20
HOSTILE = "the file is damaged or hostile; do not open it with other tools"
ANSWER, FAILURE = b"A", b"F"
HEAD = 9
"""Bytes before a message: what it is, and its length."""
MOST_DESCRIPTORS = 1 << 20


class Limits(msgspec.Struct, frozen=True):
    """What a child may use.

    Attributes:
        cpu: Seconds of processor time.
        wall: Seconds until it is given up, whatever it waits for.
        memory: Bytes it may allocate (enforced on Linux), beyond what the caller already holds.
        answer: Bytes that its result may take.
    """

    cpu: int = 20
    wall: float = 120.0
    memory: int = 512 * MIB
    answer: int = 256 * MIB


class Failure(msgspec.Struct, frozen=True):
    """An exception on its way to the parent."""

    kind: str
    what: str
    file: str = ""
    where: str = ""
    hint: str = ""
    details: tuple[str, ...] = ()
    trace: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """What the parent needs to raise it again."""
        trace = "".join(traceback.format_exception(error))
        if isinstance(error, KerasirError):
            place = (error.file, error.where, error.hint, error.details)
            return cls(type(error).__name__, error.what, *place, trace)
        return cls(type(error).__name__, str(error), trace=trace)

    def error(self, limits: Limits) -> KerasirError:
        """The exception to raise; only kerasir's own classes come back as they were."""
        kind = getattr(errors, self.kind, None)
        if isinstance(kind, type) and issubclass(kind, KerasirError):
            place = {"file": self.file, "where": self.where, "hint": self.hint}
            return kind(self.what, **place, details=self.details)
        if self.kind == "MemoryError":
            needs = f"reading it needs more than the {limits.memory // MIB} MiB allowed"
            return CrashError(needs, hint=HOSTILE)
        return CrashError(f"reading it failed: {self.kind}: {self.what}", hint=HOSTILE)


class ChildError(Exception):
    """Where in the child an exception arose; the cause of the one raised in the parent."""

    def __str__(self) -> str:
        return f"in the reading process:\n{self.args[0]}"


def run(
    function: Callable[..., R],
    *args: object,
    result: type[R],
    limits: Limits | None = None,
    keep: Sequence[int] = (),
    started: Callable[[int], None] | None = None,
    meanwhile: Callable[[], object] | None = None,
    spawn: bool = sys.platform != "linux",
) -> R:
    """Call a function in a child process and return what it returns.

    Args:
        function: A function at the top level of a module.
        args: Its arguments, plain data.
        result: The type of its result, one that msgspec can decode; the child is not believed.
        limits: What the child may use.
        keep: Open descriptors that the function needs; all others are closed.
        started: Told the number of the process.
        meanwhile: Called here while the child is at work.
        spawn: Start a fresh interpreter in place of a fork.

    Raises:
        CrashError: The child died, or used more than it may.
        KerasirError: What the function raised.
    """
    limits = limits or Limits()
    start = _spawn if spawn else _fork
    child = start(function, args, limits, keep)
    try:
        if started is not None:
            started(child.pid)
        if meanwhile is not None:
            meanwhile()
        message = child.receive(limits)
    finally:
        child.end()
    if message is None:
        raise _crash(child.status, limits)
    kind, payload = message
    try:
        if kind == ANSWER:
            return msgspec.msgpack.decode(payload, type=result)
        failure = msgspec.msgpack.decode(payload, type=Failure)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise CrashError("the reading process gave a garbled answer", hint=HOSTILE) from error
    raise failure.error(limits) from ChildError(failure.trace)


def _fork(
    function: Callable[..., Any], args: tuple[object, ...], limits: Limits, keep: Sequence[int]
) -> _Child:
    """Start the child as a copy of this process."""
    ours, theirs = os.pipe()
    with warnings.catch_warnings():
        # Python warns of forks beside other threads. The child runs on its own, takes no lock of
        # theirs and ends by os._exit.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        os.close(theirs)
        return _Child(pid, ours)
    try:
        _child(function, args, limits, theirs, keep)
    finally:
        os._exit(70)


def _spawn(
    function: Callable[..., Any], args: tuple[object, ...], limits: Limits, keep: Sequence[int]
) -> _Child:
    """Start the child as a fresh interpreter, where a fork is not safe (macOS)."""
    ours, theirs = os.pipe()
    job = msgspec.msgpack.encode((args, limits, theirs, tuple(keep))).hex()
    script = (
        f"from {function.__module__} import {function.__qualname__} as function\n"
        f"from {__name__} import serve\n"
        f"serve(function, {job!r})"
    )
    for fd in (theirs, *keep):
        os.set_inheritable(fd, True)
    try:
        path = os.pathsep.join(entry for entry in sys.path if entry)
        pid = os.posix_spawn(
            sys.executable, [sys.executable, "-c", script], {**os.environ, "PYTHONPATH": path}
        )
    finally:
        os.close(theirs)
        for fd in keep:
            os.set_inheritable(fd, False)
    return _Child(pid, ours)


def serve(function: Callable[..., Any], job: str) -> None:
    """What a spawned child does."""
    args, limits, pipe, keep = msgspec.msgpack.decode(
        bytes.fromhex(job), type=tuple[tuple[Any, ...], Limits, int, tuple[int, ...]]
    )
    try:
        _child(function, args, limits, pipe, keep)
    finally:
        os._exit(70)


def _child(
    function: Callable[..., Any],
    args: tuple[object, ...],
    limits: Limits,
    pipe: int,
    keep: Sequence[int],
) -> None:
    """Run the function, send what came of it, and end without any clean-up of the parent's."""
    gc.disable()  # objects of the parent must not be finalized here as well
    faulthandler.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and ends this process
    for other in (signal.SIGTERM, signal.SIGXCPU, signal.SIGPIPE):
        signal.signal(other, signal.SIG_DFL)
    _close_all_but(pipe, *keep)
    try:
        _limit(limits)
        answer = msgspec.msgpack.encode(function(*args))
        _send(pipe, ANSWER, answer)
    except BaseException as error:
        _send(pipe, FAILURE, msgspec.msgpack.encode(Failure.of(error)))
    os._exit(0)


def _close_all_but(*keep: int) -> None:
    """Close what was inherited; standard streams lead nowhere, since C libraries print on them."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in {0, 1, 2} - set(keep):
        os.dup2(null, fd)
    first = 3
    for fd in sorted({fd for fd in keep if fd > 2}):
        os.closerange(first, fd)
        first = fd + 1
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    os.closerange(first, most if 0 < most < MOST_DESCRIPTORS else MOST_DESCRIPTORS)


def _limit(limits: Limits) -> None:
    """Have the kernel enforce the limits; no core dump, which would hold the caller's memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_CPU, limits.cpu)
    if sys.platform == "linux":
        with open("/proc/self/statm", encoding="ascii") as statm:
            held = int(statm.read().split()[5]) * resource.getpagesize()
        _lower(resource.RLIMIT_DATA, held + limits.memory)


def _lower(kind: int, value: int) -> None:
    """Set a limit, unless the caller's own is lower."""
    soft, hard = resource.getrlimit(kind)
    known = [limit for limit in (soft, hard, value) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(kind, (min(known), hard))


def _send(pipe: int, kind: bytes, payload: bytes) -> None:
    message = memoryview(kind + len(payload).to_bytes(HEAD - 1, "big") + payload)
    while message:
        message = message[os.write(pipe, message) :]


class _Child:
    """A process started here, and the pipe to read from."""

    __slots__ = ("ended", "pid", "pipe", "status")

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid, self.pipe = pid, pipe
        self.ended = False
        self.status: int | None = None
        """As of os.waitstatus_to_exitcode, negative for a signal; None if not known."""

    def wait(self, options: int = 0) -> bool:
        """Collect the status, so that no zombie stays; returns whether the child has ended."""
        if not self.ended:
            try:
                pid, status = os.waitpid(self.pid, options)
            except ChildProcessError:  # someone else collected it
                self.ended = True
            else:
                self.ended = pid != 0
                self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.ended

    def end(self) -> None:
        """Make sure that it has ended."""
        os.close(self.pipe)
        if not self.wait(os.WNOHANG):
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    def receive(self, limits: Limits) -> tuple[bytes, memoryview] | None:
        """Its message; None if it died before all of it was sent."""
        until = time.monotonic() + limits.wall
        got, wanted = bytearray(), HEAD
        poll = select.poll()
        poll.register(self.pipe, select.POLLIN)
        while len(got) < wanted:
            left = until - time.monotonic()
            if left <= 0:
                raise CrashError(f"reading it took more than {limits.wall:g} seconds", hint=HOSTILE)
            # Another child of ours may hold the pipe open: its end is not the only sign of death.
            if not poll.poll(0 if self.ended else 1000 * min(left, 0.2)):
                if self.ended:
                    return None
                self.wait(os.WNOHANG)
                continue
            block = os.read(self.pipe, MIB)
            if not block:
                return None
            got += block
            if wanted == HEAD and len(got) >= HEAD:
                wanted += int.from_bytes(got[1:HEAD], "big")
                if wanted > limits.answer:
                    raise CrashError(f"reading it gave {wanted:,} bytes of names", hint=HOSTILE)
        return bytes(got[:1]), memoryview(got)[HEAD:wanted]


def _crash(status: int | None, limits: Limits) -> CrashError:
    """The error for a child that died without a message."""
    if status == -signal.SIGXCPU:
        what = f"reading it took more than {limits.cpu} seconds of processor time"
    elif status == -signal.SIGKILL:
        what = "the process that read it was killed, perhaps for want of memory"
    elif status is not None and status < 0:
        what = f"the HDF5 library crashed while reading it (signal {-status})"
    else:
        what = "the process that read it ended without an answer"
    return CrashError(what, hint=HOSTILE)
