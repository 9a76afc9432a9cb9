"""The file: the same bytes each time, whole or not at all, and what it says of itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from networks import Net, build, feed
from one_op import Array, OneOp
from onnx_models import expected, export, model_of, must_equal, newest_opset, onnx_policy
from recurrent_networks import NETWORKS

from kerasir import __version__
from kerasir.errors import ExportError, UsageError
from kerasir.exporters.onnx.export import DEFAULT_OPSET, export_onnx
from kerasir.exporters.onnx.opsets import LOWEST, ir_version
from kerasir.ir.build import Builder
from kerasir.ir.graph import Graph, Layer
from kerasir.ir.layout import Axis
from kerasir.ir.op import Op
from kerasir.ir.ops.activation import LeakyRelu, Relu
from kerasir.ir.ops.pooling import AveragePool
from kerasir.passes.solve import solve

NETWORK = NETWORKS[0]


@pytest.mark.parametrize("make", NETWORKS, ids=lambda make: make.__name__)
def test_the_same_bytes_each_time(make: Callable[[Net], Graph], tmp_path: Path) -> None:
    """Made anew from the start: no identity of an object finds its way into the file."""
    made = [export(build(make, first=False), tmp_path).path.read_bytes() for _ in range(2)]
    assert made[0] == made[1]


def test_what_the_file_says_of_itself(tmp_path: Path) -> None:
    found = export(build(NETWORK, first=False), tmp_path)
    model = found.model
    assert (model.producer_name, model.producer_version) == ("kerasir", __version__)
    assert model.graph.name == "model"
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", DEFAULT_OPSET)]
    said = {entry.key: entry.value for entry in model.metadata_props}
    outputs = [said.pop(f"output_layout:{value.name}") for value in model.graph.output]
    assert outputs == [str(held.layout) for held in found.plan.outputs]
    assert said == {
        "kerasir_version": __version__,
        "source_file": "model.h5",
        "keras_era": "keras2",
        "keras_version": "2.2.4",
        "keras_backend": "theano",
        "input_layout:x": "N:? H:7 W:9 C:3",
    }


def test_nodes_say_which_layer_they_come_from(tmp_path: Path) -> None:
    builder = Builder()
    x = builder.input("x", (Axis("N", None), Axis("F", 4)))
    layer = Layer("relu_1", "ReLU", source_class="Activation", scope=("inner#0", "deep#2"))
    graph = builder.freeze(builder.add(Relu(), "relu", [x], [x.axes], layer=layer).results)
    [node] = export(graph, tmp_path).model.graph.node
    assert node.doc_string == "Activation inner/deep/relu_1"


@pytest.mark.parametrize("opset", range(LOWEST, newest_opset() + 1))
def test_every_opset(opset: int, tmp_path: Path) -> None:
    graph = build(NETWORK, first=False)
    arrays = feed(graph)
    found = export(graph, tmp_path, opset=opset)
    assert [entry.version for entry in found.model.opset_import] == [opset]
    assert found.model.ir_version == ir_version(opset)
    must_equal(found.run(arrays), expected(graph, arrays))


@pytest.mark.parametrize("name", [True, "weights.bin"])
def test_data_beside_the_model(name: str | bool, tmp_path: Path) -> None:
    net = Net(first=False)
    x = net.dense("small", net.vector("x", 5), 3)
    graph = net.freeze(net.dense("large", x, 400))
    found = export(graph, tmp_path, external_data=name)
    data = tmp_path / ("model.onnx.data" if name is True else "weights.bin")
    assert sorted(os.listdir(tmp_path)) == sorted(["model.onnx", data.name])
    assert data.stat().st_size >= 400 * 3 * 4
    arrays = feed(graph)
    must_equal(found.run(arrays), expected(graph, arrays))


def test_nothing_is_replaced_unless_asked(tmp_path: Path) -> None:
    graph, path = build(NETWORK, first=False), tmp_path / "model.onnx"
    path.write_bytes(b"precious")
    plan = solve(graph, onnx_policy())
    with pytest.raises(UsageError, match="exists"):
        export_onnx(model_of(graph), plan, path)
    assert path.read_bytes() == b"precious"
    export_onnx(model_of(graph), plan, path, overwrite=True, durable=True)
    onnx.checker.check_model(str(path), full_check=True)


def test_progress_reaches_the_whole(tmp_path: Path) -> None:
    graph, seen = build(NETWORK, first=False), list[tuple[int, int]]()
    export(graph, tmp_path, progress=lambda done, total: seen.append((done, total)))
    totals = {total for _, total in seen}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert totals == {seen[-1][0]}
    assert seen[-1][0] == sum(
        int(np.prod(t.dims)) * 4
        for t in onnx.load(tmp_path / "model.onnx").graph.initializer
        if t.data_type == 1
    )


@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_other_numbers(dtype: str, tmp_path: Path) -> None:
    """Weights and constants follow the numbers that a model computes with."""
    builder = Builder()
    x = builder.input("x", (Axis("N", None), Axis("F", 4)), dtype)
    op = Relu(threshold=0.5, negative_slope=0.25)
    graph = builder.freeze(builder.add(op, "y", [x], [x.axes]).results)
    found = export(graph, tmp_path)
    array = np.array([[-1, 0.5, 0.25, 2]], dtype)
    want = expected(graph, [array])
    assert {t.data_type for t in found.model.graph.initializer} == {
        onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    }
    must_equal(_ran(found.path, array), want, 1e-3)


def _ran(path: Path, x: Array) -> list[Array]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found: list[Array] = session.run(None, {"x": x})
    return found


@pytest.mark.time_limit(60)
def test_a_chain_of_ten_thousand_layers(tmp_path: Path) -> None:
    builder = Builder()
    x = builder.input("x", (Axis("N", None), Axis("F", 2)))
    for number in range(10_000):
        x = builder.add(Relu(), f"relu_{number}", [x], [x.axes]).result
    graph = builder.freeze([x])
    path = tmp_path / "long.onnx"
    export_onnx(model_of(graph), solve(graph, onnx_policy()), path)
    model = onnx.load(path)
    assert len(model.graph.node) == 10_000
    assert len(model.graph.value_info) == 9_999


@pytest.mark.parametrize(
    "op",
    [
        Relu(max_value=1e39),
        Relu(max_value=float("inf")),
        Relu(threshold=-1e308, max_value=1e300),
        LeakyRelu(negative_slope=1e39),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_numbers_too_large_for_their_type_are_infinite(op: Op, dtype: str, tmp_path: Path) -> None:
    builder = Builder()
    x = builder.input("x", (Axis("N", None), Axis("F", 4)), dtype)
    graph = builder.freeze(builder.add(op, "y", [x], [x.axes]).results)
    array = np.array([[1.0, 2, 3, 60_000]], dtype)
    must_equal(_ran(export(graph, tmp_path).path, array), [array])


@pytest.mark.parametrize("size", [2**63, 10**30])
def test_extents_that_no_tensor_has(size: int, tmp_path: Path) -> None:
    builder = Builder()
    x = builder.input("x", (Axis("N", None), Axis("F", size)))
    graph = builder.freeze(builder.add(Relu(), "y", [x], [x.axes]).results)
    with pytest.raises(ExportError, match="does not fit into ONNX") as caught:
        export(graph, tmp_path)
    assert caught.value.where == "x"


@pytest.mark.parametrize(("strides", "sizes"), [((2**70, 1), (3, 4)), ((1, 1), (2**62, 2**62))])
def test_windows_that_no_tensor_has(
    strides: tuple[int, int], sizes: tuple[int, int], tmp_path: Path
) -> None:
    op = AveragePool(pool_size=(1, 1), strides=strides, padding=((2, 0), (2, 0)))
    axes = {
        "batch": (None,), "channels": (3,), "space": sizes,
        "out_space": tuple((n + 1) // s + 1 for n, s in zip(sizes, strides, strict=True)),
    }  # fmt: skip
    with pytest.raises(ExportError, match=r"does not fit into ONNX|wider than the pool"):
        export(OneOp(op, axes).graph, tmp_path)
