"""What an ONNX file says of where it comes from: `metadata_props`."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator

from ...errors import FormatError
from ...ir.model import Model
from ...ir.plan import Plan
from ...passes.states import states_of
from ...version import __version__
from .draft import Draft

HASHED_UP_TO = 64 << 20
"""Bytes of a source file up to which its SHA-256 is stated unasked.

Hashing takes about as long as the whole conversion of a file whose weights are only copied, so a
large file is read once more on request alone. A small one is hashed beside the writing.
"""

CHUNK = 1 << 20
UNKNOWN = "of the source file: not known yet".ljust(64, ".")
"""As long as a SHA-256 is; it stands in its place until the file has been read."""


class FileDigest:
    """The SHA-256 of a file, computed beside other work: hashing and reading leave Python free.

    Args:
        path: A regular file.
    """

    def __init__(self, path: str) -> None:
        self._path, self._text, self._stopped = path, "", False
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="sha256", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        digest, room = hashlib.sha256(), bytearray(CHUNK)
        view = memoryview(room)
        try:
            with open(self._path, "rb", buffering=0) as file:
                while not self._stopped and (count := file.readinto(room)):
                    digest.update(view[:count])
        except OSError as error:
            self._error = error
        self._text = digest.hexdigest()

    def text(self) -> str:
        """The digest in hexadecimal digits.

        Raises:
            FormatError: The file cannot be read any more.
        """
        self._thread.join()
        if self._error is not None:
            what = f"cannot be read again: {self._error.strerror}"
            raise FormatError(what, file=self._path) from self._error
        return self._text

    def stop(self) -> None:
        """Nobody wants it any more."""
        self._stopped = True


def digest_of(model: Model, *, asked: bool) -> FileDigest | None:
    """The digest of the file that a model came from, begun; None if it is large, or not there."""
    path = model.facts.path
    if not os.path.isfile(path) or not (asked or os.path.getsize(path) <= HASHED_UP_TO):
        return None
    return FileDigest(path)


def metadata(model: Model, plan: Plan, draft: Draft, *, hashed: bool) -> Iterator[tuple[str, str]]:
    """Where the model comes from, and what its inputs and outputs are.

    Args:
        model: What is written.
        plan: In which layouts.
        draft: As which graph.
        hashed: Whether the source file's SHA-256 will be known: `UNKNOWN` stands in its place.
    """
    facts = model.facts
    yield "kerasir_version", __version__
    if facts.path:
        yield "source_file", os.path.basename(facts.path)
    if hashed:
        yield "source_sha256", UNKNOWN
    if draft.style.float16:
        yield "precision", "float16"
    known = {
        "keras_era": facts.era,
        "keras_version": facts.version,
        "keras_backend": facts.backend,
        "keras_data_format": facts.ordering,
    }
    for name, fact in known.items():
        if fact.value is not None:
            yield name, fact.value
    for what, held, edges in (
        ("input", plan.inputs, draft.inputs),
        ("output", plan.outputs, draft.outputs),
    ):
        for one, edge in zip(held, edges, strict=True):
            yield f"{what}_layout:{edge.name}", str(one.layout)
    yield from ((f"state:{fed}", given) for fed, given in states(plan, draft))


def states(plan: Plan, draft: Draft) -> Iterator[tuple[str, str]]:
    """Names of inputs that take the state of a layer, each with the output that gives it."""
    count = states_of(plan.graph)
    fed, given = draft.inputs, draft.outputs
    for one, other in zip(fed[len(fed) - count :], given[len(given) - count :], strict=True):
        yield one.name, other.name
