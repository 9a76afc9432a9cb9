"""Half precision: what is halved, what stays, what is told; the numbers are still right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from one_op import OneOp
from onnx_models import Exported, export, must_be_valid

import kerasir
from genuine import FixtureCase
from kerasir.engines import OnnxRuntime
from kerasir.exporters.onnx.style import Style
from kerasir.ir.build import Builder
from kerasir.ir.graph import Graph
from kerasir.ir.layout import Axis, Layout
from kerasir.ir.ops.activation import Exponential
from kerasir.ir.ops.dense import Dense
from kerasir.ir.ops.embedding import Masking
from kerasir.ir.ops.normalization import UnitNorm
from kerasir.ir.source import ArraySource
from kerasir.ir.tensor import Param, Stored, Weight
from kerasir.ir.weighing import Weighed, weigh
from kerasir.verification.feeds import known_arrays
from kerasir.verification.run import HALF_TOLERANCE

Genuine = Callable[[str], FixtureCase]
HALF, WHOLE = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
CASES = [
    "keras2.2.4-theano/vgg_th",
    "keras2.2.4-theano/rnn_stack_tf",
    "keras2.2.4-theano/convlstm_tf",
    "keras2.2.4-theano/embed_mask_lstm_tf",
    "keras0.3.3-theano/rnn_tf",
    "keras3.15.1-jax/m_two_directions_tf",
    "tf-keras2.21.0-tensorflow/m_norms_tf",
]


LARGEST_ERROR = 5e-3
"""Of all genuine files, relative to the largest output; all but one stay below 3e-3, half of them
below 5e-4. The one averages two directions of cells, most of which cancel out."""


OF_CODE = ("custom_layer_", "lambda_layer_")
"""Cases with a layer that nobody knows: `test_fixtures_onnx.py` sees them refused."""


@pytest.mark.fixture_cases(where=lambda case: not case.case.startswith(OF_CODE))
def test_every_genuine_file(fixture_case: FixtureCase, tmp_path: Path) -> None:
    """A valid file that runs and predicts what the Keras that wrote the model did."""
    case, path = fixture_case, tmp_path / "model.onnx"
    arch: dict[str, Any] = {"arch": case.arch, "backend": case.backend} if case.arch else {}
    kerasir.convert(case.model, path, float16=True, **arch)
    must_be_valid(onnx.load(path), path)
    engine = OnnxRuntime(str(path))
    fed = known_arrays(engine, case.data(), "data.npz").inputs
    assert fed is not None
    outputs = case.outputs()
    for mine, genuine in zip(engine.run(fed).outputs[: len(outputs)], outputs, strict=True):
        assert np.abs(mine - genuine).max() <= LARGEST_ERROR * np.abs(genuine).max()


@pytest.mark.parametrize("name", CASES)
def test_verified(name: str, genuine: Genuine, tmp_path: Path) -> None:
    case, path = genuine(name), tmp_path / "model.onnx"
    options: dict[str, Any] = {"expect": case.folder / "data.npz", "float16": True}
    if case.arch:
        options |= {"arch": case.arch, "backend": case.backend}
    done = kerasir.convert(case.model, path, **options)
    assert done.verification is not None
    assert done.verification.tolerance == HALF_TOLERANCE
    assert max(compared.error for compared in done.verification.compared) < 2e-3
    model = onnx.load(path)
    must_be_valid(model, path)
    border = [*model.graph.input, *model.graph.output]
    assert all(value.type.tensor_type.elem_type != HALF for value in border)
    assert HALF in {tensor.data_type for tensor in model.graph.initializer}
    if not case.arch:
        assert kerasir.verify(str(case.model), str(path)).tolerance == HALF_TOLERANCE


def dense_net(kernel: np.ndarray, *ops: Any) -> Graph:
    builder = Builder()
    n, f, u = Axis("N", None), Axis("F", kernel.shape[0]), Axis("F", kernel.shape[1])
    x = builder.input("x", (n, f))
    weight = Weight("dense/kernel", (ArraySource(kernel),))
    bound = {"features": (f,), "units": (u,)}
    params = {"kernel": Param(weight, (Stored(Layout((f, u))),))}
    y = builder.add(Dense(), "dense", [x], [(n, u)], axes=bound, params=params).result
    for number, op in enumerate(ops):
        axes = {"axis": (u,)} if isinstance(op, UnitNorm) else None
        y = builder.add(op, f"op_{number}", [y], [(n, u)], axes=axes).result
    return builder.freeze([y], ["y"])


def halved(graph: Graph, folder: Path) -> Exported:
    return export(graph, folder, style=Style(float16=True))


def kinds(found: Exported) -> dict[str, int]:
    return {tensor.name: tensor.data_type for tensor in found.model.graph.initializer}


def test_weights_beyond_the_range_stay_and_are_told(tmp_path: Path) -> None:
    kernel = np.array([[1, 70_000.0, 3], [4, 5, 6]], np.float32)
    found = halved(dense_net(kernel), tmp_path)
    assert kinds(found) == {"dense/kernel": WHOLE}
    assert [(e.code, e.level, e.layer, e.weight) for e in found.events] == [
        ("KX505", "warning", "dense", "kernel")
    ]
    x = np.array([[0.5, 0.25]], np.float32)
    np.testing.assert_allclose(found.run([x])[0], x @ kernel, rtol=1e-3)


def test_weights_that_vanish_are_counted(tmp_path: Path) -> None:
    kernel = np.array([[1, 1e-9, 0], [2.0**-25, 5, 2.0**-24]], np.float32)
    found = halved(dense_net(kernel), tmp_path)
    assert kinds(found) == {"dense/kernel": HALF}
    assert [(e.code, e.message) for e in found.events] == [
        ("KX506", "2 of 6 weights are too small for float16 and become zero")
    ]


def test_what_would_leave_the_range_is_computed_in_single_precision(tmp_path: Path) -> None:
    """A vector of length 100,000 and more has no square in float16; e^13 neither."""
    kernel = np.array([[30_000.0, 40_000], [1, 2]], np.float32)
    found = halved(dense_net(kernel, UnitNorm(epsilon=1e-12)), tmp_path)
    np.testing.assert_allclose(found.run([[[1.0, 0.0]]])[0], [[0.6, 0.8]], rtol=1e-3)
    small = np.array([[13.0, 1.0], [1, 2]], np.float32)
    found = halved(dense_net(small, Exponential()), tmp_path)
    np.testing.assert_allclose(found.run([[[1.0, 0.0]]])[0], np.exp(small[:1]), rtol=1e-2)


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_what_is_fed_is_compared_as_it_is(value: float, tmp_path: Path) -> None:
    """A step near the value of a mask is there, even if float16 cannot tell them apart."""
    one = OneOp(Masking(mask_value=value), {"...": (None, 3), "features": (2,)})
    x = np.array([[[value, value], [value, value + 1e-8], [1, value]]], np.float32)
    _, mask = halved(one.graph, tmp_path).run([x])
    assert mask.tolist() == [[False, True, True]]


def test_weights_are_weighed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    array = np.array([[1, -8.0, np.inf], [np.nan, 1e-9, 0]], np.float32)
    weight = Weight("w", (ArraySource(array), ArraySource(array[0])))
    assert weigh(weight) == Weighed(8.0, 1, 9)
    monkeypatch.setattr("kerasir.ir.weighing.CHUNK", 2)
    assert weigh(weight) == Weighed(8.0, 1, 9)
