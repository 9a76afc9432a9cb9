"""Conversions to be done, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..errors import KerasirError


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One conversion to be done.

    Attributes:
        src: The source.
        dst: The target; its folder is made.
        page: Where to write its report; "" for nowhere.
        options: What `convert` takes, as plain data.
        known: The SHA-256 of the source that `dst` was made of, with these options and by this
            version; "" if that is not known.
    """

    src: str
    dst: str
    page: str = ""
    options: Mapping[str, Any] = {}
    known: str = ""


class Running(msgspec.Struct):
    """A job that is being done.

    Attributes:
        src: The source.
        since: When it began, in seconds of `time.monotonic`.
        done: Bytes of weights written.
        total: Bytes that there are to write; 0 while that is not known.
    """

    src: str
    since: float
    done: int = 0
    total: int = 0


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why a conversion failed: the parts of a `KerasirError`."""

    what: str
    file: str = ""
    where: str = ""
    hint: str = ""
    details: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: KerasirError) -> Trouble:
        """Of an error."""
        parts = {"file": error.file, "where": error.where, "hint": error.hint}
        return cls(what=error.what, details=error.details, **parts)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a job.

    Attributes:
        src: The source.
        dst: The target.
        page: Its report; "" if there is none.
        ok: Whether the target is there.
        skipped: Whether it was there already, made of the same bytes in the same way.
        source: What wrote the source: `Keras 1.2.2, Theano`.
        sha256: Of the source; "" if it cannot be read.
        read: Bytes of the source.
        written: Bytes of the target.
        seconds: How long it took.
        assumed: What the source does not say.
        warnings: What should be looked at.
        lost: What the target has no place for.
        verified: Whether both models were run and agree.
        error: Why there is no target.
    """

    src: str
    dst: str
    page: str = ""
    ok: bool = False
    skipped: bool = False
    source: str = ""
    sha256: str = ""
    read: int = 0
    written: int = 0
    seconds: float = 0.0
    assumed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    verified: bool = False
    error: Trouble | None = None

    @property
    def word(self) -> str:
        """`ok`, `warn` or `FAIL`."""
        return "FAIL" if not self.ok else "warn" if self.warnings or self.lost else "ok"


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that was run: `kerasir.batch/1` without its head.

    Attributes:
        version: Of kerasir.
        folder: Where the targets are.
        options: What all conversions were told.
        files: What came of each.
        seconds: How long all took.
    """

    version: str
    folder: str
    options: Mapping[str, Any]
    files: tuple[Outcome, ...]
    seconds: float = 0.0
