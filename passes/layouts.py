"""The layout passes: four names for one solution.

They say what is wanted (`Model.policy`); `solve` finds every layout that follows from it, and the
exporters read its plan. So none of them moves a number, and the order they run in is free.
"""

from __future__ import annotations

import msgspec

from ..errors import PassError
from ..ir.layout import Reversed
from ..ir.model import Model
from ..ir.plan import Policy
from .registry import Target, model_pass


def _kernels_are_canonical(model: Model) -> None:
    for node in model.graph.nodes:
        for name in node.params:
            layout = node.param_layout(name)
            if any(isinstance(term, Reversed) for term in layout.terms):
                raise PassError(f"{name} is wanted reversed: {layout}", where=node.name)


@model_pass(data="tag", ensures=_kernels_are_canonical)
def normalize_kernels(model: Model, target: Target) -> Model:
    """Give every kernel its canonical layout: space I O, not reversed.

    Every op declares its parameters in canonical order, so a plan never wants another; this pass
    holds that promise up to be checked.
    """
    return model


@model_pass(data="tag")
def relayout(model: Model, target: Target) -> Model:
    """Give activations channels_first or channels_last order."""
    return _wanting(model, target.policy)


@model_pass(data="tag")
def reorder_dense(model: Model, target: Target) -> Model:
    """Reorder parameters behind a Flatten and in front of a Reshape to space."""
    return _wanting(model, target.policy)


@model_pass(data="tag")
def cancel_transposes(model: Model, target: Target) -> Model:
    """Choose layouts so that as few Transposes as possible are needed."""
    return _wanting(model, target.policy)


def _wanting(model: Model, policy: Policy) -> Model:
    return msgspec.structs.replace(model, policy=policy)
