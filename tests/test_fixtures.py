"""The genuine models: what an era computed is what the reference computes, in any layout."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from mutants import missed, values_wrong, weights_wrong

from genuine import FixtureCase
from kerasir.errors import UnsupportedLayerError
from kerasir.ir.check import check
from kerasir.ir.model import Model
from kerasir.ir.ops.opaque import Opaque
from kerasir.ir.plan import Policy
from kerasir.loading import load
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

POLICIES = (
    Policy(),
    Policy(order="channels_first"),
    Policy(order="channels_first", one_dimensional=True),
    Policy(order="channels_last"),
)
NOBODY_KNOWS = {"Lambda", "ScaleShift", "oracle>ScaleShift", "scaled_tanh"}
"""Layers and functions in the genuine files whose code is their author's own."""

CLOSE = 1e-5
"""Largest difference allowed, relative to the largest output: eras computed in float32."""


def loaded(case: FixtureCase) -> Model:
    """The model, told what files of its era do not say."""
    silent = case.era.startswith("keras0")
    return load(
        case.model,
        arch=case.arch,
        backend=case.backend if silent else None,
        data_format=case.ordering if silent or case.era.startswith("keras1") else None,
    )


def opaque_classes(model: Model) -> set[str]:
    ops = (node.op for node in model.graph.nodes)
    return {op.layer_class for op in ops if isinstance(op, Opaque)}


def test_predictions(
    fixture_case: FixtureCase, record_property: Callable[[str, object], None]
) -> None:
    model = loaded(fixture_case)
    classes = opaque_classes(model)
    assert classes <= NOBODY_KNOWS
    largest = 0.0
    for policy in POLICIES:
        plan = solve(model.graph, policy)
        check(plan)
        if classes:
            with pytest.raises(
                UnsupportedLayerError, match=f"of class ({'|'.join(classes)}) cannot"
            ):
                evaluate(plan, fixture_case.inputs())
            continue
        found = evaluate(plan, fixture_case.inputs())
        for array, want in zip(found, fixture_case.outputs(), strict=True):
            assert array.shape == want.shape
            difference = np.abs(array - want).max() / np.abs(want).max()
            assert difference < CLOSE, policy
            largest = max(largest, float(difference))
    record_property("largest_difference", largest)


def test_every_weight_left_in_a_wrong_order_is_caught(fixture_case: FixtureCase) -> None:
    graph = loaded(fixture_case).graph
    first = fixture_case.ordering == "channels_first"
    plan = solve(graph, Policy(order="channels_last" if first else "channels_first"))
    count, passed = missed(weights_wrong(plan))
    assert not passed
    assert count > 0 or not any(node.params for node in graph.nodes)


@pytest.mark.fixture_cases(eras=("keras2.2.4-theano",))
def test_every_value_in_a_wrong_order_is_caught(fixture_case: FixtureCase) -> None:
    graph = loaded(fixture_case).graph
    count, passed = missed(values_wrong(solve(graph, POLICIES[-1])))
    assert not passed
    assert count > 0
