"""What a conversion says it changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import kerasir
from genuine import FixtureCase
from kerasir.changes import Changes

Genuine = Callable[[str], FixtureCase]


def changes(genuine: Genuine, name: str, target: Path, **options: object) -> Changes:
    return kerasir.convert(genuine(name).model, target, **options).changes


def test_reversed_and_permuted(genuine: Genuine, tmp_path: Path) -> None:
    found = changes(genuine, "keras1.2.2-theano/vgg_th", tmp_path / "n.h5")
    assert [moved.text for moved in found.weights] == [
        "kernel O I ~H ~W → H W I O (reversed, permuted)",
        "kernel O I ~H ~W → H W I O (reversed, permuted)",
        "kernel O I ~H ~W → H W I O (reversed, permuted)",
        "kernel (C H W) O → (H W C) O (rows reordered)",
    ]
    assert [moved.layer for moved in found.weights] == [
        "conv1_1", "conv1_2", "convolution2d_1", "dense_1",
    ]  # fmt: skip
    assert found.inputs == (("zeropadding2d_1_input", "N C H W", "N H W C"),)
    assert found.outputs == ()
    assert found.transposes == 0
    assert found.lost == ()


@pytest.mark.parametrize(
    ("target", "options", "text"),
    [
        ("n.onnx", {}, "kernel O I ~H ~W → O I H W (reversed)"),
        ("n.h5", {"data_format": "keep"}, "kernel O I ~H ~W → H W I O (reversed, permuted)"),
        (
            "n.h5",
            {"target_backend": "theano", "data_format": "channels_first"},
            "kernel O I ~H ~W → ~H ~W I O (permuted)",
        ),
    ],
)
def test_what_is_done_to_a_kernel_depends_on_the_target(
    genuine: Genuine, tmp_path: Path, target: str, options: dict[str, object], text: str
) -> None:
    found = changes(genuine, "keras1.2.2-theano/vgg_th", tmp_path / target, **options)
    assert {moved.text for moved in found.weights} == {text}


def test_a_file_that_keeps_everything_changes_nothing(genuine: Genuine, tmp_path: Path) -> None:
    found = changes(genuine, "keras1.2.2-theano/vgg_th", tmp_path / "n.kerasir")
    assert (found.weights, found.axes, found.inputs, found.outputs) == ((), {}, (), ())
    same = changes(genuine, "keras2.2.4-tensorflow/vgg_tf", tmp_path / "n.h5")
    assert (same.weights, same.axes, same.inputs, same.outputs) == ((), {}, (), ())


def test_axes_that_get_another_number(genuine: Genuine, tmp_path: Path) -> None:
    moved = changes(genuine, "keras2.2.4-theano/inception_th", tmp_path / "n.h5")
    assert "Concat" in moved.axes
    flat = changes(genuine, "keras1.2.2-theano/flat_bn_dense_th", tmp_path / "m.h5")
    assert flat.axes == {}  # behind a Flatten it is the last axis before and after


def test_arrays_per_gate_are_joined(genuine: Genuine, tmp_path: Path) -> None:
    found = changes(genuine, "keras1.2.2-theano/embed_mask_lstm_th", tmp_path / "n.h5")
    assert {moved.words for moved in found.weights} == {("joined",)}
    assert {moved.weight for moved in found.weights} == {"kernel", "recurrent_kernel", "bias"}


def test_what_a_target_has_no_place_for_is_lost_aloud(genuine: Genuine, tmp_path: Path) -> None:
    onnx = changes(genuine, "keras1.2.2-theano/vgg_th", tmp_path / "n.onnx")
    assert [event.message for event in onnx.lost] == [
        "the training record, 10 arrays of SGD: ONNX has no place for it"
    ]
    bare = changes(genuine, "keras1.2.2-theano/vgg_th", tmp_path / "n.h5", weights_only=True)
    assert [event.code for event in bare.lost] == ["KT301", "KX204"]


def test_events_tell_the_same(genuine: Genuine, tmp_path: Path) -> None:
    done = kerasir.convert(genuine("keras1.2.2-theano/vgg_th").model, tmp_path / "n.onnx")
    told = list(done.changes.events())
    assert told
    assert all(event in done.report.events for event in told)
    assert {event.kind for event in told} == {"changed", "lost"}
