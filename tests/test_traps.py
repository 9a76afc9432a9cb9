"""Traps that give wrong numbers without an error: each is set, and has to be noticed.

A model of a genuine file agrees with its Keras. With one fact taken wrongly it must not: if it
still did, the file would say nothing of that fact.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numbers_of import ALLOWED, POLICIES, error
from traps import configured

import kerasir
from genuine import FixtureCase
from kerasir.eras import activations, names, padding, storage
from kerasir.importers.keras import match
from kerasir.importers.keras.call import LayerCall
from kerasir.importers.keras.layers import (
    cudnn,
    local,
    merge,
    normalization,
    recurrent,
)
from kerasir.ir.layout import Layout
from kerasir.ir.model import Model
from kerasir.ir.tensor import Stored

Set = Callable[[pytest.MonkeyPatch], None]


def load(case: FixtureCase, **said: Any) -> Model:
    """The model, told what files of its era do not say."""
    if case.era.startswith("keras0"):
        said = {"backend": case.backend, "data_format": case.ordering, **said}
    return kerasir.load(case.model, arch=case.arch, **said)


def agrees(case: FixtureCase, **said: Any) -> bool:
    """Whether a model computes what the genuine Keras did."""
    try:
        return error(load(case, **said), case, POLICIES["as authored"]) < ALLOWED
    except (kerasir.KerasirError, AssertionError):  # or results of another shape
        return False


def reversed_as(*more: tuple[str, str], without: tuple[tuple[str, str], ...] = ()) -> Set:
    def trap(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(storage, "REVERSED", (storage.REVERSED | set(more)) - set(without))

    return trap


def variance_as_it_is_called(patch: pytest.MonkeyPatch) -> None:
    """Keras 0.3's deviation taken for a variance, its epsilon for one under the root."""
    right = normalization._squared

    def plain(call: LayerCall, axis: Any, epsilon: float) -> Any:
        squared = right(call, axis, epsilon)
        return msgspec.structs.replace(squared, weight=call.weight("as_stored", ("variance",)))

    patch.setattr(normalization, "_squared", plain)


def epsilon_under_the_root(patch: pytest.MonkeyPatch) -> None:
    right = normalization.SampleNorm
    patch.setattr(
        normalization.msgspec.structs,
        "replace",
        lambda op, **_: op if isinstance(op, right) else msgspec.structs.replace(op, **_),
    )


def slope_of_keras3(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(activations.FUNCTIONS["keras2"], "hard_sigmoid", activations.NEW_HARD_SIGMOID)


def reset_after(patch: pytest.MonkeyPatch) -> None:
    known = {**names.DEFAULTS["keras2"]["GRU"], "reset_after": True}
    patch.setitem(names.DEFAULTS["keras2"], "GRU", known)


def bias_as_its_shape_says(patch: pytest.MonkeyPatch) -> None:
    right = local._bias
    patch.setattr(
        local,
        "_bias",
        lambda call, space, filters, _: right(call, space, filters, False),
    )


def softmax_over_channels(patch: pytest.MonkeyPatch) -> None:
    right = LayerCall.axis
    patch.setattr(LayerCall, "axis", lambda self, value, index: right(self, value, 1))


def arrays_in_the_order_of_layers(patch: pytest.MonkeyPatch) -> None:
    """Of a nested model: neither by name, nor what trains first."""

    def in_order(inside: Any, group: Any, slots: Any) -> Any:
        left = list(group.weights)
        return {
            path: [left.pop(0) for _ in slots.get(path, ())]
            for path, _, _ in inside
            if slots.get(path)
        }

    patch.setattr(match, "_by_names", lambda *_: None)
    patch.setattr(match, "_by_order", in_order)
    patch.setattr(match, "is_called", lambda name, known: False)


def kernels_as_their_shape_says(patch: pytest.MonkeyPatch) -> None:
    """CuDNN's kernels, read as those of LSTM and GRU."""
    patch.setattr(
        cudnn, "Stored", lambda layout, at=None: Stored(Layout(layout.terms[::-1]), at or {})
    )


def pools_cropped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(padding, "UNCROPPED_VERSIONS", ((9,), (9,)))


def lowest_arrays_first(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recurrent, "KERAS1_LSTM_GATES", recurrent.LSTM_GATES)
    patch.setattr(match, "is_called", lambda name, known: False)


TRAPS: tuple[tuple[str, Set], ...] = (
    ("keras2.2.4-theano/separable_th", reversed_as(("SeparableConv", "depthwise_kernel"))),
    (
        "keras1.2.2-theano/convlstm_th",
        reversed_as(without=(("ConvLSTM", "recurrent_kernel"),)),
    ),
    ("keras2.2.4-theano/deconv_tf", reversed_as(without=(("ConvTranspose", "kernel"),))),
    ("keras0.3.3-theano/bn_net_th", variance_as_it_is_called),
    ("keras0.3.3-theano/g_batch_normalization_th", epsilon_under_the_root),
    ("keras2.2.4-theano/rnn_stack_th", slope_of_keras3),
    ("keras2.0.8-theano/rnn_stack_th", reset_after),
    ("keras2.2.4-theano/local2d_net_th", bias_as_its_shape_says),
    ("keras2.2.4-theano/softmax4d_tf", softmax_over_channels),
    ("keras2.2.4-theano/g_nested_frozen_tf", arrays_in_the_order_of_layers),
    ("keras2.2.4-tensorflow/g_cudnn_tf", kernels_as_their_shape_says),
    ("keras2.0.8-theano/g_pools3d_same_tf", pools_cropped),
    ("keras1.2.2-theano/rnn_stack_th", lowest_arrays_first),
)


@pytest.mark.parametrize(
    ("name", "trap"), TRAPS, ids=[f"{trap.__name__}-{name}" for name, trap in TRAPS]
)
def test_a_fact_taken_wrongly_is_noticed(
    name: str,
    trap: Set,
    genuine: Callable[[str], FixtureCase],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert agrees(genuine(name))
    trap(monkeypatch)
    assert not agrees(genuine(name))


def test_the_backend_counts_where_a_file_names_none(
    genuine: Callable[[str], FixtureCase],
) -> None:
    case = genuine("keras1.2.2-theano/vgg_tf")
    assert agrees(case)
    assert not agrees(case, backend="tensorflow")


@pytest.mark.parametrize("name", ["keras2.2.4-theano/resnet_th", "keras2.2.4-theano/resnet_tf"])
def test_an_axis_may_stand_in_a_list(
    name: str, genuine: Callable[[str], FixtureCase], tmp_path: Path
) -> None:
    """As tf.keras writes BatchNormalization's."""
    case = genuine(name)

    def listed(layer: dict[str, Any]) -> None:
        if layer["class_name"] == "BatchNormalization":
            layer["config"]["axis"] = [layer["config"]["axis"]]

    changed = kerasir.load(configured(case.model, tmp_path / "listed.h5", listed))
    assert error(changed, case, POLICIES["channels_last"]) < ALLOWED


def test_null_merges_nothing(genuine: Callable[[str], FixtureCase], tmp_path: Path) -> None:
    """`merge_mode: null` gives two results; a key that is absent joins them."""
    case = genuine("keras2.2.4-theano/g_halves_tf")
    assert agrees(case)

    def unsaid(layer: dict[str, Any]) -> None:
        layer["config"].pop("merge_mode", None)

    with pytest.raises(kerasir.KerasirError):
        kerasir.load(configured(case.model, tmp_path / "unsaid.h5", unsaid))


def test_a_mask_counts_where_another_input_has_none(
    genuine: Callable[[str], FixtureCase], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = genuine("keras2.2.4-theano/g_masks_merged_tf")
    assert agrees(case)
    monkeypatch.setattr(merge, "common_mask", lambda *_: None)
    found = error(load(case), case, POLICIES["as authored"])
    assert found > ALLOWED
    assert np.isfinite(found)
