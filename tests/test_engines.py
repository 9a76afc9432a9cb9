"""Engines: the reference in two precisions, ONNX Runtime."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import kerasir
from genuine import FixtureCase
from kerasir.engines import OnnxRuntime, Reference, open_engine
from kerasir.errors import FormatError, KerasirError, UsageError

Genuine = Callable[[str], FixtureCase]


def softmax_model(path: Path, **metadata: str) -> Path:
    """X (N, 3) -> Relu -> Softmax -> p."""
    nodes = [
        helper.make_node("Relu", ["x"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["p"], axis=1),
    ]
    x, p = (helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 3]) for n in "xp")
    graph = helper.make_graph(nodes, "g", [x], [p])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


def test_the_reference_runs_in_the_precision_asked_for(genuine: Genuine) -> None:
    case = genuine("keras1.2.2-theano/vgg_th")
    model = kerasir.load(case.model)
    for precision in ("float32", "float64"):
        engine = Reference(model, precision)  # type: ignore[arg-type]
        assert engine.title == f"reference, {precision}"
        ran = engine.run(case.inputs())
        assert ran.outputs[0].dtype == precision
        np.testing.assert_allclose(ran.outputs[0], case.outputs()[0], atol=1e-6)
        assert list(ran.logits) == [0]
        scores = np.exp(ran.logits[0])
        np.testing.assert_allclose(scores / scores.sum(1, keepdims=True), ran.outputs[0], rtol=1e-5)


def test_ports_say_what_is_fed(genuine: Genuine) -> None:
    engine = Reference(kerasir.load(genuine("keras1.2.2-theano/embed_mask_lstm_th").model))
    (port,) = engine.inputs
    assert (port.shape, port.below) == ((None, 5), 10)
    assert [out.name for out in engine.outputs] == [engine.model.graph.output_names[0]]
    assert [node.op.kind for node in engine.model.graph.nodes].count("Embedding") == 1


def test_onnx_runtime_gives_what_went_into_the_last_softmax(tmp_path: Path) -> None:
    engine = OnnxRuntime(str(softmax_model(tmp_path / "m.onnx")))
    assert engine.title.startswith("ONNX Runtime ")
    assert [(p.name, p.shape, p.dtype, p.layout) for p in engine.inputs] == [
        ("x", (None, 3), "float32", None)
    ]
    assert [port.name for port in engine.outputs] == ["p"]
    x = np.array([[1.0, -2.0, 3.0]])
    ran = engine.run([x])
    assert len(ran.outputs) == 1
    np.testing.assert_allclose(ran.logits[0], np.maximum(x, 0))


@pytest.mark.parametrize(
    ("text", "known"),
    [("N:? F:3", "N:? F:3"), ("N:? F:4", None), ("N:? C:3 H:1", None), ("((((", None), ("", None)],
)
def test_a_stated_layout_is_believed_only_if_it_fits(
    tmp_path: Path, text: str, known: str | None
) -> None:
    path = softmax_model(tmp_path / "m.onnx", **{"input_layout:x": text})
    (port,) = OnnxRuntime(str(path)).inputs
    assert (None if port.layout is None else str(port.layout)) == known
    assert port.text == (known or "(?, 3)")


def test_what_is_no_onnx_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    with pytest.raises(FormatError, match="there is no such file"):
        OnnxRuntime(str(path))
    path.write_bytes(b"\x08\x08garbage")
    with pytest.raises(FormatError) as caught:
        OnnxRuntime(str(path))
    assert caught.value.file == str(path)
    assert "\n" not in caught.value.what


def test_inputs_that_do_not_fit_are_an_error(tmp_path: Path) -> None:
    engine = OnnxRuntime(str(softmax_model(tmp_path / "m.onnx")))
    with pytest.raises(FormatError, match="cannot run it"):
        engine.run([np.zeros((2, 4))])


def test_without_onnx_runtime_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = softmax_model(tmp_path / "m.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(KerasirError) as caught:
        OnnxRuntime(str(path))
    assert caught.value.hint == "pip install 'kerasir[verify]'"


def test_the_engine_follows_from_the_file(genuine: Genuine, tmp_path: Path) -> None:
    path = str(softmax_model(tmp_path / "m.onnx"))
    assert isinstance(open_engine(path), OnnxRuntime)
    model = str(genuine("keras2.2.4-tensorflow/vgg_tf").model)
    assert isinstance(open_engine(model), Reference)
    for wrong in ((path, "reference"), (model, "onnxruntime")):
        with pytest.raises(UsageError):
            open_engine(wrong[0], engine=wrong[1])
