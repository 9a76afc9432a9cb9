"""ONNX files written piece by piece, read back by ONNX itself."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings, strategies as st
from onnx import TensorProto, helper, numpy_helper
from pieces import Declared, arrays_of, declarations, fill_in_pieces

from kerasir.errors import ExportError
from kerasir.exporters.onnx.writer import (
    ALIGNMENT,
    BFLOAT16,
    DATA_TYPES,
    EXTERNAL_FROM,
    PROTOBUF_LIMIT,
    Frame,
    OnnxSink,
)
from kerasir.exporters.sink import writing

GEMM = (("kernel", (300, 5)), ("bias", (5,)))


def model_of(
    *nodes: onnx.NodeProto, outputs: tuple[onnx.ValueInfoProto, ...] = ()
) -> onnx.ModelProto:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 300])
    graph = helper.make_graph(list(nodes), "a graph", [x], list(outputs), doc_string="described")
    return helper.make_model(
        graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)], producer_name="kerasir"
    )


def sink_of(model: onnx.ModelProto, **options: bool | str) -> OnnxSink:
    """A sink for what the model lacks."""
    shell = onnx.ModelProto()
    shell.CopyFrom(model)
    shell.ClearField("graph")
    taken = frozenset(constant.name for constant in model.graph.initializer)
    frame = Frame(shell.SerializeToString(), model.graph.SerializeToString(), taken)
    return OnnxSink(frame, **options)


def gemm_model() -> onnx.ModelProto:
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 5])
    return model_of(helper.make_node("Gemm", ["x", "kernel", "bias"], ["y"]), outputs=(y,))


def write_gemm(path: Path, **options: bool | str) -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    arrays = {name: random.normal(size=shape).astype(np.float32) for name, shape in GEMM}
    sink = sink_of(gemm_model(), **options)
    for name, array in arrays.items():
        sink.declare(name, array.dtype, array.shape)
    with writing(sink, path):
        for index, array in enumerate(arrays.values()):
            sink.write(index, 0, array.reshape(-1))
    return arrays


def test_the_table_of_dtypes_is_that_of_onnx() -> None:
    for name, kind in DATA_TYPES.items():
        assert helper.tensor_dtype_to_np_dtype(kind) == np.dtype(name)
    assert BFLOAT16 == TensorProto.BFLOAT16


@given(declared=declarations(tuple(DATA_TYPES)), external=st.booleans(), data=st.data())
@settings(max_examples=60)
def test_whatever_is_declared_and_written_in_pieces_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    declared: list[Declared],
    external: bool,
    data: st.DataObject,
) -> None:
    path = tmp_path_factory.mktemp("onnx") / "m.onnx"
    arrays = arrays_of(declared)
    sink = sink_of(model_of(), external=external)
    for name, dtype, shape in declared:
        sink.declare(name, dtype, shape)
    with writing(sink, path):
        fill_in_pieces(sink, arrays, data.draw)

    read = onnx.load(path)
    assert read.producer_name == "kerasir"
    assert (read.graph.name, read.graph.doc_string) == ("a graph", "described")
    assert [tensor.name for tensor in read.graph.initializer] == [each.name for each in declared]
    for tensor, array in zip(read.graph.initializer, arrays, strict=True):
        found = numpy_helper.to_array(tensor)
        assert found.dtype == array.dtype
        assert found.shape == array.shape
        assert found.tobytes() == array.tobytes()
    large = any(array.nbytes >= EXTERNAL_FROM for array in arrays)
    assert {*os.listdir(path.parent)} == {"m.onnx"} | (
        {"m.onnx.data"} if external and large else set()
    )


@pytest.mark.parametrize("external", [False, True])
def test_the_checker_and_the_runtime_accept_the_file(tmp_path: Path, external: bool) -> None:
    path = tmp_path / "gemm.onnx"
    arrays = write_gemm(path, external=external)

    assert (tmp_path / "gemm.onnx.data").exists() == external
    onnx.checker.check_model(path, full_check=True)
    x = np.random.default_rng(4).normal(size=(2, 300)).astype(np.float32)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (y,) = session.run(None, {"x": x})
    np.testing.assert_allclose(y, x @ arrays["kernel"] + arrays["bias"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("external", [False, True])
def test_the_same_input_gives_the_same_bytes(tmp_path: Path, external: bool) -> None:
    written = []
    for number in range(2):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        write_gemm(folder / "m.onnx", external=external)
        written.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert written[0] == written[1]
    assert len(written[0]) == 1 + external


def test_the_file_is_what_onnx_itself_would_read_from_a_whole_message(tmp_path: Path) -> None:
    arrays = write_gemm(tmp_path / "m.onnx")
    whole = gemm_model()
    whole.graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in arrays.items()
    )
    assert onnx.load(tmp_path / "m.onnx") == whole
    assert (tmp_path / "m.onnx").stat().st_size == whole.ByteSize()


def test_large_tensors_are_aligned_in_the_file_of_data(tmp_path: Path) -> None:
    sink = sink_of(model_of(), external="weights.bin")
    sizes = (200, 3000, (1 << 20) + 4, 1028, 2 << 20)
    for number, nbytes in enumerate(sizes):
        sink.declare(f"t{number}", np.float32, (nbytes // 4,))
    with writing(sink, tmp_path / "m.onnx"):
        for number, nbytes in enumerate(sizes):
            sink.write(number, 0, np.full(nbytes // 4, number, np.float32))

    read = onnx.load(tmp_path / "m.onnx", load_external_data=False)
    entries = [{each.key: each.value for each in t.external_data} for t in read.graph.initializer]
    assert [entry.get("location", "") for entry in entries] == ["", *["weights.bin"] * 4]
    (large, step), (_, small_step) = ALIGNMENT
    for entry, nbytes in zip(entries[1:], sizes[1:], strict=True):
        assert int(entry["length"]) == nbytes
        assert int(entry["offset"]) % (step if nbytes >= large else small_step) == 0
    onnx.load_external_data_for_model(read, str(tmp_path))
    for number, tensor in enumerate(read.graph.initializer):
        np.testing.assert_array_equal(
            numpy_helper.to_array(tensor), np.full(sizes[number] // 4, number, np.float32)
        )


def test_what_one_message_cannot_hold_goes_beside_it() -> None:
    def planned(nbytes: int) -> tuple[tuple[str, ...], tuple[int, int]]:
        sink = sink_of(model_of())
        sink.declare("half", np.uint8, (1 << 30,))
        sink.declare("rest", np.uint8, (nbytes,))
        return sink.plan("folder/m.onnx"), sink._layout.sizes

    below = (1 << 30) - 500
    files, (size, _) = planned(below)
    assert files == ("folder/m.onnx",)
    most = below + PROTOBUF_LIMIT - size
    assert planned(most) == (("folder/m.onnx",), (PROTOBUF_LIMIT, 0))
    files, (size, data) = planned(most + 1)
    assert files == ("folder/m.onnx", "folder/m.onnx.data")
    assert size < 1000
    assert data == (1 << 30) + most + 1


def test_bfloat16_comes_as_uint16(tmp_path: Path) -> None:
    bits = np.array([0x3F80, 0xC000, 0x7F80], np.uint16)
    sink = sink_of(model_of())
    sink.declare("w", np.uint16, (3,), bfloat16=True)
    with writing(sink, tmp_path / "m.onnx"):
        sink.write(0, 0, bits)
    (tensor,) = onnx.load(tmp_path / "m.onnx").graph.initializer
    assert tensor.data_type == TensorProto.BFLOAT16
    assert numpy_helper.to_array(tensor).astype(np.float32).tolist() == [1.0, -2.0, np.inf]


def test_constants_of_the_graph_stay_in_it(tmp_path: Path) -> None:
    model = model_of()
    model.graph.initializer.append(numpy_helper.from_array(np.array([2, 3]), "shape"))
    before = model.SerializeToString()
    sink = sink_of(model)
    sink.declare("w", np.float32, ())
    with writing(sink, tmp_path / "m.onnx"):
        sink.write(0, 0, np.array([1.5], np.float32))
    read = [numpy_helper.to_array(t) for t in onnx.load(tmp_path / "m.onnx").graph.initializer]
    np.testing.assert_array_equal(read[0], [2, 3])
    assert read[1] == np.float32(1.5)
    assert model.SerializeToString() == before
    with pytest.raises(ExportError, match="two tensors of this name"):
        sink.declare("shape", np.float32, ())


@pytest.mark.parametrize(
    ("dtype", "bfloat16", "message"),
    [
        (">f4", False, "w: an ONNX file cannot hold >f4"),
        ("complex64", False, "w: an ONNX file cannot hold complex64"),
        ("V2", False, r"w: an ONNX file cannot hold \|V2"),
        ("float16", True, "w: bfloat16 is handed over as uint16, not float16"),
    ],
)
def test_dtypes_that_onnx_lacks_are_refused(dtype: str, bfloat16: bool, message: str) -> None:
    with pytest.raises(ExportError, match=f"^{message}$"):
        sink_of(model_of()).declare("w", dtype, (2,), bfloat16=bfloat16)


@pytest.mark.parametrize("name", ["../x", "a/b", ".", "..", "m.onnx", "\udc80"])
def test_a_file_of_data_lies_beside_the_model(name: str) -> None:
    sink = sink_of(model_of(), external=name)
    sink.declare("w", np.float32, (400,))
    with pytest.raises(ExportError, match="file of data"):
        sink.plan("folder/m.onnx")
