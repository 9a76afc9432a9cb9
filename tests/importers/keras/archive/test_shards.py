"""Weights of Keras 3 in several files: what is read, and that no other file is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crafted import (
    CONFIG,
    Layers,
    keras_archive,
    numbers,
    outline,
    paths_bytes,
    weight,
    weights_file,
)

from kerasir.errors import FormatError
from kerasir.importers.keras.archive import read_archive
from kerasir.importers.keras.archive.shards import MAX_SHARDS

KERNEL, BIAS = numbers(6, 5), numbers(5, start=90)
STATE = {str(k): numbers(k + 1, start=k) for k in range(12)}
DENSE, ADAM = "/layers/dense/vars", "/optimizer/vars"
A, B, C = (f"w_0000{k}.weights.h5" for k in range(3))


def shard(path: Path, groups: Layers) -> None:
    path.write_bytes(paths_bytes(groups))


def listing(tmp_path: Path, weight_map: Any, total: Any = None) -> Path:
    """A list of shards that says this."""
    path = tmp_path / "w.weights.json"
    metadata = {} if total is None else {"total_size": total}
    path.write_text(json.dumps({"metadata": metadata, "weight_map": weight_map}))
    return path


@pytest.fixture
def sharded(tmp_path: Path) -> Path:
    """Three shards: a layer in two of them, the optimizer in two, a layer without weights."""
    shard(tmp_path / A, {"layers/flat": {}, "layers/dense": {"0": KERNEL}})
    first = {k: STATE[k] for k in ("0", "1", "10")}
    shard(tmp_path / B, {"layers/dense": {"1": BIAS}, "optimizer": first})
    rest = {k: array for k, array in STATE.items() if k not in first}
    shard(tmp_path / C, {"optimizer": rest})
    total = sum(array.nbytes for array in (KERNEL, BIAS, *STATE.values()))
    return listing(tmp_path, {DENSE: [A, B], ADAM: [B, C]}, float(total))


@pytest.mark.parametrize("isolated", [True, False])
def test_shards_are_one_file(sharded: Path, isolated: bool) -> None:
    archive = read_archive(sharded, isolated=isolated)
    assert (archive.container, archive.form, archive.content) == ("weights-h5", "paths", "weights")
    assert outline(archive) == [("layers/dense", ["0", "1"]), ("layers/flat", [])]
    assert archive.groups[0].name == "dense"
    assert [w.name for w in archive.optimizer_weights] == [f"vars/{k}" for k in range(12)]
    np.testing.assert_array_equal(weight(archive, f"{DENSE}/0"), KERNEL)
    np.testing.assert_array_equal(weight(archive, f"{DENSE}/1"), BIAS)
    np.testing.assert_array_equal(weight(archive, f"{ADAM}/10"), STATE["10"])
    assert archive.path == str(sharded)
    assert archive.size == sum(path.stat().st_size for path in sharded.parent.iterdir())


def test_architecture_beside_shards(sharded: Path) -> None:
    arch = sharded.parent / "arch.json"
    arch.write_text(json.dumps(CONFIG))
    archive = read_archive(sharded, arch=arch, isolated=False)
    assert archive.config == CONFIG
    assert archive.architecture_path == str(arch)


def test_one_shard_may_be_named_by_itself(tmp_path: Path) -> None:
    shard(tmp_path / A, {"layers/dense": {"0": KERNEL, "1": BIAS}})
    archive = read_archive(listing(tmp_path, {DENSE: A}), isolated=False)
    assert outline(archive) == [("layers/dense", ["0", "1"])]


def refusal(path: Path) -> str:
    """What is said, and of which file, without the folder."""
    with pytest.raises(FormatError) as caught:
        read_archive(path, isolated=False)
    return str(caught.value).replace(f"{path.parent}/", "")


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../x.weights.h5",
        "/x.weights.h5",
        "sub/x.weights.h5",
        "..\\x.weights.h5",
        "C:x.weights.h5",
        "w.weights.json",
        "secret.h5",
        "a\0.weights.h5",
        "..",
        "",
        None,
        3,
        {"w": 1},
        [["w_00000.weights.h5"]],
    ],
)
def test_names_that_are_none_of_a_shard(sharded: Path, name: Any) -> None:
    """Whether or not such a file is there."""
    shard(sharded.parent / "secret.h5", {"layers/dense": {"0": KERNEL, "1": BIAS}})
    path = listing(sharded.parent, {ADAM: C, DENSE: name})
    said = refusal(path)
    assert "is no name of a shard" in said
    assert said.startswith(f"w.weights.json: weight_map: {DENSE}: ")


def link(path: Path) -> None:
    (path.parent / "elsewhere").write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to("elsewhere")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "there is no such file"),
    "link": (link, "a symbolic link, which is not followed (put the file itself in its place)"),
    "pipe": (pipe, "not a regular file, but a pipe, socket or device"),
    "folder": (folder, "a folder, not a file"),
    "empty": (lambda path: path.write_bytes(b""), "the file is empty (0 bytes)"),
    "text": (lambda path: path.write_text("Hello. " * 9), "file: plain text, not a Keras file"),
    "archive": (keras_archive, "file: a .keras archive, where weights in HDF5 are expected"),
    "old weights": (weights_file, "file: "),
    "cut": (lambda path: os.truncate(path, 900), "file: the file ends too early"),
}


@pytest.mark.parametrize(("spoil", "said"), SPOILED.values(), ids=SPOILED)
def test_shard_that_is_none(sharded: Path, spoil: Callable[[Path], object], said: str) -> None:
    spoil(sharded.parent / B)
    assert refusal(sharded).startswith(f"{B}: {said}")


def test_weight_that_two_shards_hold(sharded: Path) -> None:
    shard(sharded.parent / B, {"layers/dense": {"0": KERNEL, "1": BIAS}, "optimizer": STATE})
    assert f"{DENSE}/0: two shards hold it: {A} and {B}" in refusal(sharded)


def test_one_shard_under_two_names(sharded: Path) -> None:
    (sharded.parent / B).unlink()
    os.link(sharded.parent / A, sharded.parent / B)
    assert "two shards hold it" in refusal(sharded)


def test_map_that_says_less_or_more_than_the_shards(sharded: Path) -> None:
    path = listing(sharded.parent, {DENSE: [A, B], ADAM: [C]})
    assert f"{ADAM}: it is not listed, but in {B}" in refusal(path)
    path = listing(sharded.parent, {DENSE: [A, B, C], ADAM: [B, C]})
    assert f"{DENSE}: it is not in {C}" in refusal(path)


def test_total_size_is_compared(sharded: Path) -> None:
    path = listing(sharded.parent, {DENSE: [A, B], ADAM: [B, C]}, 99)
    assert "metadata: total_size: the shards hold 452 bytes of weights, but it says 99" in refusal(
        path
    )


@pytest.mark.parametrize(
    ("weight_map", "said"),
    [
        ({}, "it names 0 shards"),
        ([], "no map from variables to files"),
        (None, "no map from variables to files"),
        ({f"/{k}/vars": f"{k}.weights.h5" for k in range(MAX_SHARDS + 1)}, "it names 513 shards"),
    ],
)
def test_map_that_is_none(tmp_path: Path, weight_map: Any, said: str) -> None:
    assert refusal(listing(tmp_path, weight_map)).startswith(f"w.weights.json: weight_map: {said}")


def test_same_key_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.weights.json"
    path.write_text(f'{{"weight_map": {{"{DENSE}": "{A}", "{DENSE}": "{B}"}}}}')
    assert "twice" in refusal(path)


def test_list_is_no_architecture(sharded: Path) -> None:
    with pytest.raises(FormatError, match="file: weights only, no architecture"):
        read_archive(sharded, arch=sharded, isolated=False)
