"""Passes by name, and the pipelines that targets run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeVar

import msgspec

from ..errors import PluginError
from ..ir.model import Model
from ..ir.plan import Policy

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
