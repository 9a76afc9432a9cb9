"""Every layer of a modern Keras: made, saved and predicted with by the library itself.

`tests/support/modern/worker.py` makes the models, in one process for each library; here they are
read from every container, computed by the reference in every order of axes, and run by ONNX
Runtime. Every class that the library offers must have a case, or be refused for a reason.

Needs Keras 3 (with TensorFlow) and tf-keras, as `test_genuine_keras` does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from said import differences, said

import kerasir
from genuine import PROJECT

MODERN = PROJECT / "tests" / "support" / "modern"
WORKER = PROJECT / "tests" / "support" / "keras_worker.py"
sys.path.insert(0, str(MODERN))

import cases  # ruff: ignore[module-import-not-at-top-of-file]
from cases_all import REFUSED, UNMADE, WITHOUT_MEANING  # ruff: ignore[module-import-not-at-top-of-file]
from proof import again, compared, model_files, wrong  # ruff: ignore[module-import-not-at-top-of-file]

SECONDS = 900
"""For the process that makes a library's models."""

VARIABLES = {"keras": "KERASIR_KERAS3_PYTHON", "tf_keras": "KERASIR_TF_KERAS_PYTHON"}


class Made(NamedTuple):
    """What a library made.

    Attributes:
        classes: Every layer class that it offers.
        cases: By case, the classes in it, or in words why there are none.
        folder: Where the files are.
    """

    classes: list[str]
    cases: Mapping[str, list[str] | str]
    folder: Path


def python_of(library: str) -> str | None:
    """An interpreter that has the library; None if there is none."""
    if named := os.environ.get(VARIABLES[library]):
        return named
    from importlib.util import find_spec

    here = find_spec(library) and find_spec("tensorflow")
    return sys.executable if here else None


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    """What a library makes, when its first test asks."""

    @cache
    def of(library: str) -> Made:
        python = python_of(library)
        if python is None and os.environ.get("KERASIR_REQUIRE_KERAS"):
            pytest.fail(f"KERASIR_REQUIRE_KERAS is set, but no {library}")
        if python is None:
            pytest.skip(f"{library}: not installed here, and {VARIABLES[library]} is not set")
        folder = tmp_path_factory.mktemp(library)
        command = [python, str(MODERN / "worker.py"), library, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
        assert done.returncode == 0, done.stderr[-2000:]
        first, *lines = map(json.loads, done.stdout.splitlines())
        found = {line["case"]: line.get("error") or line["classes"] for line in lines}
        return Made(first["classes"], found, folder)

    return of


def of_library() -> list[Any]:
    return [
        pytest.param(library, name, id=f"{library}-{name}")
        for library in VARIABLES
        for name, case in cases.CASES.items()
        if library in case.libraries
    ]


@pytest.mark.time_limit(SECONDS)
@pytest.mark.parametrize(("library", "name"), of_library())
def test_predictions(library: str, name: str, made: Callable[[str], Made], tmp_path: Path) -> None:
    found = made(library)
    assert isinstance(found.cases[name], list), found.cases[name]
    assert wrong(found.folder / name, tmp_path) == []


@pytest.mark.time_limit(SECONDS)
@pytest.mark.parametrize("library", list(VARIABLES))
def test_every_class_has_a_case_or_a_reason(library: str, made: Callable[[str], Made]) -> None:
    found = made(library)
    seen = {
        name for classes in found.cases.values() if isinstance(classes, list) for name in classes
    }
    excused = REFUSED.keys() | UNMADE[library].keys() | WITHOUT_MEANING
    assert set(found.classes) - seen - excused == set()
    assert not REFUSED.keys() & seen


DIALECTS = {"keras": "keras3", "tf_keras": "tf-keras"}


@pytest.mark.time_limit(SECONDS)
@pytest.mark.parametrize(("library", "name"), of_library())
def test_every_container_comes_out_again(
    library: str, name: str, made: Callable[[str], Made], tmp_path: Path
) -> None:
    """Written for the library that made it, a file says what it said, and then no byte changes."""
    kept = {"to": DIALECTS[library], "data_format": "keep", "io_layout": "keep"}
    for source, arch in model_files(made(library).folder / name):
        if source.suffix not in {".keras", ".h5"}:
            continue  # a list of shards
        first, second = (tmp_path / f"{number}-{source.name}" for number in (1, 2))
        kerasir.convert(source, first, arch=arch, **kept)
        assert list(differences(said(source), said(first))) == []
        kerasir.convert(first, second, arch=arch, **kept)
        assert second.read_bytes() == first.read_bytes()


WRITTEN = (
    ("keras", "keras3", (
        "adaptive", "contrast", "discretized", "einsum_dense", "embedded_twice",
        "encoded", "grouped_twice",
        "heads_blind",
        "heads_embedded", "heads_encoder", "heads_shared", "integer_lookup",
        "integer_lookups", "learnt", "masked_merging", "masks_and_states", "masks_stated",
        "mel_spectrograms", "norms", "ops_arithmetic", "ops_attention",
        "ops_functions", "ops_of_places", "ops_of_whole_numbers",
        "ops_images", "ops_products", "ops_reductions", "ops_shapes", "pipelines",
        "resizing_crop", "reversible", "softmax_masked", "spectrograms",
    )),
    ("tf_keras", "keras2", (
        "absent_zeroed", "discretized", "feature_columns", "hashed", "integer_lookup",
        "integer_lookups", "learnt", "local_matrices", "masks_stated", "resizing", "tf_arithmetic",
        "tf_extents", "tf_shapes",
    )),
    ("tf_keras", "keras3", (
        "heads_blind", "heads_embedded", "heads_encoder", "heads_shared", "masked_merging",
        "absent_zeroed", "feature_columns", "local_matrices", "masks_stated",
    )),
)  # fmt: skip
"""A library, a target, and the library's cases that are written for it: what is no layer, and what
needs masks that the target would not carry along."""

READERS = {"keras2": "tf_keras", "keras3": "keras"}


@pytest.mark.time_limit(SECONDS)
@pytest.mark.parametrize(("library", "target", "names"), WRITTEN)
def test_a_library_computes_what_is_written_for_it(
    library: str, target: str, names: tuple[str, ...], made: Callable[[str], Made], tmp_path: Path
) -> None:
    folder, reader = made(library).folder, READERS[target]
    python = python_of(reader)
    if python is None:
        pytest.skip(f"{reader}: not installed here, and {VARIABLES[reader]} is not set")
    jobs = tmp_path / "jobs.jsonl"
    with jobs.open("w") as lines:
        for name in names:
            written = tmp_path / f"{name}.{'keras' if target == 'keras3' else 'h5'}"
            kerasir.convert(folder / name / "model.keras", written, to=target)
            found = again(written, folder / name)
            assert found == []
            inputs, outputs = folder / name / "data.npz", tmp_path / f"{name}.npz"
            job = {"id": name, "model": str(written), "inputs": str(inputs),
                   "outputs": str(outputs), "twice": False}  # fmt: skip
            lines.write(f"{json.dumps(job)}\n")
    command = [python, str(WORKER), reader, str(jobs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stderr[-2000:]
    for line in map(json.loads, done.stdout.splitlines()):
        assert "error" not in line, line
        found = compared(tmp_path / f"{line['id']}.npz", folder / line["id"])
        assert (line["id"], found) == (line["id"], [])
