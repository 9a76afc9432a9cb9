"""What a caller of the file sees: names, sizes, states, operators of another domain."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import onnx
import pytest
from onnx_models import must_be_valid

import kerasir
from genuine import FixtureCase
from kerasir.errors import ExportError, FormatError, UsageError
from kerasir.exporters.onnx import origin

Genuine = Callable[[str], FixtureCase]
SEVERAL = "keras2.2.4-theano/multi_io_th"
STRIDED = "keras2.2.4-tensorflow/even_same_tf"
LAMBDA = "keras2.2.4-theano/lambda_layer_th"
CUSTOM = "keras2.2.4-theano/custom_layer_th"


def converted(case: FixtureCase, folder: Path, **options: Any) -> onnx.ModelProto:
    path = folder / "model.onnx"
    kerasir.convert(case.model, path, overwrite=True, **options)
    model = onnx.load(path)
    must_be_valid(model, path)
    return model


def names(values: Any) -> list[str]:
    return [value.name for value in values]


def shape(value: onnx.ValueInfoProto) -> list[int | str]:
    dims = value.type.tensor_type.shape.dim
    return [dim.dim_value if dim.HasField("dim_value") else dim.dim_param for dim in dims]


def said(model: onnx.ModelProto) -> dict[str, str]:
    return {entry.key: entry.value for entry in model.metadata_props}


# ---- names -----------------------------------------------------------------------------------


def test_inputs_and_outputs_are_called_as_their_layers(genuine: Genuine, tmp_path: Path) -> None:
    case = genuine(SEVERAL)
    model, layers = converted(case, tmp_path), kerasir.load(case.model)
    assert names(model.graph.input) == [value.name for value in layers.graph.inputs]
    assert names(model.graph.output) == list(layers.graph.output_names)


def test_new_names(genuine: Genuine, tmp_path: Path) -> None:
    case = genuine(SEVERAL)
    before = converted(case, tmp_path).graph
    rename = {before.input[1].name: "right", before.output[0].name: before.output[1].name}
    rename |= {before.output[1].name: "second"}
    model = converted(case, tmp_path, rename=rename, verify=True)
    assert names(model.graph.input) == [before.input[0].name, "right"]
    assert names(model.graph.output)[:2] == [before.output[1].name, "second"]
    assert "input_layout:right" in said(model)


@pytest.mark.parametrize(
    ("rename", "message"),
    [
        ({"nobody": "x"}, "no input or output 'nobody'"),
        ({"first": "x", "second": "x"}, "two would be called 'x'"),
        ({"first": ""}, "an empty name"),
    ],
)
def test_names_that_cannot_be(
    rename: dict[str, str], message: str, genuine: Genuine, tmp_path: Path
) -> None:
    case = genuine(SEVERAL)
    first, second = names(converted(case, tmp_path).graph.input)
    known = {"first": first, "second": second}
    with pytest.raises(UsageError, match=message):
        converted(case, tmp_path, rename={known.get(a, a): b for a, b in rename.items()})


# ---- sizes -----------------------------------------------------------------------------------


def test_an_open_batch_has_the_name_that_it_is_given(genuine: Genuine, tmp_path: Path) -> None:
    case = genuine("keras1.2.2-theano/multi_io_th")
    model = converted(case, tmp_path, batch="samples", verify=True)
    assert {shape(value)[0] for value in [*model.graph.input, *model.graph.output]} == {"samples"}


def test_a_batch_that_is_fixed(genuine: Genuine, tmp_path: Path) -> None:
    case = genuine(SEVERAL)
    assert all(shape(value)[0] == "batch" for value in converted(case, tmp_path).graph.input)
    model = converted(case, tmp_path, batch=3, verify=True)
    everything = [*model.graph.input, *model.graph.output, *model.graph.value_info]
    assert all(isinstance(dim, int) for value in everything for dim in shape(value))


def open_sizes(case: FixtureCase, folder: Path) -> Path:
    """The architecture of a case with its spatial sizes left open."""
    with h5py.File(case.model) as file:
        config = json.loads(file.attrs["model_config"])
    path = folder / "open.json"
    path.write_text(json.dumps(_opened(config)))
    return path


def _opened(config: Any) -> Any:
    if isinstance(config, list):
        return [_opened(item) for item in config]
    if not isinstance(config, dict):
        return config
    stated = "batch_input_shape"
    return {
        key: [None, None, None, value[3]] if key == stated else _opened(value)
        for key, value in config.items()
    }


def test_sizes_that_are_fixed_reach_every_layer(genuine: Genuine, tmp_path: Path) -> None:
    """A strided `same` stays symbolic while sizes are open, and becomes numbers with them."""
    case = genuine("keras1.2.2-tensorflow/global_pools_tf")
    arch = open_sizes(case, tmp_path)
    loose = converted(case, tmp_path, arch=arch)
    name = loose.graph.input[0].name
    fixed = list(case.inputs()[0].shape)
    assert shape(loose.graph.input[0]) == ["batch", "height", "width", fixed[3]]
    model = converted(case, tmp_path, arch=arch, shapes={name: fixed}, verify=True)
    assert shape(model.graph.input[0]) == fixed
    everything = [*model.graph.output, *model.graph.value_info]
    assert all(isinstance(dim, int) for value in everything for dim in shape(value))


@pytest.mark.parametrize(
    ("options", "message", "details"),
    [
        ({"batch": 0}, "a batch of 0 does not fit", ["expected   ?,3,11,9", "found      0,…"]),
        ({"shapes": {"x": [1, 3]}}, "no input 'x'", []),
        (
            {"shapes": {"": [1, 11, 9, 3]}},
            "shape 1,11,9,3 does not fit",
            ["expected   ?,3,11,9", "found      1,11,9,3"],
        ),
        ({"shapes": {"": [1, 3, 11]}}, "shape 1,3,11 does not fit", ["found      1,3,11"]),
        ({"batch": 2, "shapes": {"": [1, 3, 11, 9]}}, "a batch of 2 does not fit", []),
    ],
)
def test_sizes_that_do_not_fit(
    options: dict[str, Any], message: str, details: list[str], genuine: Genuine, tmp_path: Path
) -> None:
    case = genuine("keras2.2.4-theano/vgg_th")
    name = kerasir.load(case.model).graph.inputs[0].name
    shapes = {key or name: value for key, value in options.get("shapes", {}).items()}
    with pytest.raises(UsageError, match=message) as caught:
        converted(case, tmp_path, **{**options, "shapes": shapes})
    assert set(details) <= set(caught.value.details)
    assert not list(tmp_path.iterdir())


def test_two_batches_in_one_model(genuine: Genuine, tmp_path: Path) -> None:
    case = genuine(SEVERAL)
    first, second = kerasir.load(case.model).graph.inputs
    sizes = {
        value.name: [number, *(size for size in value.layout.shape[1:] if size)]
        for number, value in ((2, first), (3, second))
    }
    with pytest.raises(UsageError, match="a batch of 3 in input"):
        converted(case, tmp_path, shapes=sizes)


def test_sizes_of_an_ir_file(genuine: Genuine, tmp_path: Path) -> None:
    case, path = genuine("keras2.2.4-theano/vgg_th"), tmp_path / "model.kerasir"
    kerasir.convert(case.model, path)
    assert shape(onnx_of(path, tmp_path, batch=2).graph.input[0]) == [2, 3, 11, 9]
    name = kerasir.load(path).graph.inputs[0].name
    exact = onnx_of(path, tmp_path, shapes={name: [2, 3, 11, 9]})
    assert shape(exact.graph.output[0])[0] == 2


def onnx_of(path: Path, folder: Path, **options: Any) -> onnx.ModelProto:
    kerasir.convert(path, folder / "model.onnx", overwrite=True, **options)
    return onnx.load(folder / "model.onnx")


def test_sizes_are_for_onnx_and_for_reading(genuine: Genuine, tmp_path: Path) -> None:
    case = genuine("keras2.2.4-theano/vgg_th")
    with pytest.raises(UsageError, match="--batch with --to keras2"):
        kerasir.convert(case.model, tmp_path / "new.h5", batch=1)
    with pytest.raises(UsageError, match="of a model that is loaded"):
        kerasir.save(kerasir.load(case.model), tmp_path / "model.onnx", batch=1)


# ---- layers that are not computed ----------------------------------------------------------


@pytest.mark.parametrize("name", [LAMBDA, CUSTOM])
def test_layers_of_another_domain(name: str, genuine: Genuine, tmp_path: Path) -> None:
    case, path = genuine(name), tmp_path / "model.onnx"
    with pytest.raises(ExportError, match="--opaque-domain"):
        kerasir.convert(case.model, path)
    done = kerasir.convert(case.model, path, opaque_domain="com.example")
    model = onnx.load(path)
    must_be_valid(model, path)
    assert [entry.domain for entry in model.opset_import] == ["", "com.example"]
    node = next(node for node in model.graph.node if node.domain)
    kept = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    layer = next(n.layer for n in done.model.graph.nodes if n.op.kind == "Opaque" and n.layer)
    assert json.loads(kept["config"]) == layer.config
    assert kept["class_name"].decode() == layer.source_class
    weights = kept.get("weight_names", [])
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for given, called in zip(node.input[1:], weights, strict=True):
        assert given in stored
        assert done.model.tensors[f"{layer.name}/{called.decode()}"].numpy().tobytes() == (
            stored[given].tobytes()
        )
    told = {event.code for event in done.report}
    assert ("KS102" in told) == (name == LAMBDA)


def test_domains_of_others(genuine: Genuine, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a domain of ONNX' own"):
        kerasir.convert(genuine(LAMBDA).model, tmp_path / "m.onnx", opaque_domain="ai.onnx.ml")


# ---- where it comes from -------------------------------------------------------------------


def test_the_sources_hash(
    genuine: Genuine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = genuine("keras2.2.4-theano/vgg_th")
    digest = hashlib.sha256(case.model.read_bytes()).hexdigest()
    assert said(converted(case, tmp_path))["source_sha256"] == digest
    monkeypatch.setattr(origin, "HASHED_UP_TO", 10)
    assert "source_sha256" not in said(converted(case, tmp_path))
    assert said(converted(case, tmp_path, source_hash=True))["source_sha256"] == digest


def test_a_source_that_goes_away(tmp_path: Path) -> None:
    digest = origin.FileDigest(str(tmp_path / "nothing"))
    with pytest.raises(FormatError, match="cannot be read again"):
        digest.text()


def test_no_path_of_the_source_is_in_the_file(genuine: Genuine, tmp_path: Path) -> None:
    case = genuine("keras2.2.4-theano/vgg_th")
    data = converted(case, tmp_path).SerializeToString()
    assert str(case.model.parent).encode() not in data
    assert case.model.name.encode() in data


# ---- states --------------------------------------------------------------------------------


def test_states_are_inputs_and_outputs(genuine: Genuine, tmp_path: Path) -> None:
    case = genuine("keras2.2.4-theano/rnn_stateful_th")
    model = converted(case, tmp_path, verify=True)
    assert names(model.graph.input)[1:] == [
        "lstm_8_state_h_in", "lstm_8_state_c_in", "gru_6_state_in",
    ]  # fmt: skip
    assert names(model.graph.output)[1:] == [
        "lstm_8_state_h_out", "lstm_8_state_c_out", "gru_6_state_out",
    ]  # fmt: skip
    pairs = {f"state:{name}": name.replace("_in", "_out") for name in names(model.graph.input)[1:]}
    assert pairs.items() <= said(model).items()


def test_known_answers_need_no_states(genuine: Genuine, tmp_path: Path) -> None:
    case, path = genuine("keras2.2.4-theano/rnn_stateful_th"), tmp_path / "model.onnx"
    done = kerasir.convert(case.model, path, expect=case.folder / "data.npz")
    assert done.verification is not None
    assert done.verification.equal
    assert kerasir.verify(str(case.model), str(path)).equal
    assert kerasir.verify(str(path), expect=str(case.folder / "data.npz")).equal
