"""Errors as people read them: `kerasir: error: FILE: WHERE: WHAT (HINT)`, details below."""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence

from ..errors import ExistsError, KerasirError, UsageError, show
from . import words
from .console import Console, wrapped
from .settings import Settings

FAILED, USAGE, INTERRUPTED, TERMINATED = 1, 2, 130, 143
MOST = 3500
"""Characters that a message may take in all, whatever a file made it say."""
PROGRAM = "kerasir: "


class Terminated(BaseException):
    """The process was asked to end (SIGTERM); what it began is cleaned up on the way out."""


def fail(settings: Settings, error: KerasirError) -> int:
    """Print an error of ours; gives the exit code."""
    print_message(settings.err, "error", error)
    if settings.json:
        settings.document("error/1", ok=False, body={"error": _record(error)})
    wrong_usage = isinstance(error, UsageError) and not isinstance(error, ExistsError)
    return USAGE if wrong_usage else FAILED


def internal(settings: Settings, error: BaseException) -> int:
    """Print an error that nobody foresaw."""
    hint = "" if settings.debug else "--debug shows where"
    what = f"internal error: {type(error).__name__}: {show(str(error))}"
    if isinstance(error, (MemoryError, RecursionError)):
        what = "not enough memory" if isinstance(error, MemoryError) else "nested too deeply"
    if isinstance(error, OSError) and error.errno is not None:
        what, hint = _of_the_system(error)
    return fail(settings, KerasirError(what, hint=hint))


def stopped(settings: Settings, error: BaseException) -> int:
    """Say that the work was broken off; what was half done is gone by now."""
    interrupted = isinstance(error, KeyboardInterrupt)
    settings.err.print(PROGRAM + ("interrupted" if interrupted else "terminated"))
    return INTERRUPTED if interrupted else TERMINATED


def show_where(settings: Settings, error: BaseException) -> None:
    """The traceback, if it was asked for."""
    if settings.debug:
        import traceback

        for line in "".join(traceback.format_exception(error)).splitlines():
            settings.err.print(show(line, 2000))


def warn(settings: Settings, what: str, *, file: str = "", where: str = "", hint: str = "") -> None:
    """Print a warning, in the form of an error."""
    if not settings.quiet:
        print_message(
            settings.err, "warning", KerasirError(what, file=file, where=where, hint=hint)
        )


def print_message(console: Console, level: str, error: KerasirError) -> None:
    """One logical line, details indented below; on a terminal wrapped, the hint on its own line.

    Every part may come from a file, so all of it is escaped and bounded here.
    """
    head = f"{PROGRAM}{level}: "
    places = [words.file(error.file)] if error.file else []
    places += [show(error.where)] if error.where else []
    what, hint = show(error.what, 600), show(error.hint, 400)
    color = "red" if level == "error" else "yellow"
    painted = console.paint(head, color, "bold")
    place = "".join(console.paint(f"{text}: ", "bold") for text in places)
    taken = len(head) + sum(len(text) + 2 for text in places)
    if console.width is None:
        console.print(painted + place + what + (f" ({hint})" if hint else ""))
    else:
        first, *rest = wrapped(what, console.width - 2, taken - 2)
        console.print(painted + place + first)
        hinted = wrapped(f"({hint})", console.width - 2) if hint else []
        for line in (*rest, *hinted):
            console.print(f"  {line}")
    _print_details(console, error.details, MOST - taken - len(what) - len(hint))


def _print_details(console: Console, details: Sequence[str], room: int) -> None:
    for number, detail in enumerate(details):
        line = show(detail, 300)
        room -= len(line) + 3
        if room < 0:
            console.print(f"  … {len(details) - number} more lines")
            return
        console.print(f"  {line}")


def _record(error: KerasirError) -> dict[str, object]:
    """The error for machines. `code` is the class: what a caller would handle differently."""
    name = type(error).__name__.removesuffix("Error") or "kerasir"
    return {
        "code": re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower(),
        "file": error.file or None,
        "where": error.where or None,
        "what": error.what,
        "hint": error.hint or None,
        "items": list(error.details),
    }


def _of_the_system(error: OSError) -> tuple[str, str]:
    """What the operating system refused, and what to do about it."""
    reason = error.strerror or str(error)
    where = f"{error.filename}: " if isinstance(error.filename, str) else ""
    hints = {
        errno.EMFILE: "raise the limit of open files: ulimit -n",
        errno.ENOSPC: "make room, or write elsewhere",
    }
    return f"{where}{reason[:1].lower()}{reason[1:]}", hints.get(error.errno or 0, "")
