"""Any graph, any pass, any layout: the same numbers. The oracle knows nothing but positions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from numbers_of import POLICIES

import kerasir
from kerasir.ir.check import check
from kerasir.ir.copyplan import rearrange
from kerasir.ir.model import Model
from kerasir.ir.plan import Plan, Policy
from kerasir.ir.source import Array
from kerasir.passes.pipeline import run_passes, steps_of
from kerasir.passes.registry import PASSES, Target
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate
from oracle.cases import examples
from oracle.example import Example
from oracle.files import write_keras2
from oracle.generate import models, random_model

CLOSE = 1e-10
"""Relative to the largest number of an output; both sides compute in float64."""

TARGETS = {
    "keras": Target(policy=Policy(order="channels_last", io="match"), pipeline="keras"),
    "onnx": Target(
        policy=Policy(order="channels_first", one_dimensional=True, trailing=True), pipeline="onnx"
    ),
}
LARGE = range(12)


def results(plan: Plan, inputs: Sequence[Array]) -> list[Array]:
    """A plan's outputs, each in its author's order."""
    fed = zip(inputs, plan.graph.inputs, plan.inputs, strict=True)
    found = evaluate(plan, [rearrange(x, v.layout, held.layout) for x, v, held in fed])
    pairs = zip(found, plan.outputs, strict=True)
    return [rearrange(y, held.layout, held.value.layout) for y, held in pairs]


def assert_same(got: Sequence[Array], wanted: Sequence[Array], what: str) -> None:
    assert [y.shape for y in got] == [y.shape for y in wanted], what
    for y, expected in zip(got, wanted, strict=True):
        assert np.abs(y - expected).max() <= CLOSE * np.abs(expected).max(), what


def read(example: Example, folder: Path, backend: str) -> Model:
    return kerasir.load(write_keras2(example, folder / f"{backend}.h5", backend))


def assert_right(example: Example, folder: Path, backend: str) -> None:
    """Every plan computes what the positions say, and the checker finds nothing in it."""
    model, wanted = read(example, folder, backend), example.outputs(backend)
    for name, policy in POLICIES.items():
        plan = solve(model.graph, policy)
        check(plan)
        assert_same(results(plan, example.inputs), wanted, name)


def assert_passes_keep_numbers(example: Example, folder: Path) -> None:
    """After every pass of every pipeline: the checker, and the same numbers; twice is as once."""
    model, wanted = read(example, folder, "theano"), example.outputs("theano")
    steps_of("onnx")
    for target in TARGETS.values():
        changed = model
        for step in PASSES.values():
            changed = step.run(changed, target)
            plan = solve(changed.graph, changed.policy)
            check(plan)
            assert_same(results(plan, example.inputs), wanted, step.name)
            again = solve(step.run(changed, target).graph, changed.policy)
            assert len(again.steps) == len(plan.steps), step.name
        piped = run_passes(model, target)
        assert_same(results(solve(piped.graph, piped.policy), example.inputs), wanted, "pipeline")


@pytest.mark.parametrize("backend", ["theano", "tensorflow"])
@pytest.mark.parametrize("example", list(examples()), ids=lambda example: example.name)
def test_designed_cases(example: Example, backend: str, tmp_path: Path) -> None:
    assert_right(example, tmp_path, backend)


@pytest.mark.time_limit(400)
@settings(max_examples=40)
@given(example=models(max_size=12))
def test_random_models(example: Example, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert_right(example, tmp_path_factory.mktemp("random"), "theano")


@pytest.mark.parametrize("seed", LARGE)
def test_large_random_models(seed: int, tmp_path: Path) -> None:
    assert_right(random_model(seed, 40), tmp_path, "tensorflow" if seed % 2 else "theano")


@pytest.mark.time_limit(400)
@settings(max_examples=15)
@given(example=models(max_size=10))
def test_passes_keep_numbers(example: Example, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert_passes_keep_numbers(example, tmp_path_factory.mktemp("passes"))


@pytest.mark.time_limit(400)
@settings(max_examples=10)
@given(example=models(max_size=10))
def test_ir_files_keep_numbers(example: Example, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("ir")
    model = read(example, folder, "theano")
    kerasir.save(model, folder / "model.kerasir")
    again = kerasir.load(folder / "model.kerasir")
    plan = solve(again.graph, Policy(order="channels_last"))
    check(plan)
    assert_same(results(plan, example.inputs), example.outputs("theano"), ".kerasir")
