"""`kerasir run`: one model on arrays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import kerasir as package
from genuine import FixtureCase

VGG = "keras1.2.2-theano/vgg_th"


@pytest.fixture
def case(
    genuine: Callable[[str], FixtureCase], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> FixtureCase:
    found = genuine(VGG)
    (tmp_path / "m.h5").write_bytes(found.model.read_bytes())
    monkeypatch.chdir(tmp_path)
    np.savez("x.npz", in_0=found.inputs()[0])
    return found


def test_the_genuine_predictions_come_out(kerasir, case: FixtureCase) -> None:
    code, out, err = kerasir("run", "m.h5", "--inputs", "x.npz", "--outputs", "y.npz")
    assert (code, out) == (0, "")
    assert err.splitlines()[:2] == [
        "m.h5   reference, float32",
        "  out_0  dense_2  N:? F:5  (3, 5)",
    ]
    assert err.splitlines()[2].startswith("✓ wrote y.npz   ")
    found = np.load("y.npz")["out_0"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, case.outputs()[0], atol=1e-6)


def test_in_double_precision(kerasir, case: FixtureCase) -> None:
    args = ("run", "m.h5", "--inputs", "x.npz", "--outputs", "y.npz", "--precision", "float64")
    assert kerasir(*args).code == 0
    assert np.load("y.npz")["out_0"].dtype == np.float64


def test_an_onnx_file_runs_in_onnx_runtime(kerasir, case: FixtureCase) -> None:
    package.convert("m.h5", "m.onnx")
    code, out, _ = kerasir("run", "m.onnx", "--inputs", "x.npz", "--outputs", "y.npz", "--json")
    assert code == 0
    assert json.loads(out)["engine"].startswith("ONNX Runtime ")
    assert json.loads(out)["outputs"] == [
        {"array": "out_0", "output": "dense_2", "layout": "N:? F:5", "shape": [3, 5]}
    ]
    np.testing.assert_allclose(np.load("y.npz")["out_0"], case.outputs()[0], atol=1e-6)


def test_engines_that_do_not_fit(kerasir, case: FixtureCase) -> None:
    package.convert("m.h5", "m.onnx")
    arrays = ("--inputs", "x.npz", "--outputs", "y.npz")
    assert kerasir("run", "m.h5", *arrays, "--engine", "onnxruntime") == (
        2,
        "",
        "kerasir: error: m.h5: --engine onnxruntime runs .onnx files (convert it to ONNX first)\n",
    )
    assert kerasir("run", "m.onnx", *arrays, "--engine", "reference").code == 2
    assert not Path("y.npz").exists()


def test_inputs_that_do_not_fit(kerasir, case: FixtureCase) -> None:
    np.savez("x.npz", in_0=np.zeros((3, 11, 9, 3)))
    code, out, err = kerasir("run", "m.h5", "--inputs", "x.npz", "--outputs", "y.npz")
    assert (code, out) == (1, "")
    assert err == (
        "kerasir: error: x.npz: shape (3, 11, 9, 3) does not fit input zeropadding2d_1_input, "
        "N:? C:3 H:11 W:9 (the axes are in another order: move them, or convert with "
        "--io-layout keep)\n"
    )
    assert not Path("y.npz").exists()


def test_what_exists_is_kept(kerasir, case: FixtureCase) -> None:
    Path("y.npz").write_text("precious")
    args = ("run", "m.h5", "--inputs", "x.npz", "--outputs", "y.npz")
    assert kerasir(*args).code == 1
    assert Path("y.npz").read_text() == "precious"
    assert kerasir(*args, "--overwrite").code == 0
