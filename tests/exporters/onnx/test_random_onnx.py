"""Random models in ONNX Runtime, against the oracle that knows positions only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from onnx_models import Exported, must_be_valid

import kerasir
from kerasir.exporters.onnx.export import export_onnx
from kerasir.passes.pipeline import run_passes
from kerasir.passes.solve import solve
from kerasir.targets import aim
from oracle.cases import examples
from oracle.example import Example
from oracle.files import write_keras2
from oracle.generate import models, random_model

WITHIN = 1e-4
"""Relative to the largest number of an output: ONNX Runtime computes in float32, and a random model
may well take the difference of large numbers. A number in a wrong place is off by far more."""


def assert_right(example: Example, folder: Path, backend: str) -> None:
    model = kerasir.load(write_keras2(example, folder / f"{backend}.h5", backend))
    model = run_passes(model, aim("model.onnx").target)
    plan, path = solve(model.graph, model.policy), folder / "model.onnx"
    events = export_onnx(model, plan, path, overwrite=True)
    found = Exported(onnx.load(path), path, plan, events)
    must_be_valid(found.model, path)
    outputs = found.run(example.inputs)
    for mine, wanted in zip(outputs, example.outputs(backend), strict=True):
        assert mine.shape == wanted.shape
        assert np.abs(mine - wanted).max() <= WITHIN * np.abs(wanted).max()


@pytest.mark.parametrize("backend", ["theano", "tensorflow"])
@pytest.mark.parametrize("example", list(examples()), ids=lambda example: example.name)
def test_designed_cases(example: Example, backend: str, tmp_path: Path) -> None:
    assert_right(example, tmp_path, backend)


@pytest.mark.time_limit(400)
@settings(max_examples=30)
@given(example=models(max_size=12))
def test_random_models(example: Example, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert_right(example, tmp_path_factory.mktemp("random"), "theano")


@pytest.mark.parametrize("seed", range(8))
def test_large_random_models(seed: int, tmp_path: Path) -> None:
    assert_right(random_model(seed, 40), tmp_path, "tensorflow" if seed % 2 else "theano")
