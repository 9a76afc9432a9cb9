"""Comparing a model with the predictions that the genuine Keras made."""

from __future__ import annotations

import numpy as np

import kerasir
from genuine import FixtureCase
from kerasir.ir.check import check
from kerasir.ir.copyplan import rearrange
from kerasir.ir.model import Model
from kerasir.ir.plan import Policy
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

ALLOWED = 1e-5
"""Relative to the largest output; genuine predictions are float32."""

POLICIES = {
    "as authored": Policy(),
    "channels_first": Policy(order="channels_first"),
    "channels_last": Policy(order="channels_last"),
    "onnx": Policy(order="channels_first", one_dimensional=True, trailing=True),
    "matched": Policy(order="channels_last", io="match"),
}


def load(case: FixtureCase) -> Model:
    """The model of a genuine file."""
    return kerasir.load(case.model, arch=case.arch)


def error(model: Model, case: FixtureCase, policy: Policy, *, checked: bool = True) -> float:
    """The largest error of a plan's outputs, relative to the largest genuine one."""
    plan = solve(model.graph, policy)
    if checked:
        check(plan)
    fed = zip(case.inputs(), model.graph.inputs, plan.inputs, strict=True)
    results = evaluate(plan, [rearrange(x, v.layout, held.layout) for x, v, held in fed])
    worst = 0.0
    for y, held, expected in zip(results, plan.outputs, case.outputs(), strict=True):
        y = rearrange(y, held.layout, held.value.layout)
        assert y.shape == expected.shape
        difference = np.abs(y - expected).max() / (np.abs(expected).max() + 1e-3)
        assert np.isfinite(difference)
        worst = max(worst, float(difference))
    return worst
