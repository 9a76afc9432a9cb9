"""Models of open sizes, made by genuine Keras, in ONNX Runtime at two sizes.

The interpreters are those of `test_genuine_keras`: without them the tests are skipped, unless
KERASIR_REQUIRE_KERAS is set.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from frameworks import FRAMEWORKS
from onnx_models import must_be_valid
from open_sizes_worker import MODELS

import kerasir

WORKER = Path(__file__).parent / "support" / "open_sizes_worker.py"
WITHIN = 1e-5
SECONDS = 900


@pytest.fixture(scope="module", params=["keras", "tf_keras"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every model of one Keras."""
    framework = FRAMEWORKS[request.param]
    python = framework.python()
    if python is None:
        assert not os.environ.get("KERASIR_REQUIRE_KERAS"), f"{request.param} is not there"
        pytest.skip(f"no interpreter has {request.param}: set {framework.variable}")
    folder = tmp_path_factory.mktemp(request.param)
    command = [python, str(WORKER), request.param, str(folder)]
    subprocess.run(command, check=True, timeout=SECONDS, stdout=subprocess.DEVNULL)
    return folder


@pytest.mark.time_limit(SECONDS)
@pytest.mark.parametrize("name", MODELS)
def test_two_sizes(name: str, made: Path, tmp_path: Path) -> None:
    [source] = [path for path in made.iterdir() if path.stem == name and path.suffix != ".npz"]
    path = tmp_path / "model.onnx"
    done = kerasir.convert(source, path, verify=True)
    assert done.verification is not None
    assert done.verification.sizes
    must_be_valid(onnx.load(path), path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    with np.load(made / f"{name}.npz") as arrays:
        for number in (0, 1):
            [found] = session.run(None, {"given": arrays[f"in_{number}"]})
            wanted = arrays[f"out_{number}"]
            assert found.shape == wanted.shape
            assert np.abs(found - wanted).max() <= WITHIN * np.abs(wanted).max()
            fixed = tmp_path / f"fixed_{number}.onnx"
            kerasir.convert(source, fixed, shapes={"given": arrays[f"in_{number}"].shape})
            must_be_static(onnx.load(fixed))
            session_2 = onnxruntime.InferenceSession(fixed, providers=["CPUExecutionProvider"])
            [again] = session_2.run(None, {"given": arrays[f"in_{number}"]})
            assert np.abs(again - wanted).max() <= WITHIN * np.abs(wanted).max()


def must_be_static(model: onnx.ModelProto) -> None:
    for value in (*model.graph.input, *model.graph.value_info, *model.graph.output):
        assert all(dim.HasField("dim_value") for dim in value.type.tensor_type.shape.dim), value
    assert not any(node.op_type == "Shape" for node in model.graph.node)
    for node in model.graph.node:
        assert not any(attribute.name == "auto_pad" for attribute in node.attribute), node.name
