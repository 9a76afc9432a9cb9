"""`.keras` archives: read in place or unpacked, and what a zip archive may lie about."""

from __future__ import annotations

import io
import json
import os
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from crafted import CONFIG, keras_archive, numbers, outline, paths_bytes, weight, write_named

from kerasir.errors import FormatError
from kerasir.importers.keras.archive import read_archive
from kerasir.ir.source import FileSource

WEIGHTS = "model.weights.h5"


def refusal(path: Path) -> tuple[str, str]:
    """Where and what is said."""
    with pytest.raises(FormatError) as caught:
        read_archive(path, isolated=False)
    assert caught.value.file == str(path)
    return caught.value.where, caught.value.what


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_archive(tmp_path: Path, compression: int, isolated: bool) -> None:
    path = keras_archive(tmp_path / "m.keras", compression=compression)
    archive = read_archive(path, isolated=isolated)
    assert outline(archive) == [("layers/dense", ["0", "1"])]
    assert (archive.container, archive.form, archive.content) == ("keras-zip", "paths", "model")
    assert archive.keras_version == "3.4.1"
    assert archive.config == {**CONFIG, "compile_config": {"loss": "mse"}}
    assert archive.training_config == {"loss": "mse"}
    assert archive.origins == {
        "config": "config.json",
        "keras_version": "metadata.json",
        "training_config": "config.json: compile_config",
    }
    np.testing.assert_array_equal(weight(archive, "/layers/dense/vars/0"), numbers(6, 5))
    np.testing.assert_array_equal(weight(archive, "/layers/dense/vars/1"), numbers(5, start=90))


def test_stored_weights_are_read_in_place(tmp_path: Path) -> None:
    path = keras_archive(tmp_path / "m.keras")
    found = read_archive(path).groups[0].weights[0].source
    assert isinstance(found, FileSource)
    stored = path.read_bytes()[found.offset : found.offset + 120]
    assert stored == numbers(6, 5).tobytes()


def test_chunked_weights_inside_an_archive(tmp_path: Path) -> None:
    content = io.BytesIO()
    data = numbers(300, 200)
    with h5py.File(content, "w") as file:
        group = file.create_group("layers/dense/vars")
        group.create_dataset("0", data=data, chunks=(64, 50), compression="gzip")
    path = keras_archive(tmp_path / "m.keras", content.getvalue())
    np.testing.assert_array_equal(weight(read_archive(path), "/layers/dense/vars/0"), data)


def test_assets_are_read_as_bytes_and_others_listed(tmp_path: Path) -> None:
    evil = ("../../evil", "assets/../evil", "assets/..\\evil", "assets//evil", "notes.txt")
    members = {"assets/a/vocabulary.txt": "a b"} | dict.fromkeys(evil, "x")
    read = read_archive(keras_archive(tmp_path / "m.keras", members=members))
    assert read.assets == {"assets/a/vocabulary.txt": b"a b"}
    assert read.ignored == tuple(sorted(evil))
    assert os.listdir(tmp_path) == ["m.keras"]


def test_name_of_the_file_does_not_matter(tmp_path: Path) -> None:
    path = keras_archive(tmp_path / "m.h5")
    assert read_archive(path).container == "keras-zip"


ABSENT: dict[str, tuple[dict[str, str | bytes], tuple[str, str]]] = {
    "config": (
        {"config.json": "", "CONFIG.JSON": "{}"},
        ("file", "a zip archive, but no Keras model in it: it has no config.json"),
    ),
    "weights": ({WEIGHTS: ""}, ("file", f"the archive has no {WEIGHTS}")),
    "weights as npz": (
        {WEIGHTS: "", "model.weights.npz": "x"},
        ("file", f"weights are read from {WEIGHTS}, not from model.weights.npz"),
    ),
    "weights of text": ({WEIGHTS: "text"}, (WEIGHTS, "not HDF5")),
    "array": (
        {"config.json": "", "arr_0.npy": "x"},
        ("file", "a NumPy archive (.npz), not a Keras file"),
    ),
    "torch": (
        {"config.json": "", "archive/data.pkl": "x"},
        ("file", "a PyTorch file, not a Keras file"),
    ),
    "bad config": ({"config.json": "[1"}, ("config.json", "not JSON: Expecting ',' delimiter")),
    "bad metadata": ({"metadata.json": "1"}, ("metadata.json", "a number where a mapping is")),
}


@pytest.mark.parametrize(("members", "said"), ABSENT.values(), ids=ABSENT)
def test_what_is_absent_or_wrong_is_named(
    tmp_path: Path, members: dict[str, str | bytes], said: tuple[str, str]
) -> None:
    where, what = refusal(keras_archive(tmp_path / "m.keras", members=members))
    assert (where, what[: len(said[1])]) == said


def test_a_model_that_was_zipped_is_found(tmp_path: Path) -> None:
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("best/model.h5", b"x")
    with pytest.raises(FormatError) as raised:
        read_archive(path)
    assert raised.value.hint == "unpack it: best/model.h5 is in it"
    assert raised.value.details == ("Its members: best/model.h5.",)


def test_archive_without_metadata_is_read(tmp_path: Path) -> None:
    archive = read_archive(keras_archive(tmp_path / "m.keras", members={"metadata.json": ""}))
    assert archive.keras_version is None
    assert archive.groups


def test_empty_weights_are_named(tmp_path: Path) -> None:
    path = keras_archive(tmp_path / "m.keras", b"")
    assert refusal(path) == (WEIGHTS, "the member is empty")


def test_weights_of_another_form_are_named(tmp_path: Path) -> None:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        write_named(file, {"dense": {}})
    where, what = refusal(keras_archive(tmp_path / "m.keras", content.getvalue()))
    assert where == WEIGHTS
    assert what.startswith("its weights are named, as in older files")


def test_place_inside_the_weights_is_named(tmp_path: Path) -> None:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.create_group("layers/dense/vars")["0"] = h5py.ExternalLink("/etc/passwd", "/k")
    where, what = refusal(keras_archive(tmp_path / "m.keras", content.getvalue()))
    assert where == f"{WEIGHTS}/layers/dense/vars/0"
    assert what.startswith("an external link")


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    path = keras_archive(tmp_path / "m.keras")
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("config.json", json.dumps({"class_name": "Other"}))
    assert refusal(path) == ("config.json", "the archive has this member twice")


def patched(path: Path, name: str, change: Callable[[bytearray, int], None]) -> Path:
    """Change the entry of a member in the directory, given where it begins."""
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    at = content.index(name.encode(), directory) - 46
    assert content[at : at + 4] == b"PK\x01\x02"
    change(content, at)
    path.write_bytes(content)
    return path


def put(offset: int, layout: str, value: int) -> Callable[[bytearray, int], None]:
    return lambda content, at: struct.pack_into(layout, content, at + offset, value)


LIES: dict[str, tuple[Callable[[bytearray, int], None], str]] = {
    "encrypted": (put(8, "<H", 1), "the member is encrypted"),
    "method": (put(10, "<H", 14), "the member is compressed by method 14, not stored or deflated"),
    "other method": (
        put(10, "<H", 8),
        "the member is damaged or cut short: its own header disagrees with the directory",
    ),
    "size": (
        put(24, "<I", 10),
        "the member is damaged or cut short: its own header gives other sizes than the directory",
    ),
    "huge": (put(24, "<I", 0x7FFFFFFF), "the member is 2,147,483,647 bytes, out of "),
    "link": (
        put(38, "<I", (stat.S_IFLNK | 0o777) << 16),
        "the member is a symbolic link",
    ),
}


@pytest.mark.parametrize(("change", "what"), LIES.values(), ids=LIES)
def test_lies_of_the_directory_are_refused(
    tmp_path: Path, change: Callable[[bytearray, int], None], what: str
) -> None:
    path = patched(keras_archive(tmp_path / "m.keras"), WEIGHTS, change)
    where, said = refusal(path)
    assert (where, said[: len(what)]) == (WEIGHTS, what)


def test_a_member_in_the_place_of_another_is_refused(tmp_path: Path) -> None:
    """By its own header; by Python's zipfile, from 3.11.8 on, as soon as the other is read."""
    path = patched(keras_archive(tmp_path / "m.keras"), WEIGHTS, put(42, "<I", 7))
    where, said = refusal(path)
    known = {
        WEIGHTS: "its own header disagrees with the directory",
        "metadata.json": "Overlapped entries: 'metadata.json'",
    }
    assert said.startswith(f"the member is damaged or cut short: {known[where]}")


def test_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = keras_archive(tmp_path / "m.keras", members={WEIGHTS: ""})
    block = bytes(1 << 20)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open(WEIGHTS, "w") as member,
    ):
        for _ in range(300):
            member.write(block)
    where, what = refusal(path)
    assert (where, what[:35]) == (WEIGHTS, "the member is 314,572,800 bytes, ou")


def test_flipped_bit_in_compressed_weights_is_found(tmp_path: Path) -> None:
    path = keras_archive(tmp_path / "m.keras", compression=zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo(WEIGHTS).header_offset
    content[at + 200] ^= 0x10
    path.write_bytes(content)
    where, what = refusal(path)
    assert where == WEIGHTS
    assert what.startswith("the member is damaged or cut short: ")


@pytest.mark.parametrize("part", [0.2, 0.6, 0.99])
def test_archive_cut_short_is_named(tmp_path: Path, part: float) -> None:
    path = keras_archive(tmp_path / "m.keras")
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
    where, what = refusal(path)
    assert where == "file"
    assert what.startswith("the zip archive is damaged or cut short")


def test_weights_cut_short_inside_an_archive_are_named(tmp_path: Path) -> None:
    weights = paths_bytes({"layers/dense": {"0": numbers(6, 5), "1": numbers(5)}})
    where, what = refusal(keras_archive(tmp_path / "m.keras", weights[:-1000]))
    assert where.startswith(WEIGHTS)
    assert what.startswith("the file ends ")


def test_crowd_of_members_is_refused(tmp_path: Path) -> None:
    members: dict[str, Any] = {f"assets/{i}": "x" for i in range(10_001)}
    assert refusal(keras_archive(tmp_path / "m.keras", members=members)) == (
        "file",
        "a zip archive of 10,004 members",
    )


def test_weights_that_begin_where_a_user_block_could_end(tmp_path: Path) -> None:
    """HDF5 is looked for at 512, 1024, 2048, … bytes: a zip may have its weights there."""
    path = tmp_path / "m.keras"
    begins = keras_archive(path).read_bytes().index(b"\x89HDF\r\n")
    blanks = 4096 - begins
    keras_archive(path, members={"metadata.json": '{"keras_version": "3.4.1"}' + " " * blanks})
    assert path.read_bytes()[4096:4102] == b"\x89HDF\r\n"
    assert read_archive(path).container == "keras-zip"


def test_assets_that_are_too_large_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kerasir.importers.keras.archive.keras_zip.MAX_BYTES", 3000)
    members = {"assets/large": "x" * 2000, "assets/small": "y" * 1000, "assets/one_more": "z"}
    read = read_archive(keras_archive(tmp_path / "m.keras", members=members))
    assert read.assets.keys() == {"assets/large", "assets/small"}
    assert read.ignored == ("assets/one_more",)
