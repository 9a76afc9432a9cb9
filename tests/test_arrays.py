"""Files of arrays: read without running anything, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kerasir.arrays import read_arrays, write_arrays, write_text
from kerasir.errors import ExistsError, FormatError


class Canary:
    """Something that would leave a trace if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_there_and_back(tmp_path: Path) -> None:
    arrays = {"in_0": np.arange(6.0).reshape(2, 3), "names/with slash": np.array([True, False])}
    size = write_arrays(str(tmp_path / "x.npz"), arrays)
    assert size == (tmp_path / "x.npz").stat().st_size
    found = read_arrays(str(tmp_path / "x.npz"))
    assert found.keys() == arrays.keys()
    assert all(np.array_equal(found[name], arrays[name]) for name in arrays)
    assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]


def test_pickles_are_refused_not_opened(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    np.savez(tmp_path / "x.npz", in_0=np.array([Canary(canary)], dtype=object))
    with pytest.raises(FormatError, match=r"not \.npz: Object arrays cannot be loaded"):
        read_arrays(str(tmp_path / "x.npz"))
    assert not canary.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"text", b"\x93NUMPY\x01\x00v\x00{"])
def test_what_is_no_npz_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    with pytest.raises(FormatError) as caught:
        read_arrays(str(path))
    assert caught.value.file == str(path)


def test_one_array_alone_has_no_name(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(3))
    with pytest.raises(FormatError, match="one array without a name"):
        read_arrays(str(tmp_path / "x.npy"))


def test_a_missing_file_or_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "nix.npz", tmp_path):
        with pytest.raises(FormatError, match="there is no such file"):
            read_arrays(str(path))


def test_what_exists_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_text(str(path), "one\n")
    with pytest.raises(ExistsError):
        write_text(str(path), "two\n")
    assert path.read_text() == "one\n"
    write_text(str(path), "two\n", overwrite=True)
    assert path.read_text() == "two\n"
