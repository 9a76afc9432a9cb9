"""From a plan to a file: each kind of target by its exporter, imported when it is needed."""

from __future__ import annotations

from .errors import UsageError
from .ir.model import Model
from .ir.plan import Plan
from .ir.report import Event
from .options import Options
from .targets import Aim

RESERVED = ("ai.onnx", "com.microsoft")
"""How domains begin whose operators are defined by others."""


def prepare(goal: Aim) -> None:
    """Import what makes most kinds of target ahead of time: while another process is at work."""
    if goal.kind == "onnx":
        from .exporters.onnx import export  # ruff: ignore[unused-import]
    elif goal.described.dialect:
        from .exporters.keras import model  # ruff: ignore[unused-import]


def export(model: Model, plan: Plan, path: str, goal: Aim, options: Options) -> list[Event]:
    """Hand a model over to the exporter of its kind of target.

    Args:
        model: What is written.
        plan: In which layouts.
        path: The file to make.
        goal: Says the kind.
        options: What else was said.

    Returns:
        What there is to tell.

    Raises:
        KerasirError: What the exporter cannot do; there is no file then.
    """
    common = {"overwrite": options.overwrite, "durable": options.durable}
    if goal.kind == "onnx":
        return _export_onnx(model, plan, path, goal, options)
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
    if goal.architecture_only:
        from .exporters.keras.architecture import export_architecture

        return export_architecture(
            model,
            plan,
            path,
            dialect=goal.described.dialect,
            target_backend=goal.backend,
            **common,
        )
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


def _export_onnx(model: Model, plan: Plan, path: str, goal: Aim, options: Options) -> list[Event]:
    from .exporters.onnx.export import DEFAULT_OPSET, export_onnx
    from .exporters.onnx.style import Style

    if options.opaque_domain.startswith(RESERVED):
        hint = "choose one of your own, such as com.example"
        raise UsageError("a domain of ONNX' own", where="--opaque-domain", hint=hint)
    style = Style(
        float16=options.float16,
        functions=options.functions,
        share=options.fold,
        opaque_domain=options.opaque_domain,
        rename=options.rename,
        batch=options.batch if isinstance(options.batch, str) else Style().batch,
    )
    return export_onnx(
        model,
        plan,
        path,
        opset=DEFAULT_OPSET if goal.opset is None else goal.opset,
        style=style,
        external_data=options.external_data,
        source_hash=options.source_hash,
        overwrite=options.overwrite,
        durable=options.durable,
        progress=options.progress,
    )
