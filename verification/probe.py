"""Which way of reading a file fits known answers: every backend and ordering is tried."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ..arrays import read_arrays
from ..engines import open_engine
from ..errors import FormatError, KerasirError, UsageError
from ..loading import load
from .compare import compare
from .feeds import known_arrays

BACKENDS = ("theano", "tensorflow")
ORDERINGS = ("channels_first", "channels_last")


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One way of reading a file.

    Attributes:
        backend: Which one is taken to have written the kernels.
        ordering: Where the channels are, for layers that do not say.
        default: Whether this is how the file is read if nobody says anything.
        error: The largest error of an output, relative to the largest magnitude of its answer;
            infinite if there is none to tell.
        problem: Why there is none.
    """

    backend: str
    ordering: str
    default: bool
    error: float
    problem: str = ""

    def fits(self, tolerance: float) -> bool:
        """Whether the answers come out."""
        return self.error <= tolerance

    @property
    def options(self) -> str:
        """What to say on the command line, so that the file is read so."""
        return f"--backend {self.backend} --source-data-format {self.ordering}"


def probe(path: str, expect: str, **reading: Any) -> tuple[Reading, ...]:
    """Read a file in every way and compare what it predicts with known answers.

    Args:
        path: A model; of weights alone `arch` says the architecture.
        expect: An `.npz` file of inputs, `in_0`, …, and answers, `out_0`, ….
        reading: What `load` takes besides `backend` and `data_format`.

    Raises:
        KerasirError: The arrays cannot be read, or the file in no way.
    """
    if path.lower().endswith((".onnx", ".kerasir")):
        raise UsageError("there is one way to read it", file=path, hint="kerasir verify --expect")
    arrays = read_arrays(expect)
    default = _default(path, reading)
    found = tuple(_readings(path, arrays, expect, default, reading))
    if all(one.problem for one in found):
        raise FormatError(found[0].problem, file=path, where="every reading")
    return found


def _default(path: str, reading: Mapping[str, Any]) -> tuple[str | None, str | None]:
    try:
        facts = load(path, **reading).facts
    except KerasirError:
        return None, None
    return facts.backend.value, facts.ordering.value


def _readings(
    path: str,
    arrays: Mapping[str, Any],
    expect: str,
    default: tuple[str | None, str | None],
    reading: Mapping[str, Any],
) -> Iterator[Reading]:
    for backend in BACKENDS:
        for ordering in ORDERINGS:
            error, problem = math.inf, ""
            try:
                error = _error(
                    path, arrays, expect, {**reading, "backend": backend, "data_format": ordering}
                )
            except KerasirError as failure:
                problem = failure.what if not failure.where else f"{failure.where}: {failure.what}"
            known = default[1] is None or default[1] == ordering
            yield Reading(
                backend=backend,
                ordering=ordering,
                default=default[0] == backend and known,
                error=error,
                problem=problem,
            )


def _error(path: str, arrays: Mapping[str, Any], expect: str, reading: Mapping[str, Any]) -> float:
    """How far the outputs are from the answers, read so."""
    engine = open_engine(path, precision="float64", **reading)
    known = known_arrays(engine, arrays, expect)
    if known.inputs is None or known.outputs is None:
        raise FormatError("it needs inputs and answers", file=expect, hint="in_0, … and out_0, …")
    found = engine.run(known.inputs).outputs
    errors = [
        compare(port.name, "output", answer, array, 0.0).error
        for port, answer, array in zip(engine.outputs, known.outputs, found, strict=True)
    ]
    return max((math.inf if math.isnan(error) else error for error in errors), default=math.inf)
