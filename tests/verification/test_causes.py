"""Causes of differences: found by undoing one trap after the other."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from traps import (
    back_to_front,
    changed,
    configured,
    gates,
    rows_channels_first,
    said_to_be_of,
)

from genuine import FixtureCase
from kerasir.verification import Verification, verify

Genuine = Callable[[str], FixtureCase]

VGG = "keras2.2.4-tensorflow/vgg_tf"
LSTM = "keras2.2.4-tensorflow/rnn_stack_tf"
SAME = "keras2.2.4-tensorflow/even_same_tf"
RESNET = "tf-keras2.21.0-tensorflow/resnet_tf"


def compared(a: Path, b: Path) -> Verification:
    return verify(a, b)


def test_a_reversed_kernel_is_found(genuine: Genuine, tmp_path: Path) -> None:
    source = genuine(VGG).model
    other = changed(source, tmp_path / "b.h5", {"conv1_2/conv1_2/kernel:0": back_to_front})
    found = compared(source, other)
    assert found.first_difference == "conv1_2"
    assert found.cause is not None
    assert found.cause.name == "reversed kernel"
    assert found.cause.error < 1e-6
    assert found.cause.fix == f"kerasir convert {source} {other} --overwrite"


def test_rows_in_another_order_are_found(genuine: Genuine, tmp_path: Path) -> None:
    source = genuine(VGG).model
    change = rows_channels_first((4, 3, 6))
    other = changed(source, tmp_path / "b.h5", {"dense_1/dense_1/kernel:0": change})
    found = compared(source, other)
    assert found.first_difference == "dense_1"
    assert found.cause is not None
    assert found.cause.name == "row order"
    assert "channels first" in found.cause.text


def test_gates_in_another_order_are_found(genuine: Genuine, tmp_path: Path) -> None:
    source = genuine(LSTM).model
    names = ("kernel", "recurrent_kernel", "bias")
    wrong = {f"lstm_1/lstm_1/{name}:0": gates("icfo") for name in names}
    found = compared(source, changed(source, tmp_path / "b.h5", wrong))
    assert found.first_difference == "lstm_1"
    assert found.cause is not None
    assert found.cause.name == "gate order"
    assert "i c f o" in found.cause.text


def test_other_pads_are_found(genuine: Genuine, tmp_path: Path) -> None:
    """The same numbers, said to be Theano's, whose `same` pads on the other side."""
    source = genuine(SAME).model
    kernels = {f"conv2d_{n}/conv2d_{n}/kernel:0": back_to_front for n in (1, 2, 3, 4)}
    other = changed(source, tmp_path / "b.h5", kernels)
    said_to_be_of(other, "theano")
    found = compared(source, other)
    assert found.first_difference == "conv2d_1"
    assert found.cause is not None
    assert found.cause.name == "padding"
    assert found.cause.text == "padding. B has 1,0 1,0, A has 0,1 0,1"


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [("epsilon", 0.1, "epsilon"), ("activation", "elu", "activation")],
)
def test_other_settings_are_found(
    genuine: Genuine, tmp_path: Path, key: str, value: object, name: str
) -> None:
    def change(layer: dict[str, dict[str, object]]) -> None:
        if key in layer["config"]:
            layer["config"][key] = value

    case = genuine(RESNET if key == "epsilon" else VGG)
    found = compared(case.model, configured(case.model, tmp_path / "b.h5", change))
    assert found.cause is not None
    assert found.cause.name == name


def test_what_reaches_a_layer_may_be_the_cause(genuine: Genuine, tmp_path: Path) -> None:
    """A layer that only one model has is not compared, but what it does is noticed."""

    def rename(layer: dict[str, dict[str, object]]) -> None:
        if layer["config"]["name"] == "max_pooling2d_1":
            layer["config"]["name"] = "other"
            layer["class_name"] = "AveragePooling2D"  # type: ignore[assignment]

    source = genuine(VGG).model
    shutil.copy(source, tmp_path / "b.h5")
    found = compared(source, configured(source, tmp_path / "b.h5", rename))
    assert found.first_difference == "conv2d_1"
    assert found.cause is not None
    assert found.cause.name == "input"


def test_the_backend_is_found_by_known_answers(genuine: Genuine) -> None:
    case = genuine("keras1.2.2-theano/vgg_th")
    data = str(case.folder / "data.npz")
    found = verify(str(case.model), expect=data, backend="tensorflow")
    assert found.cause is not None
    assert (found.cause.name, found.cause.fix) == ("backend", "--backend theano")
    assert verify(str(case.model), expect=data, backend="theano").equal


@pytest.mark.parametrize(
    ("weights", "cause"),
    [
        ({"dense_1/dense_1/kernel:0": rows_channels_first((4, 3, 6))}, "row order"),
        (
            {
                "conv1_1/conv1_1/kernel:0": back_to_front,
                "conv1_2/conv1_2/kernel:0": back_to_front,
                "conv2d_1/conv2d_1/kernel:0": back_to_front,
            },
            "backend",
        ),
    ],
)
def test_causes_of_a_whole_model(genuine: Genuine, tmp_path: Path, weights, cause: str) -> None:
    case = genuine(VGG)
    wrong = changed(case.model, tmp_path / "a.h5", weights)
    found = verify(str(wrong), expect=case.folder / "data.npz")
    assert not found.equal
    assert found.cause is not None
    assert found.cause.name == cause


def test_pads_of_a_whole_model(genuine: Genuine, tmp_path: Path) -> None:
    case = genuine(SAME)
    kernels = {f"conv2d_{n}/conv2d_{n}/kernel:0": back_to_front for n in (1, 2, 3, 4)}
    wrong = changed(case.model, tmp_path / "a.h5", kernels)
    said_to_be_of(wrong, "theano")
    found = verify(str(wrong), expect=case.folder / "data.npz")
    assert found.cause is not None
    assert found.cause.name == "padding"
