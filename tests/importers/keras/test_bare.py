"""Weights without an architecture, compared with what an architecture makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import msgspec
import numpy as np
import pytest
from crafted import numbers, values, weights_file
from hypothesis import given, strategies as st
from published import archive_of

import kerasir
from genuine import FixtureCase
from kerasir.errors import ConfigError, ExportError, KerasirError, UsageError, WeightError
from kerasir.importers.keras.archive import read_archive
from kerasir.importers.keras.archive.record import StoredWeight, WeightGroup
from kerasir.importers.keras.bare import read_bare
from kerasir.ir.check import check
from kerasir.ir.model import Model
from kerasir.ir.source import Array, ConstantSource
from kerasir.passes.solve import solve

Genuine = Callable[[str], FixtureCase]

VGG = "keras1.2.2-theano/vgg_th"

UNTOLD = {"PReLU", "ParametricSoftplus", "MaxoutDense", "Conv1D", "GRU", "ScaleShift"}
"""Classes left as they are stored: in some eras or forms their arrays do not tell them."""


def has_weights(case: FixtureCase) -> bool:
    """Not of the first Keras 1, whose arrays do not tell a normalization's mode and version."""
    return (case.folder / "weights.h5").exists() and not case.era.startswith("keras1.0")


def bare(case: FixtureCase, **options: Any) -> Model:
    archive = read_archive(case.folder / "weights.h5", isolated=False)
    said = {"backend": case.backend} if case.era.startswith("keras0") else {}
    return read_bare(archive, **{"data_format": case.ordering, **said, **options})


def of_architecture(case: FixtureCase) -> Model:
    return kerasir.load(
        case.folder / "weights.h5",
        arch=case.folder / "arch.json",
        backend=case.backend,
        data_format=case.ordering,
    )


@pytest.mark.fixture_cases(where=has_weights)
def test_what_is_recognized_is_what_the_architecture_says(fixture_case: FixtureCase) -> None:
    """Found by the stored arrays: the same numbers in the same canonical layout."""
    found = {_places(tensor): tensor for tensor in bare(fixture_case).tensors.values()}
    right = {_places(tensor): tensor for tensor in of_architecture(fixture_case).tensors.values()}
    known = [places for places, tensor in found.items() if tensor.node.op.kind != "Bare"]
    for places in known:
        assert places in right, places
        told, expected = found[places], right[places]
        same = (told.node.op.kind, told.port) == (expected.node.op.kind, expected.port)
        assert same or expected.node.op.kind in LIKE[told.node.op.kind]
        np.testing.assert_array_equal(_plain(told.numpy()), _plain(expected.numpy()))
    left = [tensor for places, tensor in right.items() if places not in known]
    together = _shared_groups(fixture_case)
    untold = {
        layer.class_name
        for tensor in left
        if (layer := tensor.node.layer) and not _places(tensor) & together
    }
    assert untold <= UNTOLD


def _places(tensor: kerasir.Tensor) -> frozenset[str]:
    return frozenset(source.where for source in tensor.param.weight.sources)


def _shared_groups(case: FixtureCase) -> set[str]:
    """Places in groups of Keras 0.3 that hold several layers, whose names nobody wrote down."""
    if not case.era.startswith("keras0"):
        return set()
    archive = read_archive(case.folder / "weights.h5", isolated=False)
    groups = [group for group in archive.groups if len(group.weights) > 2]
    return {weight.source.where for group in groups for weight in group.weights}


def _plain(array: Array) -> Array:
    """Without axes of one: a convolution over time has one more in Keras 0.3."""
    return array.squeeze()


LIKE: Mapping[str, set[str]] = {"Dense": {"Embedding"}}
"""Ops whose arrays look alike and lie alike: names alone tell them apart."""


# ---- files -------------------------------------------------------------------------------------


def stored_in(path: Path) -> dict[str, list[Array]]:
    """The arrays of each layer, in the order in which Keras loads them."""
    with h5py.File(path) as file:
        assert file.attrs["backend"] in {b"tensorflow", "tensorflow", b"theano", "theano"}
        return {
            layer.decode(): [file[layer][name][()] for name in file[layer].attrs["weight_names"]]
            for layer in file.attrs["layer_names"]
        }


FLATTENED = {"dense_1": (6, 3, 4)}
"""Of the genuine VGG: what enters its Flatten."""


@pytest.mark.parametrize("target", ["tensorflow", "theano"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("ordering", ["th", "tf"])
def test_weights_to_weights(
    genuine: Genuine, tmp_path: Path, ordering: str, data_format: str, target: str
) -> None:
    """With the feature map said, just what an architecture makes of the same file."""
    case = genuine(f"keras1.2.2-theano/vgg_{ordering}")
    weights, options = case.folder / "weights.h5", {"backend": case.backend}
    options |= {"data_format": data_format, "target_backend": target}
    done = kerasir.convert(weights, tmp_path / "bare.h5", flattened=FLATTENED, **options)
    arch = case.folder / "arch.json"
    kerasir.convert(weights, tmp_path / "whole.h5", arch=arch, weights_only=True, **options)
    found, right = stored_in(tmp_path / "bare.h5"), stored_in(tmp_path / "whole.h5")
    for layer, arrays in right.items():
        assert len(found[layer]) == len(arrays)
        for one, other in zip(found[layer], arrays, strict=True):
            np.testing.assert_array_equal(one, other)
    assert sum(map(len, found.values())) == sum(map(len, right.values())) == 10
    assert done.report.of("lost") == []
    check(done.plan)


def test_recurrent_network_of_keras1_for_keras2(genuine: Genuine, tmp_path: Path) -> None:
    """Twelve arrays become three; names say what they are."""
    case = genuine("keras1.2.2-theano/rnn_stack_th")
    kerasir.convert(case.folder / "weights.h5", tmp_path / "new.h5", backend="theano")
    with h5py.File(tmp_path / "new.h5") as file:
        assert [name.decode() for name in file["lstm_2"].attrs["weight_names"]] == [
            "lstm_2/kernel:0", "lstm_2/recurrent_kernel:0", "lstm_2/bias:0"
        ]  # fmt: skip
    again = kerasir.load(
        tmp_path / "new.h5", arch=case.folder / "arch.json", data_format="channels_first"
    )
    right = of_architecture(case)
    for name, tensor in right.tensors.items():
        np.testing.assert_array_equal(again.tensors[name].numpy(), tensor.numpy(), err_msg=name)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_weights_to_arrays(genuine: Genuine, tmp_path: Path, suffix: str) -> None:
    done = kerasir.convert(genuine(VGG).folder / "weights.h5", tmp_path / f"w{suffix}")
    assert done.model.kind == "weights"
    assert done.model.tensors["conv1_1/kernel"].shape == (3, 3, 3, 4)
    assert (tmp_path / f"w{suffix}").stat().st_size == done.bytes


def test_report_says_what_was_assumed_and_not_done(genuine: Genuine, tmp_path: Path) -> None:
    done = kerasir.convert(genuine(VGG).folder / "weights.h5", tmp_path / "new.h5")
    events = [(event.code, event.kind, event.level, event.message) for event in done.report]
    assert events[:4] == [
        (
            "KE205",
            "assumed",
            "note",
            "channels_first: the extents of 3 kernels and biases fit so only",
        ),
        ("KB101", "assumed", "warning", 'backend Theano: weight names lack ":0"'),
        (
            "KE206",
            "assumed",
            "note",
            "no architecture: by rank, extent and name there are 3 Conv, 2 Dense",
        ),
        (
            "KE207",
            "note",
            "warning",
            "rows of Dense layers are left in their order: dense_1, dense_2",
        ),
    ]
    assert {code for code, *_ in events[4:]} == {"KL101"}


def test_what_nothing_tells_is_kept_as_it_is(tmp_path: Path) -> None:
    layers = {
        "odd": {"odd/a:0": numbers(2, 3), "odd/b:0": numbers(3, 2, start=9), "odd/c:0": numbers(4)},
        "prelu_1": {"prelu_1/alpha:0": numbers(2, 3, 4)},
        "conv": {"conv/kernel:0": numbers(3, 2, 4, 5), "conv/bias:0": numbers(5)},
    }
    weights = weights_file(tmp_path / "w.h5", layers)
    done = kerasir.convert(weights, tmp_path / "new.h5", target_backend="theano")
    (event,) = (event for event in done.report if event.code == "KE208")
    assert event.message == (
        "left as they are stored, for nothing tells what they are: odd, prelu_1"
    )
    found = stored_in(tmp_path / "new.h5")
    for layer in ("odd", "prelu_1"):
        for array, right in zip(found[layer], layers[layer].values(), strict=True):
            np.testing.assert_array_equal(array, right)
    kernel = layers["conv"]["conv/kernel:0"]
    np.testing.assert_array_equal(found["conv"][0], kernel[::-1, ::-1])


def test_layers_of_a_nested_model_keep_their_order(tmp_path: Path) -> None:
    """Keras lists what trains first: the order has to stay, whatever each array is."""
    inner = {
        "a/kernel:0": numbers(3, 2, 4, 5),
        "a/bias:0": numbers(5),
        "n/gamma:0": numbers(5, start=1),
        "n/beta:0": numbers(5, start=2),
        "d/kernel:0": numbers(5, 6),
        "d/bias:0": numbers(6),
        "n/moving_mean:0": numbers(5, start=3),
        "n/moving_variance:0": numbers(5, start=4),
    }
    weights = weights_file(tmp_path / "w.h5", {"inner": inner})
    done = kerasir.convert(weights, tmp_path / "new.h5", target_backend="theano")
    assert [node.op.kind for node in done.model.graph.nodes] == ["Conv", "BatchNorm", "Dense"]
    found = stored_in(tmp_path / "new.h5")["inner"]
    for at, (array, right) in enumerate(zip(found, inner.values(), strict=True)):
        np.testing.assert_array_equal(array, right[::-1, ::-1] if at == 0 else right)


def test_layers_of_one_name_keep_apart() -> None:
    """Recent Keras 3 notes names, which are unique in their model only; paths are in the file."""
    arrays = [StoredWeight("0", f"/{at}/0", ConstantSource(1.0, (2, 3 + at))) for at in range(3)]
    groups = [
        WeightGroup(f"layers/{path}", (array,), name)
        for path, name, array in zip("abc", ("d", "d", "e"), arrays, strict=True)
    ]
    model = read_bare(msgspec.structs.replace(archive_of(groups), keras_version="3.4.1"))
    assert [layer.name for layer in model.layers] == ["layers/a", "layers/b", "e"]
    assert list(model.tensors) == ["layers/a/kernel", "layers/b/kernel", "e/kernel"]


# ---- what stops --------------------------------------------------------------------------------


def square(path: Path, **names: tuple[int, ...]) -> Path:
    """Keras 1 weights of one convolution that either ordering fits."""
    arrays = names or {"conv_W": (4, 3, 3, 4), "conv_b": (4,)}
    return weights_file(path, {"conv": {name: numbers(*s) for name, s in arrays.items()}})


def test_ordering_that_nothing_tells(tmp_path: Path) -> None:
    weights = square(tmp_path / "w.h5")
    with pytest.raises(ConfigError, match="cannot tell channels_first from channels_last"):
        kerasir.convert(weights, tmp_path / "new.h5")
    found = {}
    for said in ("channels_first", "channels_last"):
        path = tmp_path / f"{said}.h5"
        kerasir.convert(weights, path, source_data_format=said, backend="tensorflow")
        found[said] = stored_in(path)["conv"][0].shape
    assert found == {"channels_first": (3, 4, 3, 4), "channels_last": (4, 3, 3, 4)}


def test_backend_that_nothing_tells(tmp_path: Path) -> None:
    weights = square(tmp_path / "w.h5", param_0=(4, 3, 2, 2), param_1=(4,))
    with pytest.raises(ConfigError, match="cannot tell Theano from TensorFlow, and 1 kernels"):
        kerasir.convert(weights, tmp_path / "new.h5")


def test_flattened_that_does_not_fit(genuine: Genuine, tmp_path: Path) -> None:
    weights = genuine(VGG).folder / "weights.h5"
    with pytest.raises(WeightError, match=r"dense_1: stored shape \(72, 8\) has no 70 rows"):
        kerasir.convert(weights, tmp_path / "new.h5", flattened={"dense_1": (2, 5, 7)})
    with pytest.raises(UsageError, match=r"no layer 'fc1' \(Dense layers are dense_1, dense_2"):
        kerasir.convert(weights, tmp_path / "new.h5", flattened={"fc1": (2, 5, 7)})
    arch = genuine(VGG).folder / "arch.json"
    with pytest.raises(UsageError, match="--flattened: it is for weights without"):
        kerasir.convert(weights, tmp_path / "new.h5", arch=arch, flattened=FLATTENED)


@pytest.mark.parametrize("name", ["new.onnx", "new.kerasir"])
def test_targets_that_need_an_architecture(genuine: Genuine, tmp_path: Path, name: str) -> None:
    weights = genuine(VGG).folder / "weights.h5"
    with pytest.raises(ConfigError, match="weights only, and this needs an architecture"):
        kerasir.convert(weights, tmp_path / name)
    model = bare(genuine(VGG))
    with pytest.raises(ExportError, match=r"weights only, and .* needs an architecture"):
        kerasir.save(model, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    ["keras1.2.2-theano/vgg_th", "keras1.2.2-theano/rnn_stack_th", "keras2.2.4-theano/rnn_stack_th",
     "keras2.2.4-theano/vgg_tf", "keras2.0.8-theano/nested_seq_th"],
)  # fmt: skip
def test_weights_for_keras1(name: str, genuine: Genuine, tmp_path: Path) -> None:
    """The arrays that an architecture gives: an LSTM's gates apart, kernels in either order."""
    case = genuine(name)
    said = {"backend": "theano", "source_data_format": case.ordering, "to": "keras1"}
    said |= {"data_format": "keep", "target_backend": "theano", "io_layout": "keep"}
    weights = case.folder / "weights.h5"
    kerasir.convert(weights, tmp_path / "bare.h5", **said)
    said |= {"arch": case.folder / "arch.json", "weights_only": True}
    kerasir.convert(weights, tmp_path / "whole.h5", **said)
    found, right = (_listed(tmp_path / f"{file}.h5") for file in ("bare", "whole"))
    assert [name.rpartition("_")[2] for name, _ in found] == [
        name.rpartition("_")[2] for name, _ in right
    ]
    for (_, one), (_, other) in zip(found, right, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_keras1_has_no_place_for_is_refused(genuine: Genuine, tmp_path: Path) -> None:
    layers = {"conv": {"conv/depthwise_kernel:0": numbers(3, 3, 2, 1)}}
    weights = weights_file(tmp_path / "w.h5", layers)
    with pytest.raises(ExportError, match="keras1 has no place for the kernel of a DepthwiseConv"):
        kerasir.convert(weights, tmp_path / "old.h5", to="keras1", data_format="channels_last")


def _listed(path: Path) -> list[tuple[str, Array]]:
    """The arrays in the order in which Keras 1 loads them."""
    with h5py.File(path) as file:
        return [
            (name.decode(), file[layer][name][()])
            for layer in file.attrs["layer_names"]
            for name in file[layer].attrs["weight_names"]
        ]


def test_nothing_can_be_verified(genuine: Genuine, tmp_path: Path) -> None:
    with pytest.raises(KerasirError, match="weights only, and nothing can be verified"):
        kerasir.convert(genuine(VGG).folder / "weights.h5", tmp_path / "new.h5", verify=True)


NAMES = (
    "kernel:0", "bias:0", "x/kernel:0", "x/depthwise_kernel:0", "x/pointwise_kernel:0", "l_W",
    "l_b", "l_U", "l_W_i", "gamma", "x/beta:0", "moving_mean:0", "running_std", "alpha",
    "embeddings:0", "param_0", "", "/", "a//b", "recurrent_kernel",
)  # fmt: skip
LAYERS = (
    "dense_1", "convolution1d_1", "depthwise_conv2d", "conv2d_transpose", "embedding_1", "prelu_1",
    "layers/separable_conv2d", "locally_connected1d_1", "",
)  # fmt: skip
WEIGHTS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.lists(st.integers(0, 4), max_size=6)),
    max_size=13,
    unique_by=lambda weight: weight[0],  # a list of names with one twice is refused
)


@given(
    st.lists(st.tuples(st.sampled_from(LAYERS), WEIGHTS), max_size=3),
    st.sampled_from(["channels_first", "channels_last"]),
    st.sampled_from(["theano", "tensorflow"]),
    st.sampled_from([None, "1.2.2", "2.2.4", "3.1.0"]),
)
def test_whatever_a_file_holds_is_kept(
    layers: list[tuple[str, list[tuple[str, list[int]]]]],
    ordering: str,
    backend: str,
    version: str | None,
) -> None:
    """Each array is in the model once, with as many numbers as it has; no guess goes wrong."""
    groups = []
    for number, (layer, weights) in enumerate(layers):
        held = [
            StoredWeight(name, f"/{number}/{at}", ConstantSource(1.0, tuple(shape)))
            for at, (name, shape) in enumerate(weights)
        ]
        groups.append(WeightGroup(f"{layer}_{number}", tuple(held)))
    archive = msgspec.structs.replace(archive_of(groups), keras_version=version)
    model = read_bare(archive, backend=backend, data_format=ordering)
    params = [param for node in model.graph.nodes for param in node.params.values()]
    sources = [source for param in params for source in param.weight.sources]
    stored = [weight.source for group in groups for weight in group.weights]
    assert len(sources) == len(stored)
    assert {id(source) for source in sources} == {id(source) for source in stored}
    for node in model.graph.nodes:
        for port, param in node.params.items():
            assert param.numpy(node.param_layout(port)).size == param.weight.count


def test_a_plan_of_bare_weights_is_checked(genuine: Genuine) -> None:
    model = bare(genuine(VGG))
    check(solve(model.graph, model.policy))
    assert values(model.tensors["conv1_1/bias"].param.weight.sources[0]).shape == (4,)


@pytest.mark.parametrize("name", ["w.npz", "new.h5"])
def test_weights_that_tell_no_order_of_layers(genuine: Genuine, tmp_path: Path, name: str) -> None:
    """Keras loads weights layer after layer; those of Keras 3 lie by name."""
    weights = genuine("keras3.15.1-jax/vgg_tf").folder / "model.weights.h5"
    if name.endswith(".npz"):
        kerasir.convert(weights, tmp_path / name)
        return
    with pytest.raises(ConfigError, match="do not tell in which order their layers come"):
        kerasir.convert(weights, tmp_path / name)
    assert not any(tmp_path.iterdir())
