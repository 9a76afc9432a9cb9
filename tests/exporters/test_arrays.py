"""`.npz` and `.safetensors`: read again by NumPy, zipfile and a reader written from the format."""

from __future__ import annotations

import json
import math
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crafted import numbers

import kerasir
from genuine import FixtureCase
from kerasir.errors import ExistsError, ExportError, UsageError
from kerasir.exporters import arrays as exporter
from kerasir.exporters.arrays import NpzSink, SafetensorsSink
from kerasir.exporters.sink import FileSink, writing
from kerasir.ir.source import Array
from kerasir.targets import aim

Genuine = Callable[[str], FixtureCase]

VGG = "keras1.2.2-theano/vgg_th"
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2",
          "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1",
          "BOOL": "?"}  # fmt: skip


def read_safetensors(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays and the metadata, every rule of the format checked."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    text = data[8 : 8 + length]
    assert length % 8 == 0
    assert text.startswith(b"{")
    header: dict[str, Any] = json.loads(text)
    metadata = header.pop("__metadata__", {})
    assert all(isinstance(value, str) for value in metadata.values())
    body, found, ends = data[8 + length :], {}, [0]
    for name, said in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = said["data_offsets"]
        dtype = np.dtype(DTYPES[said["dtype"]])
        assert begin == ends[-1]  # no holes
        assert begin % dtype.itemsize == 0
        assert end - begin == math.prod(said["shape"]) * dtype.itemsize
        found[name] = np.frombuffer(body[begin:end], dtype).reshape(said["shape"])
        ends.append(end)
    assert ends[-1] == len(body)
    return found, metadata


def read_npz(path: Path) -> dict[str, Array]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None  # every checksum
        assert {entry.compress_type for entry in archive.infolist()} <= {zipfile.ZIP_STORED}
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def read(path: Path) -> dict[str, Array]:
    return read_npz(path) if path.suffix == ".npz" else read_safetensors(path)[0]


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize("order", ["canonical", "onnx", "stored"])
@pytest.mark.fixture_cases(
    eras=("keras1.2.2-theano", "keras2.2.4-theano", "keras0.3.3-theano"),
    where=lambda case: case.case in {"vgg_th", "bidir_th", "separable_th", "rnn_th", "resnet_th"},
)
def test_genuine_models(fixture_case: FixtureCase, order: str, suffix: str, tmp_path: Path) -> None:
    """Every weight of the model, in the layout that was asked for; nothing else."""
    reading = {"arch": fixture_case.arch, "backend": fixture_case.backend}
    path = tmp_path / f"w{suffix}"
    done = kerasir.convert(fixture_case.model, path, weights_layout=order, **reading)
    found = read(path)
    assert len(found) >= len(done.model.tensors) > 3
    expected = _expected(done.model, order)
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    assert done.bytes == path.stat().st_size
    assert {"KX204"} <= {event.code for event in done.report}


def _expected(model: kerasir.Model, order: str) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for name, tensor in model.tensors.items():
        if order == "stored":
            many = len(tensor.param.stored) > 1
            for source, stored in zip(
                tensor.param.weight.sources, tensor.param.stored, strict=True
            ):
                flat = np.empty(math.prod(source.shape), source.dtype)
                source.read_into(0, flat)
                label = "/".join(stored.at.values())
                found[f"{name}/{label}" if many else name] = flat.reshape(source.shape)
            continue
        array = tensor.numpy()
        kind = tensor.node.op.kind
        if order == "onnx":
            array = _as_onnx(kind, tensor.port, array)
        found[name] = array
    return found


def _as_onnx(kind: str, port: str, array: Array) -> Array:
    """By position, from the canonical layout."""
    if (kind, port) == ("Conv", "kernel"):
        return np.moveaxis(array, (-1, -2), (0, 1))
    if kind == "SeparableConv" and port == "depthwise_kernel":
        *space, channels, multiplier = array.shape
        return np.moveaxis(array.reshape(*space, 1, channels * multiplier), (-1, -2), (0, 1))
    if kind == "SeparableConv" and port == "pointwise_kernel":
        return array.T
    if kind in {"LSTM", "GRU"}:
        gates = [0, 3, 1, 2] if kind == "LSTM" else [0, 1, 2]
        blocks = np.split(array, len(gates), axis=-1)
        return np.concatenate([blocks[gate] for gate in gates], axis=-1).T
    if kind == "SimpleRNN":
        return array.T
    return array


def test_rows_of_dense_follow_the_data_format(genuine: Genuine, tmp_path: Path) -> None:
    """By default the order of the source, as the layout says; else that of the data format."""
    case = genuine(VGG)
    name = next(n for n, t in kerasir.load(case.model).tensors.items() if "(C" in t.shown(t.layout))
    kept, last = tmp_path / "kept.safetensors", tmp_path / "last.safetensors"
    kerasir.convert(case.model, kept)
    kerasir.convert(case.model, last, data_format="channels_last")
    arrays, said = read_safetensors(kept)
    turned, said_last = read_safetensors(last)
    layout, layout_last = said[f"layout:{name}"], said_last[f"layout:{name}"]
    assert layout.startswith("(C:")
    assert layout_last.startswith("(H:")
    c, h, w = (int(part.partition(":")[2]) for part in layout[1:].partition(")")[0].split())
    assert len({c, h, w}) > 1
    rows = arrays[name].reshape(c, h, w, -1)
    assert turned[name].tolist() == np.moveaxis(rows, 0, 2).reshape(c * h * w, -1).tolist()


def test_metadata_says_layouts(genuine: Genuine, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    kerasir.convert(genuine(VGG).model, path, weights_layout="stored")
    arrays, said = read_safetensors(path)
    assert said["weights_layout"] == "stored"
    assert said["written_by"] == f"kerasir {kerasir.__version__}"
    layouts = {key.removeprefix("layout:"): text for key, text in said.items() if ":" in key}
    assert layouts.keys() == arrays.keys()
    assert any("~H" in text for text in layouts.values())


# ---- sinks -------------------------------------------------------------------------------------

SINKS: dict[str, Callable[[], FileSink]] = {
    ".npz": NpzSink,
    ".safetensors": lambda: SafetensorsSink({"a": "b"}),
}


@pytest.fixture(params=SINKS)
def suffix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def fill_by_pieces(sink: FileSink, path: Path, arrays: dict[str, Array], piece: int) -> None:
    indices = [sink.declare(name, array.dtype, array.shape) for name, array in arrays.items()]
    with writing(sink, path):
        for index, array in zip(indices, arrays.values(), strict=True):
            flat = array.reshape(-1)
            for start in range(0, flat.size, piece):
                sink.write(index, start, flat[start : start + piece])


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_every_dtype_and_shape(suffix: str, piece: int, tmp_path: Path) -> None:
    arrays = {
        f"layer/{number} ü{dtype.strip('<?')}": numbers(*shape, dtype=dtype)
        for number, (dtype, shape) in enumerate(
            (dtype, shape)
            for dtype in DTYPES.values()
            for shape in ((), (0,), (5,), (2, 0, 3), (2, 3, 4))
        )
    }
    path = tmp_path / f"w{suffix}"
    fill_by_pieces(SINKS[suffix](), path, arrays, piece)
    found = read(path)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found[name], array)


def test_bytes_of_another_file(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copied in several blocks, from an odd place, as the checksums have to notice."""
    monkeypatch.setattr(exporter, "BUFFER", 64)
    array = numbers(7, 11)
    other = tmp_path / "other"
    other.write_bytes(b"odd" + array.tobytes())
    sink, path = SINKS[suffix](), tmp_path / f"w{suffix}"
    index = sink.declare("w", "<f4", array.shape)
    with other.open("rb") as file, writing(sink, path):
        sink.copy_from(index, 0, file.fileno(), 3, array.nbytes)
    np.testing.assert_array_equal(read(path)["w"], array)


def test_a_file_that_ends_early(suffix: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(bytes(12))
    sink = SINKS[suffix]()
    index = sink.declare("w", "<f4", (4,))
    with (
        other.open("rb") as file,
        pytest.raises(kerasir.KerasirError, match="ends before this weight"),
        writing(sink, tmp_path / f"w{suffix}"),
    ):
        sink.copy_from(index, 0, file.fileno(), 0, 16)
    assert [p.name for p in tmp_path.iterdir()] == ["other"]


def test_no_arrays(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"w{suffix}"
    fill_by_pieces(SINKS[suffix](), path, {}, 1)
    assert read(path) == {}


def test_the_same_weights_make_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        fill_by_pieces(SINKS[suffix](), tmp_path / f"{name}{suffix}", {"w": numbers(3, 4)}, 5)
    one, two = (tmp_path / f"{name}{suffix}" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_what_is_missing_is_no_file(suffix: str, tmp_path: Path) -> None:
    sink = SINKS[suffix]()
    index = sink.declare("w", "<f4", (4,))
    with pytest.raises(ExportError, match="4 of 16 bytes were not written"), \
         writing(sink, tmp_path / f"w{suffix}"):  # fmt: skip
        sink.write(index, 0, np.ones(3, "<f4"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("largest", [100, 400, 0xFFFFFFFF])
@pytest.mark.parametrize("most", [3, 0xFFFF])
def test_zip64(largest: int, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes, offsets and counts that the usual fields cannot hold; here they hold little."""
    monkeypatch.setattr(exporter, "LARGEST", largest)
    monkeypatch.setattr(exporter, "MOST_MEMBERS", most)
    arrays = {f"w{number}": numbers(number + 2, 5, 7) for number in range(5)}
    path = tmp_path / "w.npz"
    fill_by_pieces(NpzSink(), path, arrays, 1000)
    assert (b"PK\6\6" in path.read_bytes()) == (min(largest, most) < 0xFFFF)
    found = read_npz(path)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


def test_npz_wants_numbers_in_their_order(tmp_path: Path) -> None:
    sink = NpzSink()
    index = sink.declare("w", "<f4", (4,))
    with pytest.raises(ExportError, match="element 2 comes behind 0"), \
         writing(sink, tmp_path / "w.npz"):  # fmt: skip
        sink.write(index, 2, np.ones(2, "<f4"))


def test_safetensors_has_no_such_dtype() -> None:
    with pytest.raises(ExportError, match=r"w: safetensors has no complex128 \(use \.npz\)"):
        SafetensorsSink({}).declare("w", "<c16", (2,))


# ---- targets -----------------------------------------------------------------------------------


def test_kinds_follow_from_names() -> None:
    assert aim("a.npz").kind == "npz"
    assert aim("A.SafeTensors").kind == "safetensors"
    found = aim("a.npz")
    assert (found.weights_only, found.data_format, found.weights_layout) == (
        True,
        "keep",
        "canonical",
    )


@pytest.mark.parametrize(
    ("path", "options", "text"),
    [
        ("a.h5", {"weights_layout": "onnx"}, "--weights-layout with --to keras2"),
        ("a.npz", {"weights_layout": "torch"}, "Invalid enum value 'torch'"),
        ("a.npz", {"target_backend": "theano"}, "--target-backend theano with --to npz"),
        ("a.npz", {"opset": 17}, "--opset with --to npz"),
    ],
)
def test_options_that_arrays_cannot_have(path: str, options: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        aim(path, **options)


def test_existing_file_stays(genuine: Genuine, tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    path.write_text("mine")
    with pytest.raises(ExistsError):
        kerasir.convert(genuine(VGG).model, path)
    assert path.read_text() == "mine"
