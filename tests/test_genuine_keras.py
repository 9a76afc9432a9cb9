"""Converted files, loaded by genuine Keras: the predictions must be those of the old Keras.

Needs Keras 3 (with jax) and tf-keras, in this interpreter (`pip install -e '.[test-keras]'`) or in
others, named by the variables KERASIR_KERAS3_PYTHON and KERASIR_TF_KERAS_PYTHON. Without them the
tests are skipped, unless KERASIR_REQUIRE_KERAS is set: then they fail.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from frameworks import KERAS3, TF_KERAS, Framework

import kerasir
from genuine import FixtureCase, fixture_cases

WORKER = Path(__file__).parent / "support" / "keras_worker.py"
TOLERANCE = 1e-5
"""Largest difference allowed, relative to the largest output."""

LAMBDAS = {"lambda_layer_th", "lambda_layer_tf"}
"""Cases whose Lambda is bytecode of Python 3.6, which no newer Python can run."""

SAID = {"lambda_1": "2 * x + 1"}
"""What that code computes, as its author knows."""

SECONDS = 1500
"""For one target: all its conversions, and one process that loads them all."""


class Target(NamedTuple):
    """One kind of file to write, the Keras that must load it, the cases it is tried on."""

    framework: Framework
    suffix: str
    options: dict[str, Any]
    wants: Callable[[FixtureCase], bool]


CLASSIC = ("keras0", "keras1", "keras2")
"""How the eras begin whose files are converted for today's Keras here."""

REFUSED = {
    "tf-keras": {
        "keras3.15.1-jax/m_activations_tf",  # sparsemax: tf.keras sorts no numbers
        "keras3.15.1-jax/m_adaptive_tf",  # windows that are not all alike
        "keras3.15.1-jax/m_attention_tf",  # zeros where the masks leave a query no key
        "keras3.15.1-jax/m_spectra_tf",  # decibels below the loudest of the batch
    },
    "keras3": {
        "tf-keras2.21.0-tensorflow/m_batch_statistics_tf",  # it keeps no `training=True`
        "keras1.2.2-theano/g_own_statistics_tf",  # mode 2: the statistics of the batch
    },
}
"""Cases that kerasir refuses by name, by the target that cannot say them."""

WARNED = {"keras2.2.4-tensorflow/g_absent_steps_tf"}
"""Cases that a file for all of Keras 2 says as Keras 2.2 on TensorFlow computes them, and tf-keras
otherwise: what comes out of steps that a mask leaves out. The report warns."""

CONVOLUTIONAL = {
    "atrous", "conv1d_net", "conv3d_net", "deconv", "depthwise", "even_same", "flat_bn_dense",
    "flat_chain", "flat_dense", "flat_first", "generator", "global_pools", "inception",
    "merge_layers", "multi_io", "nested_model", "nested_seq", "pool_same", "resnet",
    "separable", "siamese", "two_flat_concat", "upsample_crop", "vgg",
}  # fmt: skip
"""Cases without what Keras 3 computes otherwise under the same name, such as hard_sigmoid."""

OF_LAYERS_SINCE = ("m_", "upsample_crop")
"""How cases are called that have them; bilinear up-sampling takes other points than before."""

IN_EITHER_ORDER = {"flat_dense", "generator", "resnet", "vgg"}


def of_the_classic_eras(case: FixtureCase) -> bool:
    return case.era.startswith(CLASSIC)


@cache
def representatives() -> frozenset[str]:
    """One case of each model, of the eras and orders that there are, not always of the same."""
    alike: dict[str, list[str]] = {}
    for case in filter(of_the_classic_eras, fixture_cases()):
        alike.setdefault(case.case[:-3], []).append(case.id)
    return frozenset(ids[len(name) % len(ids)] for name, ids in alike.items())


def one_of_each(case: FixtureCase) -> bool:
    """Whether a case stands for its model.

    Keras 3 compiles each anew; `benchmarks/keras3.py` tries them all.
    """
    return case.id in representatives() - REFUSED["keras3"]


def of_layers_since(case: FixtureCase) -> bool:
    """Whether a case has layers that tf.keras or Keras 3 brought, or gave another meaning."""
    return not case.era.startswith(CLASSIC) and case.case.startswith(OF_LAYERS_SINCE)


def modern_for(target: str) -> Callable[[FixtureCase], bool]:
    return lambda case: of_layers_since(case) and case.id not in REFUSED[target]


def classic_for_tf_keras(case: FixtureCase) -> bool:
    return of_the_classic_eras(case) and case.id not in REFUSED["tf-keras"] | WARNED


def convolutional(case: FixtureCase) -> bool:
    return case.era == "keras2.2.4-theano" and case.case[:-3] in CONVOLUTIONAL


def in_either_order(case: FixtureCase) -> bool:
    return convolutional(case) and case.case[:-3] in IN_EITHER_ORDER


TARGETS = {
    "tf-keras": Target(TF_KERAS, ".h5", {}, classic_for_tf_keras),
    "tf-keras-modern": Target(TF_KERAS, ".h5", {}, modern_for("tf-keras")),
    "keras3": Target(KERAS3, ".keras", {}, one_of_each),
    "keras3-modern": Target(KERAS3, ".keras", {}, modern_for("keras3")),
    "keras3-hdf5": Target(KERAS3, ".h5", {"to": "keras3"}, convolutional),
    "keras3-keras2": Target(KERAS3, ".h5", {}, convolutional),
    "keras3-channels_first": Target(
        KERAS3, ".h5", {"data_format": "channels_first"}, in_either_order
    ),
}

Answer = dict[str, np.ndarray] | str
"""What a genuine Keras predicted; or, in words, why it could not."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" not in metafunc.fixturenames:
        return
    required = bool(os.environ.get("KERASIR_REQUIRE_KERAS"))
    found = []
    for name, target in TARGETS.items():
        if target.framework.python() or required:
            cases = [case for case in fixture_cases() if target.wants(case)]
            assert cases
            found += [pytest.param(name, case, id=f"{name}-{case.id}") for case in cases]
        else:
            found.append(pytest.param(name, None, id=f"{name}-not-installed"))
    metafunc.parametrize(("target", "case"), found)


def converted(case: FixtureCase, target: Target, folder: Path) -> Path:
    """Convert one genuine file as a user would."""
    destination = folder / f"model{target.suffix}"
    said: dict[str, Any] = {"arch": case.arch, "backend": case.backend} if case.arch else {}
    said |= {"lambdas": SAID} if case.case in LAMBDAS else {}
    kerasir.convert(case.model, destination, **said, **target.options)
    return destination


def predicted(
    target: Target, python: str, cases: list[FixtureCase], root: Path
) -> dict[str, Answer]:
    """Convert all cases, let one process of the genuine Keras predict with them all."""
    answers: dict[str, Answer] = {}
    jobs = []
    for number, case in enumerate(cases):
        folder = root / str(number)
        folder.mkdir()
        try:
            model = converted(case, target, folder)
        except Exception as error:  # reported by the test of this case
            answers[case.id] = f"not converted: {type(error).__name__}: {error}"
            continue
        job = {
            "id": case.id,
            "model": str(model),
            "inputs": str(case.folder / "data.npz"),
            "outputs": str(folder / "out.npz"),
            "twice": "second_out_0" in case.data(),
        }
        jobs.append(job)
    listed = root / "jobs.jsonl"
    listed.write_text("".join(f"{json.dumps(job)}\n" for job in jobs))
    command = [python, str(WORKER), target.framework.module, str(listed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stderr[-2000:]
    said = {line["id"]: line.get("error") for line in map(json.loads, done.stdout.splitlines())}
    for job in jobs:
        error = said.get(job["id"], "the process said nothing about it")
        if error:
            answers[job["id"]] = f"not loaded: {error}"
        else:
            with np.load(job["outputs"]) as arrays:
                answers[job["id"]] = dict(arrays)
    return answers


@pytest.fixture(scope="module")
def answers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], dict[str, Answer]]:
    """All answers for one target, computed when its first test asks; only for selected tests."""
    known: dict[str, dict[str, Answer]] = {}
    selected: dict[str, list[FixtureCase]] = {name: [] for name in TARGETS}
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.path == request.path:
            parameters = item.callspec.params
            if "target" in parameters:
                selected[parameters["target"]].append(parameters["case"])

    def of(name: str) -> dict[str, Answer]:
        if name not in known:
            target = TARGETS[name]
            python = target.framework.python()
            if not python:
                pytest.fail(f"KERASIR_REQUIRE_KERAS is set, but no {target.framework.module}")
            known[name] = predicted(target, python, selected[name], tmp_path_factory.mktemp(name))
        return known[name]

    return of


def off(found: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference, relative to the largest expected; channels may lie first or last."""
    firsts = range(1, expected.ndim - 1)
    orders = [expected, *(np.moveaxis(expected, first, -1) for first in firsts)]
    orders += [np.moveaxis(expected, -1, first) for first in firsts]
    fitting = [order for order in orders if order.shape == found.shape]
    assert fitting, f"shape {found.shape} instead of {expected.shape}"
    assert np.isfinite(found).all()
    largest = np.abs(expected).max()
    return float(np.abs(np.float64(found) - np.float64(fitting[0])).max() / max(largest, 1e-30))


@pytest.mark.time_limit(SECONDS)
def test_genuine_keras_predicts_what_the_old_one_did(
    target: str, case: FixtureCase | None, answers: Callable[[str], dict[str, Answer]]
) -> None:
    if case is None:
        framework = TARGETS[target].framework
        wanted = " and ".join(framework.needs)
        pytest.skip(f"{wanted}: not installed here, and {framework.variable} is not set")
    answer = answers(target)[case.id]
    assert not isinstance(answer, str), answer
    expected = {name: array for name, array in case.data().items() if "out_" in name}
    assert answer.keys() == expected.keys()
    wrong = {
        name: difference
        for name, array in expected.items()
        if not (difference := off(answer[name], array)) <= TOLERANCE
    }
    assert not wrong


@pytest.mark.parametrize("case_id", sorted(WARNED))
def test_what_readers_compute_otherwise_is_warned_of(case_id: str, tmp_path: Path) -> None:
    case = next(one for one in fixture_cases() if one.id == case_id)
    done = kerasir.convert(case.model, tmp_path / "new.h5")
    warned = {event.code for event in done.report.events if event.level == "warning"}
    assert warned & {"KN309", "KN310"}


@pytest.mark.parametrize(
    ("name", "case"), [(name, case) for name, cases in REFUSED.items() for case in sorted(cases)]
)
def test_what_a_target_cannot_say_is_refused(name: str, case: str, tmp_path: Path) -> None:
    found = next(one for one in fixture_cases() if one.id == case)
    with pytest.raises(kerasir.KerasirError):
        converted(found, TARGETS[name], tmp_path)
    assert not list(tmp_path.iterdir())
