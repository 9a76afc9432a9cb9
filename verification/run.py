"""Running two models, or one against known answers, and comparing what comes of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from ..arrays import read_arrays
from ..engines import Engine, OnnxRuntime, Port, Reference, fits, open_engine
from ..engines.sessions import check_file
from ..errors import FormatError, UsageError, VerifyError
from ..ir.layout import Axis, Layout
from ..ir.model import Model
from ..ir.plan import Plan
from ..ir.source import Array
from ..passes.states import with_states
from .causes import cause_of_answers
from .compare import classes, compare, largest_differences
from .feeds import Feed, fixed_by, known_arrays, random_feed
from .records import Cause, Compared, Side, Verification
from .sides import Comparison
from .sizes import at_other_sizes

Path = str | os.PathLike[str]

TOLERANCE, HALF_TOLERANCE = 1e-5, 1e-2
"""Largest relative error that is allowed if nothing is said; the latter for half precision, whose
numbers have eleven binary digits."""


def verify(
    a: Path,
    b: Path | None = None,
    *,
    expect: Path | None = None,
    inputs: Path | None = None,
    tolerance: float | None = None,
    samples: int | None = None,
    **reading: Any,
) -> Verification:
    """Compare two models on the same inputs, or one with known answers.

    Two models that agree compute the same; that they compute what the old Keras did only known
    answers prove.

    Args:
        a: The first model, computed by the reference in float64 (an `.onnx` file by ONNX Runtime).
        b: The second, computed in float32.
        expect: An `.npz` file of known answers, `out_0`, …; with their inputs, `in_0`, …, unless
            `inputs` has them. Names of the model's own inputs and outputs will do as well.
        inputs: An `.npz` file of inputs, in the order of `a`; random ones if not given.
        tolerance: Largest error allowed, relative to the largest magnitude in `a`; what fits the
            models' precision if it is not given.
        samples: How many random inputs.
        reading: For `a`, what `load` takes: `arch`, `backend`, `data_format`, `isolated`, …

    Raises:
        KerasirError: A model cannot be read or run, or the arrays do not fit it.
    """
    fed, known = _name(inputs), _name(expect)
    if b is None and expect is None:
        hint = "a second model, or --expect FILE"
        raise UsageError("nothing to compare with", file=os.fspath(a), hint=hint)
    first = open_engine(os.fspath(a), precision="float64", **reading)
    if b is None:
        feed, answers = _feed(first, fed, known, samples)
        allowed = _allowed(tolerance, first)
        return _against_answers(first, feed, answers, str(known), allowed, reading)
    other = os.fspath(b)
    if isinstance(first, Reference) and other.lower().endswith(".onnx"):
        first = Reference(with_states(first.model), "float64")
    general = {key: reading[key] for key in ("isolated", "plugins") if key in reading}
    second = open_engine(other, precision="float32", **general)
    feed, answers = _feed(first, fed, known, samples, fixed_by(first, second))
    return _compared(
        Comparison(first, second, feed, _allowed(tolerance, first, second)), answers, known
    )


def _name(path: Path | None) -> str | None:
    return None if path is None else os.fspath(path)


def verify_conversion(
    model: Model,
    plan: Plan,
    path: str,
    *,
    expect: str | None = None,
    tolerance: float | None = None,
) -> Verification:
    """Compare a model with the file that a plan of it was written to.

    Args:
        model: As it was read.
        plan: What was exported; its inputs and outputs say how the file's lie.
        path: The file.
        expect: An `.npz` file of known answers and their inputs, in the model's order; random
            inputs if not given.
        tolerance: Largest relative error allowed; what fits the file's precision if it is not
            given.

    Raises:
        KerasirError: A model cannot be run, or the arrays do not fit it.
    """
    first = Reference(model, "float64")
    fed, given = [h.layout for h in plan.inputs], [h.layout for h in plan.outputs]
    second: Engine
    if path.lower().endswith(".onnx"):
        check_file(path)
        second = OnnxRuntime(path, fed, given)
    else:
        second = open_engine(path, precision="float32")
    for ports, layouts in ((second.inputs, fed), (second.outputs, given)):
        _check_shapes(ports, layouts, path)
    feed, answers = _feed(first, None, expect, None)
    allowed = _allowed(tolerance, second)
    return _compared(Comparison(first, second, feed, allowed, fed, given, plan), answers, expect)


def _check_shapes(ports: Sequence[Port], layouts: Sequence[Layout], path: str) -> None:
    """Make sure that a file takes and gives the shapes that were planned.

    Raises:
        VerifyError: One has another shape, in whatever order its numbers come.
    """
    for port, layout in zip(ports, layouts, strict=False):
        if not fits(layout, port.shape):
            raise VerifyError(
                "the converted model has another shape than was planned",
                file=os.path.basename(path),
                where=port.name,
                hint="nothing was written",
                details=(f"{port.text} in place of {layout}",),
            )


def _allowed(tolerance: float | None, *engines: Engine) -> float:
    """The tolerance that was asked for, or what fits the engines' precision."""
    if tolerance is not None:
        return tolerance
    half = any(isinstance(engine, OnnxRuntime) and engine.half for engine in engines)
    return HALF_TOLERANCE if half else TOLERANCE


def _compared(comparison: Comparison, answers: Sequence[Array], expect: str | None) -> Verification:
    """Both models against each other, and against the known answers if there are any."""
    found = comparison.run()
    if found.equal and (sizes := at_other_sizes(comparison)):
        fed = f"{found.fed}; outputs for another size as well"
        found = replace(found, sizes=sizes, fed=fed)
    ports, file = comparison.a.outputs, os.path.basename(expect or "")
    known = [
        compare(f"{port.name} of {side}, against {file}", "answer", answer, array, found.tolerance)
        for side, outputs in (("A", comparison.answers), ("B", comparison.others))
        for port, answer, array in zip(ports, answers, outputs, strict=False)
    ]
    return replace(found, answers=tuple(known))


def _feed(
    engine: Engine,
    inputs: str | None,
    expect: str | None,
    samples: int | None,
    fixed: Mapping[Axis, int] = MappingProxyType({}),
) -> tuple[Feed, Sequence[Array]]:
    """What is fed, and the answers that are known; none of these if `expect` is not given."""
    answers: Sequence[Array] = ()
    source = inputs or expect
    if expect is not None:
        found = known_arrays(engine, read_arrays(expect), expect).outputs
        if found is None:
            names = ", ".join(port.name for port in engine.outputs)
            raise FormatError("no answers in it", file=expect, hint=f"out_0, …, or {names}")
        answers = found
    if source is None:
        return random_feed(engine, samples, fixed=fixed), ()
    fed = known_arrays(engine, read_arrays(source), source).inputs
    if fed is None:
        names = ", ".join(port.name for port in engine.inputs)
        raise FormatError("no inputs in it", file=source, hint=f"in_0, …, or {names}")
    count = len(fed[0]) if fed and fed[0].ndim else 1
    return Feed(fed, f"{count} {'input' if count == 1 else 'inputs'} of {source}"), answers


def _against_answers(
    engine: Engine,
    feed: Feed,
    answers: Sequence[Array],
    path: str,
    tolerance: float,
    reading: dict[str, Any],
) -> Verification:
    ran = engine.run(feed.arrays)
    found = ran.outputs
    compared = _outputs(engine, answers, found, tolerance)
    result = Verification(
        a=Side(engine.path, engine.title, tuple(port.text for port in engine.inputs)),
        b=Side(path, "known answers", ()),
        tolerance=tolerance,
        fed=feed.text,
        outputs=tuple(compared),
        classes=classes(answers[0], found[0]) if ran.logits and len(answers) == 1 else None,
    )
    wrong = next((i for i, c in enumerate(compared) if not c.agrees(tolerance)), None)
    if wrong is None:
        return result
    cause: Cause | None = None
    tried: tuple[str, ...] = ()
    if isinstance(engine, Reference):
        cause, tried = cause_of_answers(engine, feed, answers, tolerance, reading)
    layout: Layout | None = engine.outputs[wrong].layout
    return replace(
        result,
        differences=largest_differences(found[wrong], answers[wrong], layout),
        cause=cause,
        tried=tried,
    )


def _outputs(
    engine: Engine, answers: Sequence[Array], found: Sequence[Array], tolerance: float
) -> list[Compared]:
    """Outputs against known answers, which are what errors are relative to; states have none."""
    triples = zip(engine.outputs, answers, found, strict=False)
    return [compare(p.name, "output", known, array, tolerance) for p, known, array in triples]
