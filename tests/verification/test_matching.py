"""Which axis stands for which, between two graphs that share no identity."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crafted import model_file, numbers

import kerasir
from genuine import FixtureCase
from kerasir.ir.layout import Axis, Fused, Layout, size_of
from kerasir.verification import verify
from kerasir.verification.matching import Matching, guessed

Genuine = Callable[[str], FixtureCase]


def test_axes_of_one_role_and_size_correspond() -> None:
    a, b = Layout.parse("N:? C:2 H:3 W:4"), Layout.parse("N:? H:3 W:4 C:2")
    array = np.arange(5 * 24).reshape(5, 2, 3, 4)
    sent = Matching().sent(array, a, b)
    assert sent is not None
    assert np.array_equal(sent, np.moveaxis(array, 1, 3))
    back = Matching().brought(sent, b, a)
    assert back is not None
    assert np.array_equal(back, array)


def test_inside_a_fusion_too() -> None:
    a, b = Layout.parse("N:? (C:2 H:3 W:4)"), Layout.parse("N:? (H:3 W:4 C:2)")
    array = np.arange(48).reshape(2, 2, 3, 4)
    sent = Matching().sent(array.reshape(2, 24), a, b)
    assert sent is not None
    assert np.array_equal(sent, np.moveaxis(array, 1, 3).reshape(2, 24))


def test_what_was_learned_goes_before_roles() -> None:
    n, m = Axis("N", None), Axis("N", None)
    p, q = Axis("H", 3), Axis("W", 3)
    r, s = Axis("H", 3), Axis("W", 3)
    matching = Matching()
    matching.learn((p, q), (s, r))
    array = np.arange(9).reshape(1, 3, 3)
    sent = matching.sent(array, Layout.of(n, p, q), Layout.of(m, r, s))
    assert sent is not None
    assert np.array_equal(sent[0], array[0].T)


def test_what_is_fused_in_one_is_one_axis_of_the_other() -> None:
    grouped, whole = Layout.parse("N:? (C:2 M:3) H:4 W:6"), Layout.parse("N:? H:4 W:6 C:6")
    array = np.arange(144).reshape(1, 6, 4, 6)
    sent = Matching().sent(array, grouped, whole)
    assert sent is not None
    assert np.array_equal(sent, np.moveaxis(array, 1, 3))
    back = Matching().brought(array, grouped, whole)
    assert back is not None
    assert np.array_equal(back, np.moveaxis(array, 1, 3))


def test_so_is_what_is_flattened_with_more() -> None:
    grouped, whole = Layout.parse("N:? (H:4 W:5 C:2 M:3)"), Layout.parse("N:? (C:6 H:4 W:5)")
    array = np.arange(120).reshape(1, 4, 5, 6)
    moved = np.moveaxis(array, 3, 1).reshape(1, 120)
    sent = Matching().sent(array.reshape(1, 120), grouped, whole)
    assert sent is not None
    assert np.array_equal(sent, moved)
    back = Matching().sent(moved, whole, grouped)
    assert back is not None
    assert np.array_equal(back, array.reshape(1, 120))


@pytest.mark.parametrize(
    ("split", "whole"),
    [
        ("N:? H:8 (X:5 W:2) C:3", "N:? C:3 H:8 W:10"),
        ("N:? X:8 (X'2:5 X'3:2) X'4:3", "N:? H:8 W:10 C:3"),
        ("N:? (X:4 H:2) (X'2:5 W:2) C:3", "N:? H:8 W:10 C:3"),
        ("N:? (X:4 H:2 X'2:5 W:2 C:3)", "N:? (C:3 H:8 W:10)"),
        ("N:? (H:4 H'2:2) W:10 C:3", "N:? C:3 H:8 W:10"),
    ],
)
def test_an_axis_is_what_it_is_split_into(split: str, whole: str) -> None:
    a, b = Layout.parse(split), Layout.parse(whole)
    array = np.arange(240).reshape(1, *(size_of(term) or 0 for term in a.terms[1:]))
    sent = Matching().sent(array, a, b)
    assert sent is not None
    image = np.arange(240).reshape(1, 8, 10, 3)
    want = np.moveaxis(image, 3, 1) if "C:3 H" in whole else image
    assert np.array_equal(sent, want.reshape(sent.shape))
    back = Matching().sent(sent, b, a)
    assert back is not None
    assert np.array_equal(back, array)


def test_roles_that_contradict_sizes_say_less_than_places() -> None:
    """The image of a file that is otherwise of the other data format."""
    a, b = Layout.parse("N:? H:8 W:8 C:4"), Layout.parse("N:? C:8 H:8 W:4")
    array = np.arange(256).reshape(1, 8, 8, 4)
    sent = Matching().sent(array, a, b)
    assert sent is not None
    assert np.array_equal(sent, array)


def test_what_was_learned_of_a_split_goes_before_roles() -> None:
    """A file may call the axes of an image otherwise, and it is known which is which."""
    a, b = Layout.parse("N:? H:8 (X:4 W:2) C:4"), Layout.parse("N:? C:8 H:8 W:4")
    for given, wanted in ((a, b), (b, a)):
        matching = Matching()
        matching.learn(wanted.terms, given.terms)
        array = np.arange(256).reshape(1, 8, 8, 4)
        brought = matching.brought(array, given, wanted)
        assert brought is not None
        assert np.array_equal(brought, array)


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_a_depthwise_convolution_is_compared_with_one_of_all_channels(
    data_format: str, genuine: Genuine, tmp_path: Path
) -> None:
    path, target = genuine("keras2.2.4-theano/depthwise_tf").model, tmp_path / "model.h5"
    kerasir.convert(path, target, to="keras1", data_format=data_format)
    assert verify(str(path), str(target)).equal
    assert verify(str(target), str(path)).equal


def test_axes_of_size_one_come_and_go() -> None:
    a, b = Layout.parse("N:? F:6"), Layout.parse("N:? H:1 W:1 C:6")
    sent = Matching().sent(np.arange(6.0).reshape(1, 6), a, b)
    assert sent is not None
    assert sent.shape == (1, 1, 1, 6)


@pytest.mark.parametrize("other", ["N:? C:2 H:3 W:5", "N:? C:2 H:3", "N:? F:24", "N:? (C:2 H:12)"])
def test_what_does_not_correspond_is_not_forced(other: str) -> None:
    assert Matching().translated(Layout.parse(other), Layout.parse("N:? C:2 H:3 W:4")) is None


def test_a_fusion_and_an_axis_of_its_size_do_not_correspond() -> None:
    c, h = Axis("C", 2), Axis("H", 3)
    fused, plain = Layout.of(Fused((c, h))), Layout.of(Axis("F", 6))
    assert Matching().translated(plain, fused) is None


@pytest.mark.parametrize(
    ("shape", "order"),
    [
        ((None, 2, 3, 4), "N C H W"),
        ((None, 3, 4, 2), "N H W C"),
        ((7, 4, 2, 3), "N W C H"),
        ((None, 2, 4, 3), None),
        ((None, 2, 3), None),
    ],
)
def test_undescribed_dimensions_are_guessed_by_size(shape, order: str | None) -> None:
    found = guessed(Layout.parse("N:? C:2 H:3 W:4"), shape)
    names = None if found is None else " ".join(axis.role for axis in found.axes)
    assert names == order


def test_calls_of_a_model_are_matched_by_what_they_read(tmp_path: Path) -> None:
    """The file converted lists the call of x first: a layer before the other is called twice."""

    def dense(name: str) -> dict[str, Any]:
        return {"class_name": "Dense", "name": name, "config": {"name": name, "units": 3}}

    def model(name: str, layers: list[Any], outputs: list[Any], fed: str) -> dict[str, Any]:
        given = {"name": fed, "batch_input_shape": [None, 3], "dtype": "float32"}
        first = {"class_name": "InputLayer", "name": fed, "config": given, "inbound_nodes": []}
        config = {"name": name, "layers": [first, *layers]}
        ends = {"input_layers": [[fed, 0, 0]], "output_layers": outputs}
        return {"class_name": "Model", "name": name, "config": {**config, **ends}}

    deep = {**dense("deep"), "inbound_nodes": [[["z", 0, 0, {}]]]}
    inner = model("inner", [deep], [["deep", 0, 0]], "z")
    twice = {**dense("twice"), "inbound_nodes": [[["x", 0, 0, {}]], [["between", 0, 0, {}]]]}
    between = {**dense("between"), "inbound_nodes": [[["twice", 0, 0, {}]]]}
    inner["inbound_nodes"] = [[["twice", 1, 0, {}]], [["x", 0, 0, {}]]]
    config = model("outer", [twice, between, inner], [["inner", 1, 0], ["inner", 2, 0]], "x")
    layers = {
        name: {f"{own}/kernel": numbers(3, 3, start=start) / 9, f"{own}/bias": numbers(3)}
        for name, own, start in (
            ("twice", "twice", -5),
            ("between", "between", -2),
            ("inner", "deep", -3),
        )
    }
    source = model_file(tmp_path / "source.h5", layers, config, keras_version="2.2.4")
    kerasir.convert(source, tmp_path / "target.h5", backend="tensorflow", verify=True)
    found = verify(str(source), str(tmp_path / "target.h5"))
    assert found.equal
    assert [layer.name for layer in found.layers][-2:] == ["inner/deep", "inner/deep (call 2)"]


def test_an_activation_behind_a_wrapped_layer_is_part_of_it(tmp_path: Path) -> None:
    """Keras 3 has another hard_sigmoid, so that it is a layer of its own there."""
    dense = {"name": "inside", "units": 2, "activation": "hard_sigmoid"}
    wrapped = {"name": "each", "layer": {"class_name": "Dense", "config": dense}}
    shape = {"batch_input_shape": [None, 4, 3]}
    config = {
        "class_name": "Sequential",
        "config": {"layers": [{"class_name": "TimeDistributed", "config": {**wrapped, **shape}}]},
    }
    arrays = {"each/kernel:0": numbers(3, 2, start=-3) / 3, "each/bias:0": numbers(2)}
    source = model_file(tmp_path / "source.h5", {"each": arrays}, config, keras_version="2.2.4")
    done = kerasir.convert(source, tmp_path / "target.keras", backend="tensorflow", verify=True)
    assert done.verification is not None
    assert [layer.name for layer in done.verification.layers] == ["inside"]
