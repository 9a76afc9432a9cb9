"""Sinks of files: tensors declared, places fixed, numbers in any order."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from pieces import Declared, arrays_of, declarations, fill_in_pieces

from kerasir.errors import ExportError, FormatError
from kerasir.exporters.sink import FileSink, Place, writing
from kerasir.exporters.target import DiskError


class PlainSink(FileSink):
    """Tensors one after the other behind four bytes, odd ones in a second file."""

    def plan(self, destination: str | os.PathLike[str]) -> tuple[str, ...]:
        return (os.fspath(destination), f"{os.fspath(destination)}.odd")

    def _lay_out(self, paths: tuple[str, ...]) -> Sequence[Place]:
        ends, places = [4, 4], []
        for index, tensor in enumerate(self.tensors):
            places.append(Place(index % 2, ends[index % 2]))
            ends[index % 2] += tensor.nbytes
        for file, end in enumerate(ends):
            self._resize(file, end)
            self._put(Place(file, 0), b"head")
        return places


def sink_of(*shapes: tuple[int, ...]) -> PlainSink:
    sink = PlainSink()
    for number, shape in enumerate(shapes):
        assert sink.declare(f"t{number}", np.float32, shape) == number
    return sink


@given(declared=declarations(("float32", "int64", "uint8", "bool")), data=st.data())
@settings(max_examples=60)
def test_whatever_is_written_in_pieces_is_there(
    tmp_path_factory: pytest.TempPathFactory, declared: list[Declared], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("plain") / "m"
    arrays = arrays_of(declared)
    sink = PlainSink()
    for name, dtype, shape in declared:
        sink.declare(name, dtype, shape)
    with writing(sink, path):
        fill_in_pieces(sink, arrays, data.draw)
    for file, name in enumerate(("m", "m.odd")):
        expected = b"".join(array.tobytes() for array in arrays[file::2])
        assert path.with_name(name).read_bytes() == b"head" + expected


def test_what_is_missing_at_the_end_is_an_error(tmp_path: Path) -> None:
    sink = sink_of((2, 0), (4,))
    with pytest.raises(ExportError) as caught, writing(sink, tmp_path / "m"):
        sink.write(1, 1, np.zeros(2, np.float32))
    assert str(caught.value) == f"{tmp_path / 'm'}: t1: 8 of 16 bytes were not written"
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("start", "count", "message"),
    [
        (0, 7, "28 bytes at element 0 do not fit in 24 bytes of which 24 are missing"),
        (5, 2, "8 bytes at element 5 do not fit"),
        (-1, 1, "4 bytes at element -1 do not fit"),
    ],
)
def test_nothing_is_written_outside_a_tensor(
    tmp_path: Path, start: int, count: int, message: str
) -> None:
    sink = sink_of((2, 3), (4,))
    with pytest.raises(ExportError, match=f"t0: {message}"), writing(sink, tmp_path / "m"):
        sink.write(0, start, np.zeros(count, np.float32))
    with pytest.raises(ExportError, match=f"t0: {message}"), writing(sink, tmp_path / "m"):
        sink.copy_from(0, start, 0, 0, 4 * count)


def test_nothing_is_written_twice(tmp_path: Path) -> None:
    sink = sink_of((2, 3))

    def write_twice() -> None:
        with writing(sink, tmp_path / "m"):
            sink.write(0, 0, np.zeros(4, np.float32))
            sink.write(0, 2, np.zeros(4, np.float32))

    with pytest.raises(ExportError, match=r"t0: 16 bytes at .* of which 8 are missing"):
        write_twice()


@pytest.mark.parametrize("data", [np.zeros(6), np.zeros((2, 3), np.float32), np.zeros(6, ">f4")])
def test_numbers_come_flat_and_in_the_declared_dtype(tmp_path: Path, data: np.ndarray) -> None:
    sink = sink_of((2, 3))
    with pytest.raises(ExportError, match=r"t0: got .* for float32"), writing(sink, tmp_path / "m"):
        sink.write(0, 0, data)


@pytest.mark.parametrize(
    ("name", "dtype", "shape", "message"),
    [
        ("t0", "f4", (2,), "t0: two tensors of this name"),
        ("a", "O", (2,), "a: cannot write O of shape"),
        ("a", "f4", (2, -3), r"a: cannot write f4 of shape \(2, -3\)"),
        ("a\udc80", "f4", (2,), r"a\\udc80: the name cannot be written in UTF-8"),
    ],
)
def test_what_no_file_can_hold(name: str, dtype: str, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ExportError, match=message):
        sink_of((2, 3)).declare(name, dtype, shape)


def _raise(number: int) -> Callable[..., int]:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return refuse


def test_bytes_are_copied_from_anywhere_in_a_file(tmp_path: Path) -> None:
    numbers = np.random.default_rng(5).normal(size=400_003).astype(np.float32)
    source = tmp_path / "source"
    source.write_bytes(b"abc" + numbers.tobytes())
    sink = sink_of((400_003,), (3, 2))
    with source.open("rb") as file, writing(sink, tmp_path / "m"):
        sink.copy_from(0, 300, file.fileno(), 3 + 4 * 300, 4 * (400_003 - 300))
        sink.copy_from(0, 0, file.fileno(), 3, 4 * 300)
        sink.copy_from(1, 0, file.fileno(), 3, 24)
    assert (tmp_path / "m").read_bytes() == b"head" + numbers.tobytes()
    assert (tmp_path / "m.odd").read_bytes() == b"head" + numbers[:6].tobytes()


def test_a_source_that_ends_early_is_told(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"12345678")
    sink = sink_of((2, 3))
    with (
        source.open("rb") as file,
        pytest.raises(FormatError, match="t0: the file ends before this weight"),
        writing(sink, tmp_path / "m"),
    ):
        sink.copy_from(0, 0, file.fileno(), 0, 24)
    assert os.listdir(tmp_path) == ["source"]


def test_a_full_disk_is_told_with_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m").write_text("old")
    sink = sink_of((1 << 20, 3))

    def write_until_full() -> None:
        with writing(sink, tmp_path / "m", overwrite=True):
            sink.write(0, 0, np.zeros(1 << 19, np.float32))
            monkeypatch.setattr(os, "pwrite", _raise(errno.ENOSPC))
            sink.write(0, 1 << 19, np.zeros(1 << 19, np.float32))

    with pytest.raises(DiskError) as caught:
        write_until_full()
    assert str(caught.value) == (
        f"{tmp_path / 'm'}: file: no space left after 2.0 of 12.0 MiB (free 10.0 MiB on "
        f"{tmp_path}, or write elsewhere; the unfinished file was removed)\n"
        "  An earlier m, if there was one, is untouched."
    )
    assert (tmp_path / "m").read_text() == "old"
    assert os.listdir(tmp_path) == ["m"]


@pytest.mark.parametrize("call", ["pwrite", "ftruncate"])
def test_other_errors_of_the_disk_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    sink = sink_of((2, 3))
    monkeypatch.setattr(os, call, _raise(errno.EIO))
    expected = f"^{tmp_path}/m: file: cannot be written: Input/output error$"
    with pytest.raises(ExportError, match=expected), writing(sink, tmp_path / "m"):
        sink.write(0, 0, np.zeros(6, np.float32))
    assert os.listdir(tmp_path) == []


def test_memory_does_not_grow_with_tensors(tmp_path: Path) -> None:
    script = (
        "import resource, sys, numpy as np\n"
        "from kerasir.exporters.keras.archive.hdf5 import Archive, LayerGroup, Tensor, hdf5_sink\n"
        "from kerasir.exporters.sink import writing\n"
        "count = int(sys.argv[2])\n"
        "weights = (Tensor('w', np.dtype('f4'), (count, 1024)),)\n"
        "sink = hdf5_sink(Archive((LayerGroup('layer', weights),)))\n"
        "chunk = np.zeros(1024, np.float32)\n"
        "with writing(sink, sys.argv[1], overwrite=True):\n"
        "    for row in range(count):\n"
        "        sink.write(0, 1024 * row, chunk)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    small, large = (
        int(subprocess.check_output([sys.executable, "-c", script, str(tmp_path / "m"), count]))
        for count in ("2", "20000")
    )
    unit = 1024 if sys.platform == "linux" else 1
    assert (tmp_path / "m").stat().st_size > 80_000_000
    assert 0 < large * unit < small * unit + (8 << 20)
