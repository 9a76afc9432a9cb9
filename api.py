"""kerasir from Python: load, save, convert."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from .changes import Changes, changes
from .errors import ExistsError, ExportError, KerasirError, UsageError
from .ir.check import check as check_plan
from .ir.model import Model
from .ir.plan import Plan
from .ir.report import Report
from .loading import load, load_weights
from .passes.registry import PassInfo, run_passes
from .passes.solve import solve
from .targets import Aim, aim

if TYPE_CHECKING:
    from .verification import Verification

Path = str | os.PathLike[str]
Progress = Callable[[int, int], None]


class Conversion(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What a conversion did.

    Attributes:
        model: As it was exported.
        plan: The layouts chosen.
        target: What was aimed at.
        changes: What lies in another way than before.
        report: What was assumed, changed, carried and lost.
        verification: The proof, if one was asked for.
        bytes: Size of what was written; 0 if nothing was.
        seconds: How long it took.
    """

    model: Model
    plan: Plan
    target: Aim
    changes: Changes
    report: Report
    verification: Verification | None
    bytes: int
    seconds: float


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What `convert` and `save` can be told.

    Attributes:
        to: Kind of target; from the name of DST if not given.
        arch: Where the architecture is, for a file of weights alone.
        backend: Which backend wrote SRC, where the file does not say.
        source_data_format: What layers of SRC have that do not say.
        data_format: `channels_last`, `channels_first` or `keep`.
        target_backend: Whose kernels to write: `tensorflow` or `theano`.
        io_layout: `keep` or `match`: whose order inputs and outputs have.
        opset: For ONNX.
        passes: Passes or pipelines to run besides the target's own.
        plugins: Python files that declare layers, ops and passes.
        verify: Run both models; if they differ, fail and write nothing.
        tolerance: Largest relative error that `verify` allows.
        expect: An `.npz` file of inputs and genuine predictions to verify against as well.
        weights_only: Write weights without architecture and training record.
        weights_layout: For `.npz` and `.safetensors`: `canonical`, `onnx` or `stored`.
        flattened: Of weights without an architecture, Dense layers behind a Flatten, by name:
            channels, height and width of the feature map.
        overwrite: Replace DST if it exists.
        durable: Have the disk confirm before and after.
        refuse_code: Fail if SRC holds code.
        dry_run: Do everything but write.
        strict: Fail at every assumption and warning.
        check: Check the layouts after every pass.
        allow_keys: Configuration keys nobody knows that may pass, as `Class.key`.
        isolated: Run the HDF5 library in a process of its own.
        external_data: For ONNX: a name for the file of large tensors, or True.
        progress: Called with bytes done and bytes in all.
    """

    to: str | None = None
    arch: Path | None = None
    backend: str | None = None
    source_data_format: str | None = None
    data_format: str | None = None
    target_backend: str | None = None
    io_layout: str | None = None
    opset: int | None = None
    passes: Sequence[str] = ()
    plugins: Sequence[Path] = ()
    verify: bool = False
    tolerance: float = 1e-5
    expect: Path | None = None
    weights_only: bool = False
    weights_layout: str | None = None
    flattened: Mapping[str, tuple[int, int, int]] = {}
    overwrite: bool = False
    durable: bool = False
    refuse_code: bool = False
    dry_run: bool = False
    strict: bool = False
    check: bool = False
    allow_keys: Sequence[str] = ()
    isolated: bool = False
    external_data: str | bool | None = None
    progress: Progress | None = None


def save(model: Model, path: Path, **options: Any) -> Conversion:
    """Write a model: `convert` for one that is loaded already; options as there."""
    return _convert(model, os.fspath(path), _options(options))


def convert(src: Path, dst: Path, **options: Any) -> Conversion:
    """Convert a file.

    Args:
        src: What `load` reads.
        dst: Appears only if everything worked; its name says the kind of target.
        options: Fields of `Options`: `to`, `data_format`, `target_backend`, `io_layout`,
            `opset`, `passes`, `verify`, `tolerance`, `overwrite`, …; and `arch`, `backend`,
            `source_data_format`, `plugins`, `allow_keys`, `isolated` for reading.

    Raises:
        UsageError: An option that does not exist, or that the target cannot have.
        KerasirError: What went wrong; nothing is written then.
    """
    chosen = _options(options)
    target = _aim(os.fspath(dst), chosen)
    _free(os.fspath(dst), chosen)
    return _convert(_read(src, chosen, target), os.fspath(dst), chosen, target)


def _read(src: Path, options: Options, target: Aim) -> Model:
    """The model; where the target can hold them, weights may come without an architecture."""
    wanted = None if target.data_format == "keep" else target.data_format
    read = load
    if target.described.bare:
        read = partial(load_weights, flattened=options.flattened, wanted=wanted)
    elif options.flattened:
        raise UsageError(f"--flattened with --to {target.kind}", hint="it needs an architecture")
    return read(
        src,
        arch=options.arch,
        backend=options.backend,
        data_format=options.source_data_format,
        isolated=options.isolated,
        plugins=options.plugins,
        allow_keys=options.allow_keys,
    )


def _options(given: Mapping[str, Any]) -> Options:
    unknown = sorted(given.keys() - set(Options.__struct_fields__))
    if unknown:
        known = ", ".join(Options.__struct_fields__)
        raise UsageError(f"no option {unknown[0]!r}", hint=f"one of {known}")
    return Options(**given)


def _aim(dst: str, options: Options) -> Aim:
    return aim(
        dst,
        to=options.to,
        data_format=options.data_format,
        target_backend=options.target_backend,
        io_layout=options.io_layout,
        opset=options.opset,
        weights_only=options.weights_only,
        weights_layout=options.weights_layout,
    )


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

    def after(step: PassInfo, changed: Model) -> None:
        if options.check:
            check_plan(solve(changed.graph, changed.policy))

    changed = run_passes(model, goal.target, tuple(options.passes), after)
    plan = solve(changed.graph, changed.policy)
    if options.check:
        check_plan(plan)
    verification, size = None, 0
    if not options.dry_run:
        with _beside(dst, options) as path:
            report.events += _export(changed, plan, path, goal, options)
            if options.verify or options.expect is not None:
                verification = _verify(model, plan, path, options)
            size = os.path.getsize(path)
    moved = changes(changed, plan, goal)
    report.events += moved.events()
    return Conversion(
        model=changed,
        plan=plan,
        target=goal,
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
    if model.kind != "weights":
        return
    what = "" if goal.described.bare else f"{goal.described.title} needs an architecture"
    if proving:
        what = "nothing can be verified"
    if what:
        hint = "read them with --arch"
        raise ExportError(f"weights only, and {what}", file=model.facts.path, hint=hint)


def _export(model: Model, plan: Plan, path: str, goal: Aim, options: Options) -> list[Any]:
    """Hand over to the exporter of the kind."""
    common = {"overwrite": options.overwrite, "durable": options.durable}
    if goal.kind == "onnx":
        from .exporters.onnx.export import DEFAULT_OPSET, export_onnx

        return export_onnx(
            model,
            plan,
            path,
            opset=DEFAULT_OPSET if goal.opset is None else goal.opset,
            external_data=options.external_data,
            progress=options.progress,
            **common,
        )
    if goal.kind == "ir":
        from .exporters.kerasir import write_kerasir

        write_kerasir(model, path, progress=options.progress, **common)
        return []
    if goal.described.arrays:
        from .exporters.arrays import export_arrays

        export_arrays(
            model,
            plan,
            path,
            kind=goal.kind,
            order=goal.weights_layout,
            progress=options.progress,
            **common,
        )
        return []
    if model.kind == "weights":
        from .exporters.keras.bare import export_bare

        export_bare(
            model,
            plan,
            path,
            dialect=goal.described.dialect,
            target_backend=goal.backend,
            progress=options.progress,
            **common,
        )
        return []
    from .exporters.keras.model import export_keras

    return export_keras(
        model,
        plan,
        path,
        dialect=goal.described.dialect,
        target_backend=goal.backend,
        weights_only=goal.weights_only,
        progress=options.progress,
        **common,
    )


@contextmanager
def _beside(dst: str, options: Options) -> Generator[str]:
    """Where to write: the target itself, or a folder beside it until the proof is there."""
    if not options.verify and options.expect is None:
        yield dst
        return
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix=".kerasir-", dir=os.path.dirname(os.path.abspath(dst)))
    try:
        yield os.path.join(folder, os.path.basename(dst))
        # the file that refers to the others comes last
        names = sorted(os.listdir(folder), key=lambda name: name == os.path.basename(dst))
        for name in names:
            os.replace(os.path.join(folder, name), os.path.join(os.path.dirname(dst) or ".", name))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
