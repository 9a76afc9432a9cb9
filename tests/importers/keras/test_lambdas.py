"""Lambdas whose meaning the user says: an expression that is parsed, never evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from crafted import model_file

import kerasir
from genuine import FixtureCase
from kerasir.engines import open_engine
from kerasir.errors import ConfigError, KerasirError, UsageError

GENUINE = (
    "keras1.2.2-theano/lambda_layer_th",
    "keras1.2.2-theano/lambda_layer_tf",
    "keras2.2.4-theano/lambda_layer_th",
)


@pytest.mark.parametrize("name", GENUINE)
@pytest.mark.parametrize("target", ["new.onnx", "new.keras", "new.h5"])
def test_a_genuine_lambda_predicts_what_it_did(
    genuine: Callable[[str], FixtureCase], tmp_path: Path, name: str, target: str
) -> None:
    """The code in these files computes 2 x + 1."""
    case = genuine(name)
    done = kerasir.convert(
        case.model,
        tmp_path / target,
        lambdas={"lambda_1": "2 * x + 1"},
        expect=case.folder / "data.npz",
    )
    assert done.verification is not None
    assert done.verification.equal
    codes = [event.code for event in done.report if event.layer == "lambda_1"]
    assert "KS103" in codes
    assert "KS101" not in codes
    with pytest.raises(KerasirError, match="computes something else"):
        kerasir.convert(
            case.model, tmp_path / "no.onnx", lambdas={"lambda_1": "2 * x - 1"},
            expect=case.folder / "data.npz",
        )  # fmt: skip


def test_its_code_is_left_out(genuine: Callable[[str], FixtureCase], tmp_path: Path) -> None:
    case = genuine(GENUINE[0])
    kerasir.convert(case.model, tmp_path / "kept.h5")
    kerasir.convert(case.model, tmp_path / "said.h5", lambdas={"lambda_1": "2 * x + 1"})
    kept, said = (
        str(h5py.File(tmp_path / name).attrs["model_config"]) for name in ("kept.h5", "said.h5")
    )
    assert "Lambda" in kept
    assert "Lambda" not in said


EXPRESSIONS: Mapping[str, Callable[..., np.ndarray]] = {
    "x": lambda x: x,
    "x / 127.5 - 1.0": lambda x: x / 127.5 - 1,
    "(x - [1, 2, 3]) * 0.5": lambda x: (x - np.array([1, 2, 3])) * 0.5,
    "1 / (1 + K.exp(-x))": lambda x: 1 / (1 + np.exp(-x)),
    "x * sigmoid(1.5 * x)": lambda x: x / (1 + np.exp(-1.5 * x)),
    "-abs(x) ** 2": lambda x: -(np.abs(x) ** 2),
    "K.l2_normalize(x, axis=-1)": lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True),
    "K.l2_normalize(x, 3)": lambda x: x / np.linalg.norm(x, axis=3, keepdims=True),
    "K.clip(x, -0.5, 0.25)": lambda x: np.clip(x, -0.5, 0.25),
    "K.mean(x, axis=[1, 2])": lambda x: x.mean((1, 2)),
    "K.sum(x, 3, keepdims=True) + x": lambda x: x.sum(3, keepdims=True) + x,
    "x[..., ::-1]": lambda x: x[..., ::-1],
    "x[:, 1:, :, 0]": lambda x: x[:, 1:, :, 0],
    "tf.maximum(x, 0.1) - tf.minimum(x, 0.1)": lambda x: np.maximum(x, 0.1) - np.minimum(x, 0.1),
    "K.expand_dims(x, -1)": lambda x: x[..., None],
    "2 ** 3 / 4 * x": lambda x: 2 * x,
}


def lambda_model(path: Path, wrapper: str = "") -> Path:
    """A Sequential of one Lambda over images of 4 x 5 x 3, channels last."""
    code = {"name": "lambda_1", "function": ["", None, None], "function_type": "lambda"}
    layer: dict[str, Any] = {"class_name": "Lambda", "config": code}
    if wrapper:
        layer = {"class_name": wrapper, "config": {"name": "outer", "layer": layer}}
    layer["config"]["batch_input_shape"] = [None, 4, 5, 3]
    config = {"class_name": "Sequential", "config": {"name": "m", "layers": [layer]}}
    stated = {"keras_version": b"2.2.4", "backend": b"tensorflow"}
    return model_file(path, {"lambda_1": {}}, config, **stated)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions_compute_what_they_say(tmp_path: Path, text: str) -> None:
    path = lambda_model(tmp_path / "m.h5")
    x = np.random.default_rng(3).normal(size=(2, 4, 5, 3))
    engine = open_engine(str(path), precision="float64", lambdas={"lambda_1": text})
    (found,) = engine.run([x]).outputs
    np.testing.assert_allclose(found, EXPRESSIONS[text](x), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x +", "it is no expression"),
        ("3 + 4", "it does not depend on x"),
        ("y * 2", "y is nothing that can be said"),
        ("x1 + x", "it has no input x1"),
        ("open('f')", "open is no function known here"),
        ("__import__('os').system('x')", "is no function known here"),
        ("(lambda x: x)(x)", "is no function known here"),
        ("[x for x in x]", "is nothing that can be said"),
        ("'a' * 9", "is nothing that can be said"),
        ("x / (1 - 1) + 1 / 0", "Divide of [1, 0] cannot be computed"),
        ("9.0 ** 9 ** 9 * x", "cannot be computed"),
        ("x" + " + x" * 200, "it is too long"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, text: str, why: str) -> None:
    path = lambda_model(tmp_path / "m.h5")
    with pytest.raises(KerasirError) as raised:
        kerasir.load(path, lambdas={"lambda_1": text})
    assert why in raised.value.what


def test_a_lambda_that_is_not_there(tmp_path: Path) -> None:
    path = lambda_model(tmp_path / "m.h5")
    with pytest.raises(UsageError, match=r"no Lambda is called lambda_2 \(it has lambda_1\)"):
        kerasir.load(path, lambdas={"lambda_2": "x"})


def test_a_lambda_inside_a_wrapper(tmp_path: Path) -> None:
    path = lambda_model(tmp_path / "m.h5", "TimeDistributed")
    with pytest.raises(ConfigError, match="it stands inside TimeDistributed"):
        kerasir.load(path, lambdas={"lambda_1": "x"})


def test_several_inputs(tmp_path: Path) -> None:
    """The distance of two features, as siamese models have it."""
    inputs = [
        {"class_name": "InputLayer", "name": name, "inbound_nodes": [],
         "config": {"name": name, "batch_input_shape": [None, 5]}}
        for name in ("a", "b")
    ]  # fmt: skip
    code = {"name": "distance", "function": ["", None, None], "function_type": "lambda"}
    calls = [[["a", 0, 0, {}], ["b", 0, 0, {}]]]
    layer = {
        "class_name": "Lambda", "name": "distance", "config": code, "inbound_nodes": calls,
    }  # fmt: skip
    config = {
        "name": "m", "layers": [*inputs, layer], "input_layers": [["a", 0, 0], ["b", 0, 0]],
        "output_layers": [["distance", 0, 0]],
    }  # fmt: skip
    stated = {"keras_version": b"2.2.4", "backend": b"tensorflow"}
    whole = {"class_name": "Model", "config": config}
    path = model_file(tmp_path / "m.h5", {"distance": {}}, whole, **stated)
    a, b = np.random.default_rng(4).normal(size=(2, 3, 5))
    for text in ("K.sum(K.abs(x[0] - x[1]), axis=1)", "K.sum(K.abs(x0 - x1), axis=1)"):
        engine = open_engine(str(path), precision="float64", lambdas={"distance": text})
        np.testing.assert_allclose(engine.run([a, b]).outputs[0], np.abs(a - b).sum(1))
    with pytest.raises(UsageError, match="it has no input x2"):
        kerasir.load(path, lambdas={"distance": "x[0] + x[2]"})
