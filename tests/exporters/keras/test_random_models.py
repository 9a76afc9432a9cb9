"""Files for either backend, in every order: the oracle of positions computes the same.

The oracle reads and evaluates what was written by itself, with no code of the package: names and
order of the weights, kernels, configurations and the graph are all in the proof.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

import kerasir
from kerasir.errors import ExportError
from kerasir.exporters.keras.model import export_keras
from kerasir.ir.copyplan import rearrange
from kerasir.ir.plan import Held, Policy
from kerasir.ir.source import Array
from kerasir.passes.solve import solve
from oracle.cases import examples
from oracle.evaluate import evaluate
from oracle.example import Example
from oracle.files import read_keras2, write_keras2
from oracle.generate import models, random_model

BACKENDS = ("theano", "tensorflow")
POLICIES = (
    Policy(order="source"),
    Policy(order="channels_first", io="match"),
    Policy(order="channels_last", io="match"),
    Policy(order="channels_last", io="keep"),
)
CLOSE = 1e-6
"""Relative to the largest number of an output; an epsilon is stored in float32."""

REFUSED = {
    # one backend's `same` over unknown sizes cannot be said to the other
    ("sizes_unknown_and_same", "tensorflow", "theano"),
    ("sizes_unknown_and_same", "theano", "tensorflow"),
}


def written(
    example: Example, source: str, target: str, folder: Path
) -> Iterator[tuple[str, float]]:
    """For every order, what it is and how far the written file's outputs are off."""
    model = kerasir.load(write_keras2(example, folder / "source.h5", source))
    wanted = example.outputs(source)
    for number, policy in enumerate(POLICIES):
        plan = solve(model.graph, policy)
        path = folder / f"{source}-{target}-{number}.h5"
        export_keras(model, plan, path, target_backend=target)
        file = read_keras2(path)
        assert file.backend == target
        found = evaluate(
            file.config, file.weights, moved(example.inputs, plan.inputs), target, file.version
        )
        pairs = zip(found, moved(wanted, plan.outputs), strict=True)
        yield f"{policy.order}, {policy.io}", max(distance(y, want) for y, want in pairs)


def moved(arrays: Sequence[Array], held: Sequence[Held]) -> list[Array]:
    """Arrays in their authors' order, in the order that the plan has."""
    pairs = zip(arrays, held, strict=True)
    return [rearrange(array, h.value.layout, h.layout) for array, h in pairs]


def distance(found: Array, wanted: Array) -> float:
    if found.shape != wanted.shape:
        return float("inf")
    return float(np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-30))


def assert_right(example: Example, source: str, target: str, folder: Path) -> None:
    for order, off in written(example, source, target, folder):
        assert off <= CLOSE, f"{source} to {target}, {order}\n{example.describe()}"


@pytest.mark.parametrize(("source", "target"), list(itertools.product(BACKENDS, BACKENDS)))
@pytest.mark.parametrize("example", list(examples()), ids=lambda example: example.name)
def test_designed_cases(example: Example, source: str, target: str, tmp_path: Path) -> None:
    if (example.name, source, target) in REFUSED:
        with pytest.raises(ExportError, match="unknown extent"):
            assert_right(example, source, target, tmp_path)
    else:
        assert_right(example, source, target, tmp_path)


@pytest.mark.time_limit(400)
@settings(max_examples=25)
@given(example=models(max_size=12))
def test_random_models(example: Example, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert_right(example, "theano", "tensorflow", tmp_path_factory.mktemp("random"))


@pytest.mark.parametrize("seed", range(8))
def test_large_random_models(seed: int, tmp_path: Path) -> None:
    source, target = [*itertools.product(BACKENDS, BACKENDS)][seed % 4]
    assert_right(random_model(seed + 100, 30), source, target, tmp_path)
