"""Designed and random models in genuine Keras 3, against the oracle that knows positions only.

They are classic files of either backend, every plausible shortcut about layouts broken by one, and
come to Keras 3 in its own order, with inputs and outputs in the author's. The interpreter is that
of `test_genuine_keras`: without it the tests are skipped, unless KERASIR_REQUIRE_KERAS is set.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from frameworks import FRAMEWORKS

import kerasir
from oracle.cases import examples
from oracle.example import Example
from oracle.files import write_keras2
from oracle.generate import random_model

WORKER = Path(__file__).parent / "support" / "keras_worker.py"
SECONDS = 900
WITHIN = 1e-4
"""Relative to the largest number of an output: a random model may take the difference of large
numbers in float32. A number in a wrong place is off by far more."""

REFUSED = {"sizes_unknown_and_same": "theano"}
"""A backend's `same` over unknown sizes cannot be said to Keras 3."""

EVERY = 3
"""One designed model of so many: Keras takes a second for each."""

MODELS: Mapping[str, Example] = {
    **{example.name: example for example in itertools.islice(examples(), 0, None, EVERY)},
    **{f"random_{seed}": random_model(seed, 20) for seed in range(200, 208)},
}
SOURCES = {
    name: backend
    for name, backend in zip(MODELS, itertools.cycle(["theano", "tensorflow"]), strict=False)
    if REFUSED.get(name) != backend
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, str | None]]:
    """The folder of what Keras 3 predicted, and its error for each model."""
    framework = FRAMEWORKS["keras"]
    python = framework.python()
    if python is None:
        assert not os.environ.get("KERASIR_REQUIRE_KERAS"), "Keras 3 is not there"
        pytest.skip(f"no interpreter has Keras 3: set {framework.variable}")
    folder = tmp_path_factory.mktemp("designed")
    jobs = folder / "jobs.jsonl"
    jobs.write_text("".join(f"{json.dumps(job_of(name, folder))}\n" for name in SOURCES))
    command = [python, str(WORKER), framework.module, str(jobs)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS)
    said = map(json.loads, done.stdout.splitlines())
    return folder, {line["id"]: line.get("error") for line in said}


def job_of(name: str, folder: Path) -> dict[str, object]:
    """A model as a file for Keras 3, with what it is fed, as a job of the worker."""
    example, model, inputs = MODELS[name], folder / f"{name}.keras", folder / f"{name}.npz"
    source = write_keras2(example, folder / f"{name}.h5", SOURCES[name])
    kerasir.convert(source, model, data_format="channels_last", io_layout="keep")
    np.savez(inputs, **{f"in_{number}": array for number, array in enumerate(example.inputs)})
    outputs = str(folder / f"{name}_out.npz")
    paths = {"model": str(model), "inputs": str(inputs), "outputs": outputs}
    return {"id": name, **paths, "twice": False, "eager": True}


@pytest.mark.time_limit(SECONDS)
@pytest.mark.parametrize("name", SOURCES)
def test_keras_3_computes_the_same(
    name: str, answers: tuple[Path, Mapping[str, str | None]]
) -> None:
    folder, errors = answers
    assert errors[name] is None
    with np.load(folder / f"{name}_out.npz") as found:
        for number, wanted in enumerate(MODELS[name].outputs(SOURCES[name])):
            array = found[f"out_{number}"]
            assert array.shape == wanted.shape
            assert np.abs(array - wanted).max() <= WITHIN * max(np.abs(wanted).max(), 1e-30)
