"""Verification: equal models agree, different ones are told apart, and why is found by trying."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from traps import (
    changed,
)

import kerasir
from genuine import FixtureCase
from kerasir.errors import FormatError, KerasirError, UsageError
from kerasir.verification import Verification, verify

Genuine = Callable[[str], FixtureCase]

VGG = "keras2.2.4-tensorflow/vgg_tf"
LSTM = "keras2.2.4-tensorflow/rnn_stack_tf"
SAME = "keras2.2.4-tensorflow/even_same_tf"
RESNET = "tf-keras2.21.0-tensorflow/resnet_tf"


def compared(a: Path, b: Path) -> Verification:
    return verify(str(a), str(b))


# ---- agreement -----------------------------------------------------------------------------------

KNOWN = (
    "keras1.2.2-theano/vgg_th",
    "keras1.2.2-theano/multi_io_th",
    "keras1.2.2-theano/embed_mask_lstm_th",
    "keras1.2.2-tensorflow/resnet_tf",
    "keras2.0.8-theano/inception_th",
    "keras2.2.4-theano/siamese_th",
    "keras2.2.4-tensorflow/vgg_th",
    "tf-keras2.21.0-tensorflow/vgg_tf",
)


@pytest.mark.parametrize("name", KNOWN)
def test_genuine_answers_are_met(genuine: Genuine, name: str) -> None:
    case = genuine(name)
    found = verify(str(case.model), expect=str(case.folder / "data.npz"))
    assert found.equal
    assert len(found.outputs) == len(case.outputs())
    assert found.fed.startswith(f"{len(case.inputs()[0])} inputs of ")
    assert found.layers == ()
    assert found.b.engine == "known answers"


@pytest.mark.parametrize("name", KNOWN)
def test_a_model_equals_itself_layer_by_layer(genuine: Genuine, name: str) -> None:
    model = genuine(name).model
    found = compared(model, model)
    assert found.equal
    assert found.first is None
    assert found.layers
    assert found.agreeing == len(found.layers)
    assert all(c.error < 1e-5 and c.differing == 0 for c in found.compared)
    assert found.a.engine == "reference, float64"
    assert found.b.engine == "reference, float32"


@pytest.mark.parametrize("target", ["new.h5", "new.onnx", "new.kerasir"])
@pytest.mark.parametrize("name", KNOWN)
def test_what_a_conversion_wrote_is_compared_with_the_source(
    genuine: Genuine, tmp_path: Path, name: str, target: str
) -> None:
    """From the files alone, whose inputs and outputs lie in other orders."""
    case = genuine(name)
    kerasir.convert(case.model, tmp_path / target)
    found = verify(str(case.model), str(tmp_path / target), expect=str(case.folder / "data.npz"))
    assert found.equal
    assert len(found.answers) == 2 * len(case.outputs())
    assert bool(found.layers) == (target != "new.onnx")


def test_values_before_a_softmax_are_compared_too(genuine: Genuine, tmp_path: Path) -> None:
    """Saturated probabilities may agree where the scores do not."""
    source = genuine(VGG).model
    sure = {"dense_2/dense_2/bias:0": lambda bias: bias + np.eye(5, dtype=bias.dtype)[0] * 200}
    surer = {"dense_2/dense_2/bias:0": lambda bias: bias + np.eye(5, dtype=bias.dtype)[0] * 300}
    a = changed(source, tmp_path / "a.h5", sure)
    b = changed(source, tmp_path / "b.h5", surer)
    found = compared(a, b)
    assert [output.agrees(found.tolerance) for output in found.outputs] == [True]
    assert [logit.agrees(found.tolerance) for logit in found.logits] == [False]
    assert found.classes is not None
    assert found.classes.same == found.classes.total == 4
    assert not found.equal


def test_scores_of_an_onnx_file_are_compared_too(genuine: Genuine, tmp_path: Path) -> None:
    kerasir.convert(genuine(VGG).model, tmp_path / "a.onnx")
    found = compared(genuine(VGG).model, tmp_path / "a.onnx")
    assert [logit.part for logit in found.logits] == ["before softmax"]
    assert found.equal


def test_two_onnx_files(genuine: Genuine, tmp_path: Path) -> None:
    for name, options in (("a.onnx", {}), ("b.onnx", {"io_layout": "match"})):
        kerasir.convert(genuine(VGG).model, tmp_path / name, **options)
    found = compared(tmp_path / "a.onnx", tmp_path / "b.onnx")
    assert found.equal
    assert (found.a.inputs, found.b.inputs) == (("N:? H:11 W:9 C:3",), ("N:? C:3 H:11 W:9",))
    back = compared(tmp_path / "b.onnx", genuine(VGG).model)
    assert back.equal


# ---- difference ----------------------------------------------------------------------------------


def test_the_first_layer_that_differs_is_named_and_where(genuine: Genuine, tmp_path: Path) -> None:
    source = genuine(VGG).model

    def one_number(kernel: np.ndarray) -> np.ndarray:
        kernel[1, 2, 3, 4] += 1
        return kernel

    other = changed(source, tmp_path / "b.h5", {"conv1_2/conv1_2/kernel:0": one_number})
    found = compared(source, other)
    assert found.first_difference == "conv1_2"
    assert not found.equal
    names = [layer.name for layer in found.layers]
    before = names[: names.index("conv1_2")]
    assert all(c.agrees(found.tolerance) for c in found.layers if c.name in before)
    assert found.differences[0].b - found.differences[0].a > 0 or found.differences[0].a
    assert all(d.place.endswith(" C:4") for d in found.differences)
    first = found.first
    assert first is not None
    assert 0 < first.differing < first.count
    assert found.cause is None
    assert found.tried == ("reversed kernel",)


def test_not_finite_is_a_failure_even_if_both_are(genuine: Genuine, tmp_path: Path) -> None:
    def broken(bias: np.ndarray) -> np.ndarray:
        bias[0] = np.nan
        return bias

    path = changed(genuine(VGG).model, tmp_path / "a.h5", {"dense_1/dense_1/bias:0": broken})
    found = compared(path, path)
    assert not found.equal
    assert found.first is not None
    assert (found.first.name, found.first.problem) == ("dense_1", "not finite in A and B")
    assert math.isnan(found.first.error)


def test_only_one_side_is_not_finite(genuine: Genuine, tmp_path: Path) -> None:
    source = genuine(VGG).model
    huge = {"conv1_1/conv1_1/kernel:0": lambda kernel: kernel * np.float32(3e38)}
    other = changed(source, tmp_path / "b.h5", huge)
    found = compared(source, other)
    assert found.first is not None
    assert found.first.problem == "not finite in B"


def test_known_answers_that_are_not_met(genuine: Genuine, tmp_path: Path) -> None:
    case = genuine(VGG)
    np.savez(tmp_path / "x.npz", in_0=case.inputs()[0], out_0=case.outputs()[0][::-1])
    found = verify(str(case.model), expect=str(tmp_path / "x.npz"))
    assert not found.equal
    assert found.first_difference == "dense_2"
    assert found.cause is None
    assert "row order" in found.tried


# ---- what cannot be compared ---------------------------------------------------------------------


def test_models_that_are_not_the_same_are_refused(genuine: Genuine) -> None:
    with pytest.raises(UsageError, match="are they the same model"):
        compared(genuine(VGG).model, genuine("keras2.2.4-theano/multi_io_th").model)
    with pytest.raises(UsageError, match="is no reordering of"):
        compared(genuine(VGG).model, genuine(LSTM).model)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros(3)}, "no answers in it"),
        ({"out_0": np.zeros((3, 5))}, "no inputs in it"),
        ({"in_0": np.zeros((3, 4)), "out_0": np.zeros((3, 5))}, "does not fit input"),
        ({"in_0": np.zeros((3, 11, 9, 3)), "out_0": np.zeros((3, 6))}, "does not fit output"),
    ],
)
def test_arrays_that_do_not_fit(genuine: Genuine, tmp_path: Path, arrays, message: str) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(FormatError, match=message):
        verify(str(genuine(VGG).model), expect=str(tmp_path / "x.npz"))


def test_arrays_may_be_called_as_the_model_calls_them(genuine: Genuine, tmp_path: Path) -> None:
    case = genuine(VGG)
    names = {"zero_padding2d_1_input": case.inputs()[0], "dense_2": case.outputs()[0]}
    np.savez(tmp_path / "x.npz", **names)
    assert verify(str(case.model), expect=str(tmp_path / "x.npz")).equal
    np.savez(tmp_path / "y.npz", out_0=case.outputs()[0])
    np.savez(tmp_path / "z.npz", in_0=case.inputs()[0])
    found = verify(str(case.model), expect=str(tmp_path / "y.npz"), inputs=str(tmp_path / "z.npz"))
    assert found.equal


def test_what_nobody_can_compute_is_said(genuine: Genuine) -> None:
    case = genuine("keras2.2.4-theano/lambda_layer_th")
    with pytest.raises(KerasirError, match="lambda_1"):
        verify(str(case.model), expect=str(case.folder / "data.npz"))
