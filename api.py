"""kerasir from Python: save, convert."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from .changes import Changes, changes
from .errors import ExistsError, ExportError, KerasirError, UsageError
from .exporting import export, prepare
from .ir.check import check as check_plan
from .ir.model import Model
from .ir.plan import Plan
from .ir.report import Report
from .ir.shown import Shown
from .loading import Reading, Rows, read, sizes_of
from .options import Options, Path, check_for, options_of
from .passes.pipeline import run_passes
from .passes.registry import PassInfo
from .passes.solve import solve
from .passes.states import with_states
from .targets import Aim, aim

if TYPE_CHECKING:
    from .verification import Verification


class Conversion(msgspec.Struct, Shown, frozen=True, eq=False, kw_only=True):
    """What a conversion did.

    Attributes:
        source: As it was read.
        model: As it was exported.
        plan: The layouts chosen.
        target: What was aimed at.
        passes: Those that were run, in order.
        changes: What lies in another way than before.
        report: What was assumed, changed, carried and lost.
        verification: The proof, if one was asked for.
        bytes: Size of what was written; 0 if nothing was.
        seconds: How long it took.
    """

    source: Model
    model: Model
    plan: Plan
    target: Aim
    passes: tuple[PassInfo, ...]
    changes: Changes
    report: Report
    verification: Verification | None
    bytes: int
    seconds: float


def save(model: Model, path: Path, **options: Any) -> Conversion:
    """Write a model: `convert` for one that is loaded already; options as there."""
    chosen = options_of(options)
    if isinstance(chosen.batch, int) or chosen.shapes:
        flag = "batch" if chosen.shapes == {} else "shapes"
        raise UsageError(f"{flag} of a model that is loaded", hint="give it to load")
    _free(os.fspath(path), chosen)
    return _convert(model, os.fspath(path), chosen)


def convert(src: Path, dst: Path, **options: Any) -> Conversion:
    """Convert a file.

    Args:
        src: What `load` reads.
        dst: Appears only if everything worked; its name says the kind of target.
        options: Fields of `Options`: `to`, `data_format`, `target_backend`, `io_layout`,
            `opset`, `passes`, `verify`, `tolerance`, `overwrite`, …; and `arch`, `backend`,
            `source_data_format`, `plugins`, `allow_keys`, `lambdas`, `isolated`
            for reading.

    Raises:
        UsageError: An option that does not exist, or that the target cannot have.
        KerasirError: What went wrong; nothing is written then.
    """
    chosen = options_of(options)
    target = _aim(os.fspath(dst), chosen)
    _free(os.fspath(dst), chosen)
    return _convert(_read(src, chosen, target), os.fspath(dst), chosen, target)


def _read(src: Path, options: Options, target: Aim) -> Model:
    """The model; where the target can hold them, weights may come without an architecture."""
    rows = None
    if target.described.bare:
        wanted = None if target.data_format == "keep" else target.data_format
        rows = Rows(options.flattened, wanted, in_order=not target.described.arrays)
    elif options.flattened:
        raise UsageError(f"--flattened with --to {target.kind}", hint="it needs an architecture")
    batch = options.batch if isinstance(options.batch, int) and rows is None else None
    reading = Reading(
        arch=options.arch,
        backend=options.backend,
        data_format=options.source_data_format,
        isolated=options.isolated,
        plugins=options.plugins,
        allow_keys=options.allow_keys,
        lambdas=options.lambdas,
        meanwhile=partial(prepare, target),
    )
    model = read(src, reading, rows, sizes_of(batch, options.shapes))
    _check_shapes(options, target, model)
    return model


def _check_shapes(options: Options, target: Aim, model: Model) -> None:
    """Refuse shapes that would be passed over: a file for Keras has those of its source."""
    asked = {event.layer for event in model.report if event.code == "KE212"}
    if target.kind != "onnx" and options.shapes.keys() - asked:
        raise UsageError(
            f"--shape with --to {target.kind}",
            hint="it is for ONNX, and for inputs whose shape the file does not say",
        )


def _aim(dst: str, options: Options) -> Aim:
    goal = aim(
        dst,
        to=options.to,
        data_format=options.data_format,
        target_backend=options.target_backend,
        io_layout=options.io_layout,
        opset=options.opset,
        weights_only=options.weights_only,
        weights_layout=options.weights_layout,
    )
    check_for(goal.kind, options)
    return goal


def _free(dst: str, options: Options) -> None:
    if os.path.lexists(dst) and not options.overwrite and not options.dry_run:
        raise ExistsError("exists", file=dst, hint="--overwrite replaces it")


def _convert(model: Model, dst: str, options: Options, target: Aim | None = None) -> Conversion:
    """Passes, plan, export, proof: the file appears at the very end."""
    started = time.perf_counter()
    goal = target or _aim(dst, options)
    report = Report(model.report.events)
    _refuse(model, report, options)
    _refuse_arrays(model, goal, options)

    ran: list[PassInfo] = []

    def after(step: PassInfo, changed: Model) -> None:
        ran.append(step)
        if options.check:
            check_plan(solve(changed.graph, changed.policy))

    changed = run_passes(model, goal.target, tuple(options.passes), after, fold=options.fold)
    report.events += changed.report.events[len(model.report.events) :]
    plan = solve(changed.graph, changed.policy)
    if options.check:
        check_plan(plan)
    verification, size = None, 0
    if not options.dry_run:
        with _place(dst, options) as path:
            report.events += export(changed, plan, path, goal, options)
            if options.verify or options.expect is not None:
                # what the file has as inputs and outputs, the reference must have too
                proven = with_states(model) if goal.kind == "onnx" else model
                verification = _verify(proven, plan, path, options)
            size = os.path.getsize(path)
    again = any(event.code == "KX410" for event in report)  # every array as it was stored
    moved = changes(changed, plan, goal, moves_weights=not again)
    report.events += moved.events()
    return Conversion(
        source=model,
        model=changed,
        plan=plan,
        target=goal,
        passes=tuple(ran),
        changes=moved,
        report=report,
        verification=verification,
        bytes=size,
        seconds=time.perf_counter() - started,
    )


def _refuse(model: Model, report: Report, options: Options) -> None:
    """Stop at code, or at anything uncertain, where the user asked for that."""
    code = [event for event in report if event.code == "KS101"]
    if code and options.refuse_code:
        raise ExportError(
            "it holds code, and --refuse-code is set", where=code[0].layer, file=model.facts.path
        )
    doubts = [e for e in report if e.kind == "assumed" or e.level == "warning"]
    if doubts and options.strict:
        raise ExportError(
            f"{doubts[0].message}, and --strict is set",
            where=doubts[0].layer or "file",
            file=model.facts.path,
            hint=doubts[0].fix,
        )


def _refuse_arrays(model: Model, goal: Aim, options: Options) -> None:
    """Stop where weights alone are not enough."""
    proving = options.verify or options.expect is not None
    if goal.described.arrays and proving:
        raise UsageError(f"--verify with --to {goal.kind}", hint="arrays compute nothing")
    if goal.architecture_only and proving:
        hint = "it computes nothing: verify a model"
        raise UsageError("--verify with an architecture alone", hint=hint)
    if goal.weights_only and proving:
        raise UsageError("--verify with weights alone", hint="they compute nothing: verify a model")
    if model.kind != "weights":
        return
    what = "" if goal.described.bare else f"{goal.described.title} needs an architecture"
    if goal.architecture_only:
        what = "an architecture is to be written"
    if proving:
        what = "nothing can be verified"
    if what:
        hint = "read them with --arch"
        raise ExportError(f"weights only, and {what}", file=model.facts.path, hint=hint)


def _place(dst: str, options: Options) -> AbstractContextManager[str]:
    """Where to write: the target itself, or a folder beside it until the proof is there.

    Where nothing may be replaced, what another run has made since it was looked for shows at the
    end only, when there is something to compare it with.
    """
    if options.overwrite and not options.verify and options.expect is None:
        return nullcontext(dst)
    from .exporters.target import unproven

    return unproven(dst, overwrite=options.overwrite, durable=options.durable)


def _verify(model: Model, plan: Plan, path: str, options: Options) -> Verification:
    from .verification import verify_conversion

    expect = None if options.expect is None else os.fspath(options.expect)
    found = verify_conversion(model, plan, path, expect=expect, tolerance=options.tolerance)
    if not found.equal:
        raise _differs(found, path)
    return found


def _differs(found: Verification, path: str) -> KerasirError:
    from .errors import VerifyError

    first = found.first
    error = "" if first is None else first.problem or f"relative error {first.error:.2g}"
    return VerifyError(
        "the converted model computes something else",
        file=os.path.basename(path),
        where=found.first_difference or "outputs",
        hint="nothing was written",
        details=(f"{error} (allowed {found.tolerance:g}), {found.fed}",),
    )
