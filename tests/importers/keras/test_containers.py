"""Every container that tf.keras and Keras 3 write holds one and the same model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genuine import FixtureCase
from kerasir import load
from kerasir.ir.model import Model
from kerasir.ir.ops.opaque import Opaque
from kerasir.ir.plan import Policy
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

ERAS = ("keras3.15.1-jax", "tf-keras2.21.0-tensorflow")
WEIGHTS = ("model.weights.h5", "weights.h5")
CLOSE = 1e-5


def containers(case: FixtureCase) -> list[Path]:
    names = ("model.h5", "model.keras", *WEIGHTS)
    return [case.folder / name for name in names if (case.folder / name).exists()]


def read(case: FixtureCase, path: Path) -> Model:
    return load(path, arch=case.folder / "arch.json" if path.name in WEIGHTS else None)


@pytest.mark.fixture_cases(eras=ERAS, where=lambda case: len(containers(case)) > 1)
def test_containers_agree_with_the_prediction(fixture_case: FixtureCase) -> None:
    for path in containers(fixture_case):
        model = read(fixture_case, path)
        if any(isinstance(node.op, Opaque) for node in model.graph.nodes):
            continue
        found = evaluate(solve(model.graph, Policy()), fixture_case.inputs())
        for array, want in zip(found, fixture_case.outputs(), strict=True):
            assert np.abs(array - want).max() < CLOSE * np.abs(want).max(), path.name


@pytest.mark.fixture_cases(eras=ERAS)
def test_what_is_known_of_the_file(fixture_case: FixtureCase) -> None:
    era = "keras3" if fixture_case.era.startswith("keras3") else "tf_keras"
    for path in containers(fixture_case):
        facts = read(fixture_case, path).facts
        assert facts.era.value == era, path.name
        assert facts.backend.value in {None, fixture_case.backend, "tensorflow"}


@pytest.mark.fixture_cases(eras=ERAS, where=lambda case: len(containers(case)) > 1)
def test_configurations_are_in_one_vocabulary(fixture_case: FixtureCase) -> None:
    """What the exporters are handed does not tell the container."""
    configs = [
        {layer.name: {key: layer.config.get(key) for key in ("batch_input_shape", "dtype", "units")}
         for layer in read(fixture_case, path).layers}
        for path in containers(fixture_case)
    ]  # fmt: skip
    assert all(config == configs[0] for config in configs)
    assert all(
        isinstance(entry["dtype"], str | None) for config in configs for entry in config.values()
    )
