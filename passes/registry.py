"""Passes by name, and the pipelines that targets run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeVar

import msgspec

from ..errors import PassError, PluginError
from ..ir.model import Model
from ..ir.plan import Policy
from ..ir.report import Report

Data = Literal["tag", "value", "-"]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a conversion aims at, as far as passes care.

    Attributes:
        policy: What is wanted of layouts.
        pipeline: Which list of passes runs.
    """

    policy: Policy
    pipeline: Literal["keras", "onnx", "ir"]


Run = Callable[[Model, Target], Model]


class PassInfo(msgspec.Struct, frozen=True):
    """A registered pass.

    Attributes:
        name: As one names it.
        summary: The first line of its docstring.
        data: `tag` if it changes layouts only, `value` if it computes new numbers, `-` if neither.
        run: The pass: from a model and the target to a model; what it is given stays as it is.
        ensures: Raises `PassError` where what the pass promises does not hold of its result.
    """

    name: str
    summary: str
    data: Data
    run: Run
    ensures: Callable[[Model], None] | None = None

    @property
    def pipelines(self) -> tuple[str, ...]:
        """The pipelines that run it."""
        return tuple(name for name, steps in PIPELINES.items() if self.name in steps)


PASSES: dict[str, PassInfo] = {}

FOLDING = ("fuse_activation", "fold_batchnorm", "fold_padding", "merge_concats")
"""Passes behind which layers are no longer found one to one: `--no-fold` leaves them out."""

DEPLOYMENT = ("drop_training_ops", *FOLDING, "dead_code")

PIPELINES: Mapping[str, tuple[str, ...]] = {
    "keras": ("normalize_kernels", "relayout", "reorder_dense", "cancel_transposes"),
    "onnx": (
        "expose_states",
        "normalize_kernels",
        "relayout",
        "reorder_dense",
        "cancel_transposes",
        *DEPLOYMENT,
    ),
    "deploy": DEPLOYMENT,
    "ir": (),
}
"""The passes of each target, in order; `--pass` adds to them, and may name a pipeline."""

F = TypeVar("F", bound=Run)


def model_pass(
    name: str = "",
    *,
    data: Data,
    ensures: Callable[[Model], None] | None = None,
) -> Callable[[F], F]:
    """Register a pass under its function's name.

    Raises:
        PluginError: The name is taken.
    """

    def register(function: F) -> F:
        known = name or function.__name__
        if known in PASSES:
            raise PluginError(f"pass {known} is registered already")
        summary = (function.__doc__ or "").strip().partition("\n")[0].rstrip(".")
        PASSES[known] = PassInfo(known, summary, data, function, ensures)
        return function

    return register


def steps_of(pipeline: str, extra: tuple[str, ...] = (), *, fold: bool = True) -> list[PassInfo]:
    """The passes of a pipeline and those asked for besides, in order, each once.

    Args:
        pipeline: A key of `PIPELINES`.
        extra: Further passes or pipelines by name.
        fold: Whether the pipeline's own passes of `FOLDING` are among them.

    Raises:
        PassError: Nobody knows a name.
    """
    from . import (  # ruff: ignore[unused-import]  (registers the passes)
        cleanup,
        folding,
        fusing,
        layouts,
        padding,
        states,
    )

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
