"""What differs between two files: a relayout is no difference, everything else is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from traps import back_to_front, changed, configured, gates, rows_channels_first

import kerasir
from genuine import FixtureCase
from kerasir.comparison import Differences, diff, diff_models
from kerasir.comparison.settings import meaning
from kerasir.comparison.weights import PIECE, apart
from kerasir.errors import UsageError
from kerasir.ir.layout import Axis, Layout
from kerasir.ir.source import ArraySource
from kerasir.ir.tensor import Param, Stored, Weight

Genuine = Callable[[str], FixtureCase]

VGG = "keras2.2.4-tensorflow/vgg_tf"
LSTM = "keras2.2.4-tensorflow/rnn_stack_tf"
CONVERTED = (
    "keras1.2.2-theano/vgg_th",
    "keras1.2.2-theano/even_same_th",  # pads written out, ends that no window reaches
    "keras1.2.2-theano/embed_mask_lstm_th",  # twelve arrays against three, a mask
    "keras1.2.2-theano/td_dense_conv_th",
    "keras1.2.2-theano/flat_bn_dense_th",
    "keras1.2.2-theano/merge_modes_th",
    "keras2.2.4-theano/deconv_th",  # crops written out
    "keras2.2.4-theano/siamese_th",
    "keras2.2.4-theano/lambda_layer_th",
    "keras2.2.4-tensorflow/resnet_tf",
    "tf-keras2.21.0-tensorflow/resnet_tf",
    "keras3.15.1-jax/vgg_tf",
)


def wrong(found: Differences) -> list[tuple[str, str, str]]:
    return [(row.layer, row.what, row.verdict) for row in found.wrong]


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize("name", CONVERTED)
def test_a_converted_model_is_the_same(
    genuine: Genuine, tmp_path: Path, name: str, data_format: str
) -> None:
    source, other = genuine(name).model, tmp_path / "other.h5"
    kerasir.convert(source, other, data_format=data_format)
    for found in (diff(str(source), str(other)), diff(str(other), str(source))):
        assert wrong(found) == []
        assert found.same


def test_a_file_is_the_same_as_itself(genuine: Genuine) -> None:
    path = str(genuine(VGG).model)
    found = diff(path, path)
    assert found.alike
    assert {row.verdict for row in found.rows} == {"equal"}
    assert len(found.of("weights")) == 10


def test_one_number_of_one_weight(genuine: Genuine, tmp_path: Path) -> None:
    def change(array: np.ndarray) -> np.ndarray:
        found = array.copy()
        found[1, 2, 0, 3] += 0.5
        return found

    source = genuine(VGG).model
    other = changed(source, tmp_path / "b.h5", {"conv1_2/conv1_2/kernel:0": change})
    found = diff(str(source), str(other))
    assert wrong(found) == [("conv1_2", "kernel", "differs")]
    (row,) = found.wrong
    assert (row.differing, row.count) == (1, 180)
    assert row.largest == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("name", "path", "change"),
    [
        (VGG, "conv1_2/conv1_2/kernel:0", back_to_front),
        (VGG, "dense_1/dense_1/kernel:0", rows_channels_first((4, 3, 6))),
        (LSTM, "lstm_1/lstm_1/kernel:0", gates("ifoc")),
    ],
)
def test_a_weight_in_a_wrong_order_differs(
    genuine: Genuine, tmp_path: Path, name: str, path: str, change: Any
) -> None:
    """Numbers moved within an array without the file saying so make another model."""
    source = genuine(name).model
    other = changed(source, tmp_path / "b.h5", {path: change})
    assert [what for _, what, _ in wrong(diff(str(source), str(other)))] == ["kernel"]


@pytest.mark.parametrize(
    ("class_name", "key", "value", "what"),
    [
        ("Dropout", "rate", 0.25, "rate"),
        ("Dense", "activation", "sigmoid", "operation"),
        (
            "Dense",
            "kernel_regularizer",
            {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.5}},
            "kernel_regularizer",
        ),
        ("Dense", "trainable", False, "trainable"),
    ],
)
def test_one_setting(
    genuine: Genuine, tmp_path: Path, class_name: str, key: str, value: Any, what: str
) -> None:
    last = []

    def change(layer: dict[str, Any]) -> None:
        if layer["class_name"] == class_name and not last:
            layer["config"][key] = value
            last.append(layer["config"]["name"])

    source = genuine(VGG).model
    other = configured(source, tmp_path / "b.h5", change)
    found = wrong(diff(str(source), str(other)))
    assert (last[0], what, "differs") in found


def test_inputs_of_a_layer_in_another_order(genuine: Genuine, tmp_path: Path) -> None:
    def change(layer: dict[str, Any]) -> None:
        if layer["class_name"] == "Concatenate":
            layer["inbound_nodes"][0].reverse()

    source = genuine("keras2.2.4-theano/two_flat_concat_th").model
    found = diff(str(source), str(configured(source, tmp_path / "b.h5", change)))
    assert {what for _, what, _ in wrong(found)} >= {"input 0", "input 1"}


def test_other_names_are_matched_by_place(genuine: Genuine) -> None:
    """Keras numbers layers anew in every session; the weights of these two are not the same."""
    a, b = genuine("keras1.2.2-theano/vgg_th").model, genuine("keras2.2.4-theano/vgg_th").model
    found = diff(str(a), str(b))
    assert (found.by_name, len(found.by_place)) == (6, 4)
    assert ("convolution2d_1", "conv2d_1") in found.by_place
    assert {row.part for row in found.wrong} == {"weights", "training"}


def test_unlike_models(genuine: Genuine) -> None:
    a, b = genuine(VGG).model, genuine(LSTM).model
    found = diff(str(a), str(b))
    assert not found.same
    assert {"only in A", "only in B"} <= {row.verdict for row in found.rows}


def test_weights_alone(genuine: Genuine, tmp_path: Path) -> None:
    case = genuine("keras2.2.4-theano/vgg_th")
    weights = str(case.folder / "weights.h5")
    assert diff(weights, weights).alike
    with pytest.raises(UsageError, match="weights only"):
        diff(weights, str(case.model))
    whole = diff(weights, str(case.model), arch=case.folder / "arch.json")
    assert [row for row in whole.wrong if row.part != "training"] == []


def test_an_onnx_file_is_no_model_of_layers(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no layers to compare"):
        diff("a.h5", "b.onnx")


def test_a_loaded_model(genuine: Genuine) -> None:
    model = kerasir.load(genuine(VGG).model)
    assert diff_models(model, model).alike


def weight(array: np.ndarray, layout: Layout) -> Param:
    return Param(Weight("w", (ArraySource(array),)), (Stored(layout),))


def test_numbers_in_pieces_and_in_any_order() -> None:
    """Against NumPy: more numbers than are compared at a time, one side stored transposed."""
    i, o = Axis("I", 1300), Axis("O", 1700)
    assert i.size is not None
    assert o.size is not None
    assert i.size * o.size > 2 * PIECE
    here = np.random.default_rng(0).standard_normal((i.size, o.size)).astype(np.float32)
    other = here.copy()
    other[3, 5] += 2
    other[1299, 1699] = np.nan
    there = np.ascontiguousarray(np.einsum("io->oi", other))
    found = apart(weight(here, Layout((i, o))), weight(there, Layout((o, i))), Layout((i, o)))
    assert (found.differing, found.count) == (2, here.size)
    assert found.largest == np.inf
    same = apart(weight(other, Layout((i, o))), weight(there, Layout((o, i))), Layout((i, o)))
    assert same.differing == 0


def test_settings_by_meaning() -> None:
    named = {
        "class_name": "GlorotUniform",
        "config": {"seed": None},
        "module": "keras.initializers",
    }
    scaled = {
        "class_name": "VarianceScaling",
        "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None},
    }
    assert meaning("kernel_initializer", named) == meaning("kernel_initializer", scaled)
    old = {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.009999999776482582}}
    new = {"class_name": "L2", "config": {"l2": 0.01}}
    assert meaning("kernel_regularizer", old) == meaning("kernel_regularizer", new)
    assert meaning("kernel_regularizer", {"class_name": "L1L2", "config": {"l1": 0.0}}) is None
    other = {"class_name": "L2", "config": {"l2": 0.02}}
    assert meaning("kernel_regularizer", new) != meaning("kernel_regularizer", other)
