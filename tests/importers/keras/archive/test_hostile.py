"""Files that are damaged or mean harm: an error of kerasir's own, whatever is in them."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest
from crafted import keras_archive, model_file, numbers, values, weights_file, write_named

from kerasir.errors import FormatError, KerasirError
from kerasir.importers.keras.archive import read_archive
from kerasir.importers.keras.archive.sniff import declared_size
from kerasir.importers.keras.gates import Window


def read_all(path: Path, *, isolated: bool = True) -> int:
    """Read a file with all its numbers; returns how many arrays it has."""
    archive = read_archive(path, isolated=isolated)
    stored = [w for group in archive.groups for w in group.weights] + [*archive.optimizer_weights]
    for weight in stored:
        values(weight.source)
    return len(stored)


def outcome(path: Path) -> KerasirError | None:
    """The error that a file gives, if any."""
    try:
        read_all(path)
    except KerasirError as error:
        return error
    return None


def chunked_file(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        write_named(file, {"d": {}})
        file["d"].attrs["weight_names"] = [b"k", b"b"]
        options: dict[str, Any] = {"compression": "gzip", "shuffle": True, "fletcher32": True}
        file["d"].create_dataset("k", data=numbers(60, 50), chunks=(13, 20), **options)
        file["d"].create_dataset("b", data=numbers(50), chunks=(13,), compression="lzf")
    return path


def latest_file(path: Path) -> Path:
    with h5py.File(path, "w", libver="latest") as file:
        write_named(file, {"d": {f"d/{i}": numbers(i + 2, 3) for i in range(9)}})
    return path


MAKERS: list[Callable[[Path], Path]] = [model_file, keras_archive, chunked_file, latest_file]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("seed", range(25))
def test_flipped_bytes_never_do_more_than_raise(
    tmp_path: Path, make: Callable[[Path], Path], seed: int
) -> None:
    path = make(tmp_path / "m.h5")
    content = bytearray(path.read_bytes())
    dice = random.Random(seed)
    for _ in range(dice.choice([1, 2, 4, 16])):
        at = dice.randrange(len(content) if dice.random() < 0.5 else min(len(content), 3000))
        content[at] = dice.choice([0, 255, dice.randrange(256), content[at] ^ 1])
    path.write_bytes(content)
    error = outcome(path)
    assert error is None or (error.file == str(path) and error.what)


@pytest.mark.parametrize("make", MAKERS)
def test_untouched_twins_are_read(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    assert read_all(make(tmp_path / "m.h5")) >= 2


@pytest.mark.parametrize("make", [model_file, chunked_file, latest_file])
@pytest.mark.parametrize("part", [0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1])
def test_file_cut_short_says_how_much_is_there(
    tmp_path: Path, make: Callable[[Path], Path], part: float
) -> None:
    path = make(tmp_path / "m.h5")
    content = path.read_bytes()
    path.write_bytes(content[: min(int(part * len(content)), len(content) - 1)])
    there = path.stat().st_size
    with pytest.raises(FormatError) as caught:
        read_archive(path)
    assert caught.value.what in {"the file ends too early", "the file ends before this dataset"}
    assert f"{len(content):,} bytes are declared, {there:,} are there" in caught.value.hint


def test_weights_of_a_cut_file_are_counted(tmp_path: Path) -> None:
    """Numbers are written last here, so that the cut goes through the third of four arrays."""
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        write_named(file, {f"d{i}": {} for i in range(4)})
        for i in range(4):
            file[f"d{i}"].attrs["weight_names"] = [b"k"]
            file[f"d{i}"].create_dataset("k", (100, i + 2), "<f4")
        file.flush()
        for i in range(4):
            file[f"d{i}/k"][...] = i
    with h5py.File(path) as file:
        cut = file["d2/k"].id.get_offset() + 50
    content = path.read_bytes()
    path.write_bytes(content[:cut])
    with pytest.raises(FormatError) as caught:
        read_archive(path)
    assert str(caught.value) == (
        f"{path}: /d2/k: the file ends before this dataset "
        f"(download it again; {len(content):,} bytes are declared, {cut:,} are there)\n"
        "  Readable: 2 of 4 weights."
    )


def test_file_cut_short_is_not_given_to_the_library_in_this_process(tmp_path: Path) -> None:
    """HDF5 may loop for ever over what is missing: only a child may try."""
    path = latest_file(tmp_path / "m.h5")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 5])
    with pytest.raises(FormatError) as caught:
        read_archive(path, isolated=False)
    assert (caught.value.what, caught.value.details) == ("the file ends too early", ())


@pytest.mark.parametrize("libver", ["earliest", "v108", "latest"])
def test_declared_size_is_that_of_the_superblock(tmp_path: Path, libver: str) -> None:
    path = tmp_path / "m.h5"
    with h5py.File(path, "w", libver=libver, userblock_size=512) as file:
        file["x"] = numbers(50)
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(b"more")
    with path.open("rb") as file:
        assert declared_size(Window(file.fileno(), 0, size + 4)) == size


def test_bytes_after_the_end_do_no_harm(tmp_path: Path) -> None:
    path = weights_file(tmp_path / "w.h5")
    with path.open("ab") as file:
        file.write(b"more" * 100)
    assert read_all(path) == 2


def test_groups_in_a_circle_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/dense")
        group.create_group("vars")["0"] = numbers(3)
        group["again"] = file["layers"]
    with pytest.raises(FormatError) as caught:
        read_archive(path)
    assert caught.value.where == "/layers/dense/again"
    assert caught.value.what == "groups that are nested in a circle, or too many of them"


def test_circle_of_named_groups_is_never_walked(tmp_path: Path) -> None:
    path = weights_file(tmp_path / "w.h5")
    with h5py.File(path, "a") as file:
        file["dense/again"] = file["/"]
    assert read_all(path) == 2


def test_deep_groups_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    with h5py.File(path, "w") as file:
        file.create_group("layers" + "/x" * 40 + "/vars")
    with pytest.raises(FormatError, match="nested in a circle, or too many"):
        read_archive(path)


def test_links_below_the_variables_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    with h5py.File(path, "w") as file:
        file.create_group("layers/dense/vars")["0"] = h5py.SoftLink("/layers")
    with pytest.raises(FormatError, match="/layers/dense/vars/0: a soft link"):
        read_archive(path)


def test_error_names_a_hostile_name_without_its_effects(tmp_path: Path) -> None:
    name = "\x1b]0;pwned\x07" + "x" * 5000
    path = weights_file(tmp_path / "w.h5", {name: {}})
    with h5py.File(path, "a") as file:
        del file[name]
    with pytest.raises(FormatError) as caught:
        read_archive(path)
    text = str(caught.value).removeprefix(str(path))
    assert "\x1b" not in text
    assert "\\x1b]0;pwned\\x07" in text
    assert len(text) < 400


def test_many_attributes_are_not_listed(tmp_path: Path) -> None:
    path = weights_file(tmp_path / "w.h5")
    with h5py.File(path, "a", track_order=True) as file:
        for i in range(1200):
            file.attrs[f"note_{i}"] = i
    archive = read_archive(path)
    assert (archive.attributes, archive.ignored) == ({}, ("/@*",))


def test_hostile_corpus_is_survived(shared_dir: Path, tmp_path: Path) -> None:
    """Crafted files of all kinds: each is read, or refused by an error of kerasir's own."""
    import tarfile

    corpus = shared_dir / "bad" / "corpus.tar.xz"
    count = refused = 0
    with tarfile.open(corpus) as archive:
        for member in archive:
            if not member.isreg() or member.size > 4_000_000:
                continue
            count += 1
            path = tmp_path / f"f{Path(member.name).suffix}"
            content = archive.extractfile(member)
            assert content is not None
            path.write_bytes(content.read())
            if error := outcome(path):
                refused += 1
                assert str(error).startswith(str(path)), member.name
                assert len(str(error)) < 4000
    assert count > 200
    assert refused > 80


def test_archive_in_an_archive_is_refused(tmp_path: Path) -> None:
    inner = keras_archive(tmp_path / "inner.keras")
    path = keras_archive(tmp_path / "m.keras", inner.read_bytes(), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(FormatError, match=r"model\.weights\.h5: not HDF5"):
        read_archive(path)
