"""Running the passes of a target: its pipeline, and those asked for besides."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ..errors import PassError
from ..ir.model import Model
from ..ir.report import Report
from . import (  # ruff: ignore[unused-import]  (importing a file registers its passes)
    cleanup,
    folding,
    fusing,
    layouts,
    padding,
    states,
)
from .registry import FOLDING, PASSES, PIPELINES, PassInfo, Target


def steps_of(pipeline: str, extra: tuple[str, ...] = (), *, fold: bool = True) -> list[PassInfo]:
    """The passes of a pipeline and those asked for besides, in order, each once.

    Args:
        pipeline: A key of `PIPELINES`.
        extra: Further passes or pipelines by name.
        fold: Whether the pipeline's own passes of `FOLDING` are among them.

    Raises:
        PassError: Nobody knows a name.
    """
    names = [name for name in PIPELINES[pipeline] if fold or name not in FOLDING]
    for name in extra:
        names += PIPELINES.get(name, (name,))
    unknown = [name for name in names if name not in PASSES]
    if unknown:
        known = ", ".join([*PASSES, *PIPELINES])
        raise PassError(
            f"no pass {unknown[0]!r}", hint="kerasir passes lists them", details=(known,)
        )
    return [PASSES[name] for name in dict.fromkeys(names)]


def run_passes(
    model: Model,
    target: Target,
    extra: tuple[str, ...] = (),
    after: Callable[[PassInfo, Model], None] | None = None,
    *,
    fold: bool = True,
) -> Model:
    """Run a target's pipeline and the passes asked for besides.

    Args:
        model: Stays as it is.
        target: What the conversion aims at.
        extra: Further passes or pipelines by name.
        after: Called behind each pass with its result: the checker, in tests and with `--check`.
        fold: As of `steps_of`.
    """
    for step in steps_of(target.pipeline, extra, fold=fold):
        before, model = model, step.run(model, target)
        if step.name in FOLDING:
            model = _told(before, model)
        if step.ensures is not None:
            step.ensures(model)
        if after is not None:
            after(step, model)
    return model


def _told(before: Model, model: Model) -> Model:
    """The model, its report naming the layers that have no node of their own any more."""
    left = {node.layer for node in model.graph.nodes}
    gone = dict.fromkeys(node.layer for node in before.graph.nodes if node.layer not in left)
    report = Report(model.report)
    for layer in gone:
        if layer is not None:
            message = f"{layer.class_name} is folded into its neighbours"
            report.add("KX103", "changed", message, layer=layer.name)
    return msgspec.structs.replace(model, report=report) if gone else model
