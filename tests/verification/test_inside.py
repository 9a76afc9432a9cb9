"""Faults planted in ONNX files: the first layer that differs is named; other sizes are tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

import kerasir
from genuine import FixtureCase
from kerasir import api
from kerasir.engines import onnx_runtime, sessions
from kerasir.errors import FormatError, VerifyError
from kerasir.verification import verify

Genuine = Callable[[str], FixtureCase]
CASES = [
    "keras2.2.4-theano/flat_bn_dense_th",
    "keras2.2.4-theano/nested_model_tf",
    "keras2.2.4-theano/td_dense_conv_th",
    "keras2.2.4-theano/rnn_stack_tf",
    "keras2.2.4-theano/bidir_tf",
    "keras2.2.4-theano/embed_mask_lstm_tf",
    "keras1.2.2-theano/multi_io_th",
]


def planted(path: Path) -> Iterator[str]:
    """The file with one weight after the other spoilt; gives the weight's name."""
    model = onnx.load(path)
    for number, tensor in enumerate(model.graph.initializer):
        if tensor.data_type == onnx.TensorProto.FLOAT and "/" in tensor.name:
            spoilt = onnx.ModelProto()
            spoilt.CopyFrom(model)
            array = onnx.numpy_helper.to_array(tensor) * 1.5 + 0.3
            spoilt.graph.initializer[number].raw_data = array.astype(np.float32).tobytes()
            onnx.save(spoilt, path)
            yield tensor.name


@pytest.mark.parametrize("name", CASES)
def test_the_layer_of_a_spoilt_weight_is_named(name: str, genuine: Genuine, tmp_path: Path) -> None:
    case, path = genuine(name), tmp_path / "model.onnx"
    kerasir.convert(case.model, path, verify=True)
    tried = 0
    for weight in planted(path):
        found = verify(str(case.model), str(path))
        layer = weight.rpartition("/")[0]
        assert found.first_difference == layer.removesuffix("_forward").removesuffix("_backward")
        assert found.layers
        assert found.differences
        assert all(c.agrees(found.tolerance) for c in found.layers[: _place(found, layer)])
        tried += 1
    assert tried > 3


def _place(found: kerasir.verification.Verification, layer: str) -> int:
    names = [compared.name for compared in found.layers]
    return names.index(layer) if layer in names else 0


def test_a_layer_that_is_folded_is_named_with_what_it_is_folded_into(
    genuine: Genuine, tmp_path: Path
) -> None:
    """And values in between, which are scaled otherwise now, are taken for nothing else."""
    case, path = genuine("keras2.2.4-theano/resnet_tf"), tmp_path / "model.onnx"
    kerasir.convert(case.model, path, verify=True)
    named = {
        weight: verify(str(case.model), str(path)).first_difference for weight in planted(path)
    }
    assert named["conv2d_2/kernel"] == "batch_normalization_1"
    [dense] = {weight.partition("/")[0] for weight in named if weight.startswith("dense")}
    assert named[f"{dense}/kernel"] == named[f"{dense}/bias"] == dense


def test_a_conversion_names_it_too(
    genuine: Genuine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the plan that was written, where two axes of one size could be taken for each other."""
    export, spoilt = api.export, list[str]()

    def spoiling(*args: object) -> object:
        told = export(*args)  # type: ignore[arg-type]
        spoilt.append(next(planted(Path(str(args[2])))))
        return told

    monkeypatch.setattr(api, "export", spoiling)
    case = genuine("keras2.2.4-theano/inception_th")
    with pytest.raises(VerifyError) as caught:
        kerasir.convert(case.model, tmp_path / "model.onnx", verify=True)
    assert caught.value.where == spoilt[0].rpartition("/")[0]
    assert not list(tmp_path.iterdir())


def test_many_numbers_are_looked_at_in_parts(
    genuine: Genuine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, path = genuine(CASES[0]), tmp_path / "model.onnx"
    kerasir.convert(case.model, path)
    weights = list(planted(path))
    whole = verify(str(case.model), str(path))
    monkeypatch.setattr(onnx_runtime, "HELD", 1)
    assert verify(str(case.model), str(path)) == whole
    assert weights


def test_a_file_of_others_is_compared_by_its_outputs(genuine: Genuine, tmp_path: Path) -> None:
    case, path = genuine(CASES[0]), tmp_path / "model.onnx"
    kerasir.convert(case.model, path)
    assert list(planted(path))
    model = onnx.load(path)
    for value in model.graph.value_info:
        value.doc_string = "A tensor: of some kind"
    onnx.save(model, path)
    found = verify(str(case.model), str(path))
    assert not found.layers
    assert found.first in found.outputs


# ---- sizes -----------------------------------------------------------------------------------


def test_a_batch_that_is_built_in(genuine: Genuine, tmp_path: Path) -> None:
    """Right for the batch that is fed, wrong for any other."""
    case, path = genuine("keras2.2.4-theano/td_dense_conv_th"), tmp_path / "model.onnx"
    kerasir.convert(case.model, path)
    assert verify(str(case.model), str(path)).sizes
    model = onnx.load(path)
    last = model.graph.node[-1]
    last.output[0], given = "before", last.output[0]
    four = onnx.numpy_helper.from_array(np.zeros((4, 1), np.float32), "four")
    model.graph.initializer.append(four)
    model.graph.node.append(onnx.helper.make_node("Add", ["before", "four"], [given], "added"))
    onnx.save(model, path)
    found = verify(str(case.model), str(path))
    assert not found.equal
    assert found.first is not None
    assert found.first.part == "other size"
    assert "cannot run it" in found.first.problem


def test_a_file_that_onnx_finds_wrong(genuine: Genuine, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    kerasir.convert(genuine(CASES[0]).model, path)
    sessions.check_file(str(path))
    model = onnx.load(path)
    model.graph.value_info[0].type.tensor_type.shape.dim[1].dim_value += 1
    onnx.save(model, path)
    with pytest.raises(FormatError, match=r"onnx\.checker"):
        sessions.check_file(str(path))
