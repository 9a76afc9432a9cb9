"""What Keras 1 demands of a file before it loads it: seen in genuine Keras 1.2.2.

The files themselves are loaded there by `benchmarks/old_keras.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from crafted import model_file, numbers

import kerasir
from genuine import FixtureCase, fixture_cases
from kerasir.errors import ExportError
from kerasir.ir.plan import Policy
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

CASES = {case.id: case for case in fixture_cases()}
CLOSE = 1e-5


def written(case: FixtureCase, folder: Path, backend: str = "tensorflow") -> Path:
    folder.mkdir(exist_ok=True)
    target = folder / "out.h5"
    silent = case.era.startswith("keras0")
    kerasir.convert(
        case.model,
        target,
        arch=case.arch,
        backend="theano" if silent else None,
        source_data_format=case.ordering,
        to="keras1",
        target_backend=backend,
        data_format="keep",
        io_layout="keep",
    )
    return target


def layers_of(path: Path) -> list[dict[str, Any]]:
    with h5py.File(path) as file:
        found: list[dict[str, Any]] = json.loads(file.attrs["model_config"])["config"]["layers"]
        return found


def right(path: Path, case: FixtureCase, backend: str = "tensorflow") -> bool:
    """Whether the file, read again, computes what the genuine Keras did."""
    model = kerasir.load(path, backend=backend, data_format=case.ordering)
    found = evaluate(solve(model.graph, Policy()), case.inputs())
    return all(
        np.abs(mine - want).max() / np.abs(want).max() < CLOSE
        for mine, want in zip(found, case.outputs(), strict=True)
    )


@pytest.mark.parametrize(
    "name", ["keras0.3.3-theano/g_shared_heads_tf", "keras0.3.3-theano/g_siamese_tf"]
)
def test_a_layer_is_listed_behind_all_that_it_is_called_on(name: str, tmp_path: Path) -> None:
    """Keras 1 makes all its calls when it comes to it: `Container.from_config`."""
    case = CASES[name]
    path = written(case, tmp_path)
    there: set[str] = set()
    for layer in layers_of(path):
        there.add(layer["name"])
        assert {ref[0] for node in layer["inbound_nodes"] for ref in node} <= there
    assert right(path, case)


def test_a_normalization_has_four_arrays_in_every_mode(tmp_path: Path) -> None:
    """Those that mode 1 does not read, too: `BatchNormalization.build`."""
    case = CASES["keras0.3.3-theano/g_batch_normalization_th"]
    path = written(case, tmp_path)
    modes = {
        layer["name"]: layer["config"]["mode"]
        for layer in layers_of(path)
        if layer["class_name"] == "BatchNormalization"
    }
    assert set(modes.values()) == {0, 1}
    with h5py.File(path) as file:
        for name in modes:
            assert len(file["model_weights"][name].attrs["weight_names"]) == 4
    assert right(path, case)


@pytest.mark.parametrize("name", ["keras1.2.2-theano/adv_act_th", "keras0.3.3-theano/advact_tf"])
def test_an_srelu_of_theano_is_composed_for_tensorflow(name: str, tmp_path: Path) -> None:
    """Its multiplications and additions are normalizations there, of four arrays each."""
    assert right(written(CASES[name], tmp_path), CASES[name])


def test_unequal_padding_in_three_dimensions_is_padded_more_and_cropped(tmp_path: Path) -> None:
    """`ZeroPadding3D` of Keras 1 has one number per axis, its `Cropping3D` two."""
    case = CASES["keras1.1.0-theano/g_early_conv3d_th"]
    path = written(case, tmp_path, "theano")
    kinds = [layer["class_name"] for layer in layers_of(path)]
    assert kinds == ["InputLayer", "ZeroPadding3D", "Cropping3D", "Convolution3D"]
    assert right(path, case, "theano")


def test_epsilon_beside_the_deviation_alone_is_told_or_refused(tmp_path: Path) -> None:
    """Keras 1.2.2 adds mode 1's under the root too."""
    case = CASES["keras0.3.3-theano/g_batch_normalization_th"]
    told = kerasir.convert(
        case.model,
        tmp_path / "told.h5",
        arch=case.arch,
        backend="theano",
        source_data_format=case.ordering,
        to="keras1",
    ).report
    assert [event.level for event in told.events if event.code == "KN308"] == ["warning"]
    with pytest.raises(ExportError, match=r"under the root too; 0\.1 is too large"):
        written(CASES["keras1.0.0-theano/g_early_norm_th"], tmp_path)


def test_functions_that_keras1_lacks_are_composed(tmp_path: Path) -> None:
    """SELU of ELU; a ReLU with slope, threshold and largest value of a ThresholdedReLU."""
    said = [
        {"class_name": "Activation", "config": {"name": "a", "activation": "selu"}},
        {
            "class_name": "ReLU",
            "config": {"name": "b", "max_value": 1.5, "negative_slope": 0.1, "threshold": 0.2},
        },
    ]
    shape = {"batch_input_shape": [None, 7]}
    said[0]["config"] |= shape
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": said}}
    source, target = tmp_path / "a.h5", tmp_path / "b.h5"
    with h5py.File(source, "w") as file:
        file.attrs.update({"keras_version": "2.2.4", "backend": "tensorflow"})
        file.attrs["model_config"] = json.dumps(config)
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([b"a", b"b"])
        for name in ("a", "b"):
            group.create_group(name).attrs["weight_names"] = np.array([], "S1")
    kerasir.convert(source, target, to="keras1")
    x = np.random.default_rng(0).normal(size=(5, 7), scale=2).astype(np.float32)
    y = 1.05070098 * np.where(x > 0, x, 1.67326324 * np.expm1(x))
    want = np.where(y < 0.2, 0.1 * (y - 0.2), np.minimum(y, 1.5))
    model = kerasir.load(target)
    np.testing.assert_allclose(evaluate(solve(model.graph, Policy()), [x])[0], want, atol=1e-5)


def test_the_largest_of_masked_inputs_is_composed_of_sums(tmp_path: Path) -> None:
    """`Merge.compute_mask` of Keras 1 knows no mask for a maximum."""
    case = CASES["keras2.2.4-theano/g_masks_merged_tf"]
    path = written(case, tmp_path)
    modes = {layer["config"].get("mode") for layer in layers_of(path)}
    assert modes >= {"sum", "mul"}
    assert "max" not in modes
    assert right(path, case)


def test_last_results_of_both_halves_are_of_two_layers(tmp_path: Path) -> None:
    """`Bidirectional.compute_mask` of Keras 1 gives one mask for them, and Keras wants two."""
    case = CASES["keras2.2.4-theano/g_halves_tf"]
    path = written(case, tmp_path)
    kinds = [layer["class_name"] for layer in layers_of(path)]
    assert sorted(kinds) == ["GRU", "InputLayer", "SimpleRNN", "SimpleRNN"]
    assert right(path, case)


def test_initializers_of_separable_convolutions_are_names(tmp_path: Path) -> None:
    case = CASES["keras2.2.4-theano/separable_tf"]
    path = written(case, tmp_path)
    kinds = [layer for layer in layers_of(path) if layer["class_name"] == "SeparableConvolution2D"]
    assert {layer["config"]["init"] for layer in kinds} == {"glorot_uniform"}
    assert right(path, case)


def test_layers_behind_a_shared_one_are_stored_where_keras1_walks(tmp_path: Path) -> None:
    """The order of genuine Keras 1.2.2 for this very graph, whose `slope` is called twice."""
    path = written(CASES["keras1.2.2-theano/g_masks_past_steps_tf"], tmp_path)
    with h5py.File(path) as file:
        names = [name.decode() for name in file["model_weights"].attrs["layer_names"]]
    parts = [name.removeprefix("srelu_1_") for name in names if name.startswith("srelu_1_")]
    assert parts[:23] == [
        "left_one", "left_minus", "left_minus_2", "left", "right_one", "right_minus", "slope",
        "right_minus_2", "top_one", "right", "top_minus", "right_relu", "top_minus_2", "high_up",
        "top", "high_down_minus_2", "high_minus", "top_relu", "high_slope", "high_down",
        "low_minus_2", "high_minus_2", "low",
    ]  # fmt: skip


def test_a_normalization_behind_a_flatten_is_told_the_extent(tmp_path: Path) -> None:
    """Without it Keras 1.2.2 on TensorFlow and Python 3 cannot make the layer: seen in a run."""
    case = CASES["keras2.2.4-theano/flat_bn_dense_th"]
    kinds: dict[str, list[str]] = {}
    for backend in ("tensorflow", "theano"):
        path = written(case, tmp_path / backend, backend)
        with h5py.File(path) as file:
            config = json.loads(file.attrs["model_config"])["config"]
        layers = config if isinstance(config, list) else config["layers"]
        kinds[backend] = [layer["class_name"] for layer in layers]
        assert right(path, case, backend)
    place = kinds["tensorflow"].index("Flatten")
    assert kinds["tensorflow"][place : place + 3] == ["Flatten", "Reshape", "BatchNormalization"]
    assert "Reshape" not in kinds["theano"]


def functional(layers: list[dict[str, Any]], inputs: list[str], output: list[Any]) -> Any:
    config = {
        "name": "model",
        "layers": layers,
        "input_layers": [[name, 0, 0] for name in inputs],
        "output_layers": [output],
    }
    return {"class_name": "Model", "config": config}


def fed(name: str, *shape: int) -> dict[str, Any]:
    config = {"name": name, "batch_input_shape": [None, *shape], "dtype": "float32"}
    return {"class_name": "InputLayer", "name": name, "config": config, "inbound_nodes": []}


def called(class_name: str, name: str, *calls: list[Any], **config: Any) -> dict[str, Any]:
    own = {"name": name, **config}
    return {"class_name": class_name, "name": name, "config": own, "inbound_nodes": list(calls)}


def test_a_layer_called_on_what_comes_of_its_own_result_is_written_once_more(
    tmp_path: Path,
) -> None:
    """Keras 1.2.2 cannot load such a file, though it can make the model: seen in a run."""
    layers = [
        fed("x", 3),
        called("Dense", "d", [["x", 0, 0, {}]], [["a", 0, 0, {}]], units=3),
        called("Activation", "a", [["d", 0, 0, {}]], activation="tanh"),
    ]
    config = functional(layers, ["x"], ["d", 1, 0])
    weights = {"d": {"d/kernel": numbers(3, 3) / 9, "d/bias": numbers(3)}}
    source = model_file(
        tmp_path / "old.h5", weights, config, keras_version="2.2.4", backend="theano"
    )
    done = kerasir.convert(source, tmp_path / "new.h5", to="keras1")
    assert [e.layer for e in done.report.events if e.code == "KX401"] == ["d"]
    there: set[str] = set()
    for layer in layers_of(tmp_path / "new.h5"):
        there.add(layer["name"])
        assert {ref[0] for node in layer["inbound_nodes"] for ref in node} <= there
    x = numbers(2, 3)
    once = x @ (numbers(3, 3) / 9) + numbers(3)
    want = np.tanh(once) @ (numbers(3, 3) / 9) + numbers(3)
    model = kerasir.load(tmp_path / "new.h5", backend="tensorflow")
    (found,) = evaluate(solve(model.graph, Policy()), [x])
    np.testing.assert_allclose(found, want, rtol=CLOSE)


def test_a_layer_called_on_its_own_result_is_one(tmp_path: Path) -> None:
    """Nothing stands between its calls, which Keras 1 makes in order."""
    twice = called("Dense", "d", [["x", 0, 0, {}]], [["d", 0, 0, {}]], units=3)
    config = functional([fed("x", 3), twice], ["x"], ["d", 1, 0])
    weights = {"d": {"d/kernel": numbers(3, 3) / 9, "d/bias": numbers(3)}}
    source = model_file(
        tmp_path / "old.h5", weights, config, keras_version="2.2.4", backend="theano"
    )
    done = kerasir.convert(source, tmp_path / "new.h5", to="keras1")
    assert "KX401" not in {event.code for event in done.report}
    assert [layer["name"] for layer in layers_of(tmp_path / "new.h5")] == ["x", "d"]


@pytest.mark.parametrize(
    "shapes",
    [
        ((3,), (1,)),
        ((2, 3), (1, 3)),
        ((2, 3), (2, 1)),
        ((2, 3, 4), (1, 1, 4)),
        ((2, 3, 4), (2, 3, 1)),
        ((2, 3, 4, 5), (1, 3, 1, 5)),
        ((2, 3, 1, 5), (1, 3, 4, 1)),
    ],
)
@pytest.mark.parametrize("to", ["keras1", "keras2.0"])
def test_what_is_merged_is_of_one_shape(
    shapes: tuple[tuple[int, ...], tuple[int, ...]], to: str, tmp_path: Path
) -> None:
    """`Merge._arguments_validation`; Theano broadcasts no axis that it does not know to be one."""
    calls = [["x", 0, 0, {}], ["y", 0, 0, {}]]
    layers = [fed("x", *shapes[0]), fed("y", *shapes[1]), called("Multiply", "m", calls)]
    config = functional(layers, ["x", "y"], ["m", 0, 0])
    source = model_file(
        tmp_path / "old.h5", {}, config, keras_version="2.2.4", backend="tensorflow"
    )
    said = {"target_backend": "theano", "data_format": "keep", "io_layout": "keep"}
    kerasir.convert(source, tmp_path / "new.h5", to=to, **said)
    inputs = [numbers(2, *shape) for shape in shapes]
    model = kerasir.load(tmp_path / "new.h5", backend="theano", data_format="channels_last")
    (found,) = evaluate(solve(model.graph, Policy()), inputs)
    np.testing.assert_array_equal(found, inputs[0] * inputs[1])
    for node in model.graph.nodes:
        if node.op.kind == "Multiply":
            assert len({tuple(value.layout.shape) for value in node.inputs if value}) == 1
