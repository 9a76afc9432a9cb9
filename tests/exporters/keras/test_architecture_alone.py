"""An architecture in a file of its own: what `to_json` of the target's Keras gives."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genuine import FixtureCase, case_of, fixture_cases
from kerasir.api import convert
from kerasir.cli.main import main
from kerasir.errors import ExportError, UsageError
from kerasir.ir.plan import Policy
from kerasir.loading import load
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

NATIVE = {"keras1.2.2": "keras1", "keras2.0.8": "keras2.0"}

WITH_ARCHITECTURE = [
    case
    for case in fixture_cases()
    if (case.folder / "arch.json").exists() and case.era.rpartition("-")[0] in NATIVE
]
"""Cases of which Keras itself wrote the architecture, and that come out in the same words."""


@pytest.mark.parametrize("case", WITH_ARCHITECTURE, ids=lambda case: case.id)
def test_it_is_what_keras_itself_writes(case: FixtureCase, tmp_path: Path) -> None:
    target = tmp_path / "arch.json"
    convert(
        case.model,
        target,
        to=NATIVE[case.era.rpartition("-")[0]],
        data_format="keep",
        target_backend="theano" if case.backend == "theano" else "tensorflow",
        io_layout="keep",
        source_data_format=case.ordering,
    )
    assert json.loads(target.read_text()) == json.loads((case.folder / "arch.json").read_text())
    assert [path.name for path in tmp_path.iterdir()] == ["arch.json"]


@pytest.mark.parametrize(
    ("to", "weights"),
    [("keras1", "w.h5"), ("keras2.0", "w.h5"), ("keras2", "w.h5"), ("keras3", "w.weights.h5")],
)
def test_it_belongs_to_weights_alone(to: str, weights: str, tmp_path: Path) -> None:
    case = case_of("keras2.2.4-theano/vgg_th")
    said = {"to": to, "io_layout": "keep"}
    convert(case.model, tmp_path / "arch.json", **said)
    convert(case.model, tmp_path / weights, weights_only=True, **said)
    model = load(tmp_path / weights, arch=tmp_path / "arch.json", backend="tensorflow")
    (found,) = evaluate(solve(model.graph, Policy()), case.inputs())
    (want,) = case.outputs()
    assert np.abs(found - want).max() / np.abs(want).max() < 1e-5


def test_what_it_has_no_place_for_is_told(tmp_path: Path) -> None:
    done = convert(case_of("keras1.2.2-theano/vgg_th").model, tmp_path / "arch.json")
    assert [event.code for event in done.report.of("lost")] == ["KT301", "KX205"]
    assert done.target.architecture_only
    assert not done.changes.weights


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights_only": True}, "--weights-only with a .json file"),
        ({"verify": True}, "--verify with an architecture alone"),
    ],
)
def test_what_it_cannot_be_is_refused(
    options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        convert(case_of("keras1.2.2-theano/vgg_th").model, tmp_path / "arch.json", **options)
    assert not list(tmp_path.iterdir())


def test_weights_have_none(tmp_path: Path) -> None:
    folder = case_of("keras1.2.2-theano/vgg_th").folder
    with pytest.raises(ExportError, match="an architecture is to be written"):
        convert(folder / "weights.h5", tmp_path / "arch.json", backend="theano")


def test_another_kind_may_be_called_so(tmp_path: Path) -> None:
    convert(case_of("keras1.2.2-theano/vgg_th").model, tmp_path / "graph.json", to="onnx")
    assert (tmp_path / "graph.json").read_bytes()[:1] != b"{"


def test_an_unchanged_one_of_keras_3_says_the_same(tmp_path: Path) -> None:
    case = case_of("keras3.15.1-jax/vgg_tf")
    convert(case.folder / "model.keras", tmp_path / "arch.json", to="keras3")
    found = json.loads((tmp_path / "arch.json").read_text())
    with zipfile.ZipFile(case.folder / "model.keras") as archive:
        assert found == json.loads(archive.read("config.json"))


def test_the_summary_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = case_of("keras1.2.2-theano/vgg_th").model
    assert main(["convert", str(source), str(tmp_path / "arch.json")]) == 0
    printed = " ".join(capsys.readouterr().err.split())
    assert "architecture only" in printed
    assert "only the architecture is written" in printed
