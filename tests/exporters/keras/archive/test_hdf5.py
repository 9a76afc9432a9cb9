"""HDF5 files as genuine Keras writes them, read back by h5py."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from pieces import Declared, arrays_of, declarations, fill_in_pieces

from genuine import FixtureCase
from kerasir.errors import ExportError
from kerasir.exporters.keras.archive.hdf5 import Archive, LayerGroup, hdf5_sink
from kerasir.exporters.keras.archive.skeleton import DEEPEST, LONGEST_LIST, Hdf5Sink
from kerasir.exporters.sink import FileSink, Tensor, writing
from kerasir.exporters.target import DiskError

DTYPES = ("float16", "float32", "float64", ">f4", "int8", "uint16", "int64", "bool", "V2")
F4 = np.dtype(np.float32)


def layer(name: str, *weights: tuple[str, tuple[int, ...]]) -> LayerGroup:
    return LayerGroup(name, tuple(Tensor(weight, F4, shape) for weight, shape in weights))


def write(sink: FileSink, path: Path) -> None:
    """Fill each tensor with its index."""
    with writing(sink, path):
        for index, tensor in enumerate(sink.tensors):
            sink.write(index, 0, np.full(tensor.size, index, tensor.dtype))


@given(declared=declarations(DTYPES), data=st.data())
@settings(max_examples=60)
def test_whatever_is_declared_and_written_in_pieces_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, declared: list[Declared], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("hdf5") / "m.h5"
    arrays = arrays_of(declared)
    sink = Hdf5Sink()
    for name, dtype, shape in declared:
        sink.declare(f"group/{name}", dtype, shape)
    with writing(sink, path):
        fill_in_pieces(sink, arrays, data.draw)
    with h5py.File(path, "r") as file:
        assert {*file.get("group", ())} == {each.name for each in declared}
        for each, array in zip(declared, arrays, strict=True):
            found = file[f"group/{each.name}"]
            assert found.dtype == array.dtype
            assert found.shape == array.shape
            assert found[...].tobytes() == array.tobytes()
    assert os.listdir(path.parent) == ["m.h5"]


# What genuine files hold, and what becomes of it when it is written again.


def text_of(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def texts_of(attributes: h5py.AttributeManager) -> tuple[tuple[str, str], ...]:
    return tuple((name, text_of(attributes[name])) for name in attributes if "names" not in name)


def archive_of(file: h5py.File) -> tuple[Archive, list[np.ndarray]]:
    """A genuine file as a record, and its arrays in order."""
    whole = "model_weights" in file
    top = file["model_weights"] if whole else file
    arrays: list[np.ndarray] = []

    def weights(group: h5py.Group) -> tuple[Tensor, ...]:
        names = [text_of(name) for name in group.attrs["weight_names"]]
        arrays.extend(group[name][()] for name in names)
        return tuple(Tensor(name, group[name].dtype, group[name].shape) for name in names)

    layers = tuple(
        LayerGroup(name, weights(top[name])) for name in map(text_of, top.attrs["layer_names"])
    )
    optimizer = weights(file["optimizer_weights"]) if "optimizer_weights" in file else ()
    archive = Archive(
        layers,
        texts_of(file.attrs),
        "model_weights" if whole else "",
        texts_of(top.attrs) if whole else (),
        optimizer,
    )
    return archive, arrays


def attribute(owner: h5py.HLObject, name: str) -> tuple[object, ...]:
    """All that a reader of HDF5 can see of an attribute."""
    stored = h5py.h5a.open(owner.id, name.encode())
    kind = stored.get_type()
    form: tuple[object, ...] = (kind.get_class(), kind.get_size())
    if isinstance(kind, h5py.h5t.TypeStringID):
        form += (kind.get_cset(), kind.get_strpad(), kind.is_variable_str())
    return (stored.shape, form, np.asarray(owner.attrs[name]).tolist())


def tree(owner: h5py.HLObject) -> dict[str, object]:
    """Everything in a file: attributes as stored, groups, datasets with their numbers."""
    found: dict[str, object] = {f"@{name}": attribute(owner, name) for name in owner.attrs}
    if isinstance(owner, h5py.Dataset):
        return found | {"": (owner.dtype, owner.shape, owner[()].tobytes())}
    return found | {name: tree(owner[name]) for name in owner}


@pytest.mark.fixture_cases(
    eras=(
        "keras1.2.2-theano",
        "keras1.2.2-tensorflow",
        "keras2.0.8-theano",
        "keras2.2.4-theano",
        "keras2.2.4-tensorflow",
        "keras2.3.1-theano",
    )
)
def test_a_genuine_file_written_again_is_the_same(
    tmp_path: Path, fixture_case: FixtureCase
) -> None:
    for number, path in enumerate(sorted(fixture_case.folder.glob("*.h5"))):
        with h5py.File(path, "r") as file:
            archive, arrays = archive_of(file)
            before = tree(file)
        sink = hdf5_sink(archive)
        with writing(sink, tmp_path / f"{number}.h5"):
            for index, array in enumerate(arrays):
                sink.write(index, 0, np.ascontiguousarray(array).reshape(-1))
        with h5py.File(tmp_path / f"{number}.h5", "r") as file:
            assert tree(file) == before


def test_indices_are_layer_by_layer_then_the_optimizers() -> None:
    archive = Archive(
        (layer("b", ("b/k", (2, 3)), ("b/b", (3,))), layer("none"), layer("a", ("k", (4,)))),
        optimizer=(Tensor("SGD/iterations", np.dtype(np.int64), ()),),
    )
    assert [tensor.name for tensor in hdf5_sink(archive).tensors] == [
        "model_weights/b/b/k",
        "model_weights/b/b/b",
        "model_weights/a/k",
        "optimizer_weights/SGD/iterations",
    ]


def test_layers_may_lie_inside_each_other(tmp_path: Path) -> None:
    archive = Archive(
        (layer("a/b", ("k", (2,))), layer("a", ("b/j", (3,))), layer("a/b/c/d")), weights_group=""
    )
    write(hdf5_sink(archive), tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r") as file:
        assert file.attrs["layer_names"].tolist() == [b"a/b", b"a", b"a/b/c/d"]
        assert file["a/b"].attrs["weight_names"].tolist() == [b"k"]
        assert file["a"].attrs["weight_names"].tolist() == [b"b/j"]
        assert file["a/b/c/d"].attrs["weight_names"].shape == (0,)
        np.testing.assert_array_equal(file["a/b/k"], [0, 0])
        np.testing.assert_array_equal(file["a/b/j"], [1, 1, 1])


def test_old_libraries_read_the_form(tmp_path: Path) -> None:
    archive = Archive(
        tuple(layer(f"l{number}", ("k", (number,))) for number in range(50)),
        (("model_config", "x" * 500_000),),
        beside_layers=tuple((f"attribute{number}", "text") for number in range(30)),
    )
    write(hdf5_sink(archive), tmp_path / "m.h5")
    content = (tmp_path / "m.h5").read_bytes()
    assert content[:9] == b"\x89HDF\r\n\x1a\n\0"  # ... and a superblock of version 0
    for signature in (b"OHDR", b"FRHP", b"BTHD", b"OCHK"):  # none of it was in HDF5 1.6
        assert signature not in content
    with h5py.File(tmp_path / "m.h5", "r") as file:
        for number in range(50):
            creation = file[f"model_weights/l{number}/k"].id.get_create_plist()
            assert creation.get_layout() == h5py.h5d.CONTIGUOUS
            assert creation.get_nfilters() == 0


def test_numbers_lie_in_the_declared_order(tmp_path: Path) -> None:
    archive = Archive(tuple(layer(f"l{number % 3}{number}", ("k", (5,))) for number in range(9)))
    write(hdf5_sink(archive), tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r") as file:
        weights = [file[f"model_weights/{each.name}/k"].id for each in archive.layers]
        offsets = [weight.get_offset() for weight in weights]
    assert offsets == sorted(offsets)
    assert None not in offsets


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    archive = Archive((layer("a", ("a/k", (2, 3)), ("a/b", (3,))),), (("backend", "theano"),))
    for name in ("one.h5", "two.h5"):
        write(hdf5_sink(archive), tmp_path / name)
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


# Long lists


def read_names(attributes: h5py.AttributeManager, name: str) -> list[str]:
    """As Keras 2.2.4 reads a list of names."""
    if name in attributes:
        return [text.decode() for text in attributes[name]]
    found, number = [], 0
    while f"{name}{number}" in attributes:
        found += [text.decode() for text in attributes[f"{name}{number}"]]
        number += 1
    return found


@pytest.mark.parametrize(("count", "length"), [(10_000, 20), (70, 3000), (3, 60_000), (2152, 30)])
def test_long_lists_of_names_are_cut_as_keras_cuts_them(
    tmp_path: Path, count: int, length: int
) -> None:
    names = [f"{number:0{length if number % 2 else 5}}" for number in range(count)]
    weights = tuple((f"w{name}", (1,)) for name in names[:50])
    archive = Archive((*map(LayerGroup, names), layer("last", *weights)))
    write(hdf5_sink(archive), tmp_path / "m.h5")

    chunks = 1
    texts = np.array([name.encode() for name in (*names, "last")])
    while any(part.nbytes > 64_512 for part in np.array_split(texts, chunks)):
        chunks += 1
    assert chunks > 1
    with h5py.File(tmp_path / "m.h5", "r") as file:
        attributes = file["model_weights"].attrs
        assert read_names(attributes, "layer_names") == [*names, "last"]
        for number, part in enumerate(np.array_split(texts, chunks)):
            found = attributes[f"layer_names{number}"]
            np.testing.assert_array_equal(found, part)
            assert found.dtype.itemsize <= part.dtype.itemsize
        assert f"layer_names{chunks}" not in attributes
        group = file["model_weights/last"]
        assert read_names(group.attrs, "weight_names") == [name for name, _ in weights]
        np.testing.assert_array_equal(group[weights[-1][0]], [len(weights) - 1])


def test_a_list_that_just_fits_is_whole(tmp_path: Path) -> None:
    names = [f"{number:08}" for number in range(LONGEST_LIST // 8)]
    archive = Archive(tuple(map(LayerGroup, names)), chunked=False)
    write(hdf5_sink(archive), tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r") as file:
        assert read_names(file["model_weights"].attrs, "layer_names") == names
        assert list(file["model_weights"].attrs) == ["layer_names"]


def test_readers_that_know_no_cut_lists_get_none() -> None:
    layers = tuple(LayerGroup(f"{number:05}") for number in range(13_000))
    message = "model_weights: layer_names takes 65,000 bytes; this Keras reads 64,512 at most"
    with pytest.raises(ExportError, match=message):
        hdf5_sink(Archive(layers, chunked=False))


def test_a_long_configuration_is_whole(tmp_path: Path) -> None:
    config = "é" * 2_000_000
    archive = Archive((), (("model_config", config), ("keras_version", "2.2.4")))
    write(hdf5_sink(archive), tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r") as file:
        assert text_of(file.attrs["model_config"]) == config
        assert file.attrs["keras_version"] == "2.2.4"
        assert file["model_weights"].attrs["layer_names"].shape == (0,)
        assert file["model_weights"].attrs["layer_names"].dtype == np.float64


# What cannot be held


@pytest.mark.parametrize("name", ["", ".", "/", "..", "/a", "//a", "a/../b", "a\0b", "a\udc80"])
def test_names_that_mean_something_else_are_refused(name: str) -> None:
    with pytest.raises(ExportError, match=r"an HDF5 file cannot hold a name|in UTF-8"):
        hdf5_sink(Archive((layer("layer", (name, (2,))),)))
    with pytest.raises(ExportError, match="an HDF5 file cannot hold a name"):
        hdf5_sink(Archive((layer(name),)))


@pytest.mark.parametrize("name", ["a//b", "a/b/", "./a/b", "a/./b"])
def test_names_lie_where_hdf5_itself_looks_them_up(tmp_path: Path, name: str) -> None:
    write(hdf5_sink(Archive((layer(name, (f"{name}/kernel", (2,))),))), tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r") as file:
        assert read_names(file["model_weights"].attrs, "layer_names") == [name]
        group = file["model_weights"][name]
        assert group[read_names(group.attrs, "weight_names")[0]].shape == (2,)


def test_names_do_not_nest_without_end() -> None:
    deepest = "/".join("a" * (DEEPEST - 2))
    assert hdf5_sink(Archive((layer("layer", (deepest, (2,))),))).tensors
    with pytest.raises(ExportError, match="the name has 65 parts, and 64 is the limit"):
        hdf5_sink(Archive((layer("layer", (f"{deepest}/a", (2,))),)))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((layer("a"), layer("b"), layer("a")), "^a: two layers of this name"),
        ((layer("a", ("k", (2,)), ("k", (2,))),), "^model_weights/a/k: two tensors of this name"),
        ((layer("a", ("k", (2,)), ("k/j", (2,))),), "k: a dataset of this name is in the file"),
        ((layer("a", ("k/j", (2,)), ("k", (2,))),), "k: a group of this name is in the file"),
        ((layer("a", ("k", (2,))), layer("a/k")), "a/k: a dataset of this name is in the file"),
    ],
)
def test_one_name_for_two_things_is_refused(layers: tuple[LayerGroup, ...], message: str) -> None:
    with pytest.raises(ExportError, match=message):
        hdf5_sink(Archive(layers))


@pytest.mark.parametrize("dtype", ["S3", "U3", "M8[s]", "complex64"])
def test_dtypes_that_no_keras_file_holds_are_refused(dtype: str) -> None:
    with pytest.raises(ExportError, match="HDF5 files of Keras hold no"):
        Hdf5Sink().declare("w", dtype, (2,))


def test_attributes_that_would_be_cut_are_refused() -> None:
    with pytest.raises(ExportError, match="the attribute backend holds a NUL"):
        hdf5_sink(Archive((), (("backend", "thea\0no"),)))
    with pytest.raises(ExportError, match="model_config cannot be written in UTF-8"):
        hdf5_sink(Archive((), (("model_config", "\udc80"),)))
    with pytest.raises(ExportError, match="takes 66,000 bytes, and 64,512 is the limit"):
        Hdf5Sink().attribute("group", "names", [b"abc"] * 22_000)
    with pytest.raises(ExportError, match="a name of 70,000 bytes; 64,512 is the limit"):
        hdf5_sink(Archive((layer("a" * 70_000),)))


def test_groups_datasets_and_texts_of_other_forms(tmp_path: Path) -> None:
    sink = Hdf5Sink()
    sink.declare("layers/dense/vars/0", "V2", (2, 3))
    sink.attribute("layers/dense/vars/0", "dtype", "bfloat16")
    sink.attribute("layers/dense/vars", "name", "é")
    sink.group("layers/flatten/vars")
    with writing(sink, tmp_path / "m.h5"):
        sink.write(0, 0, np.arange(6, dtype=np.uint16).view("V2"))
    with h5py.File(tmp_path / "m.h5", "r") as file:
        found = file["layers/dense/vars/0"]
        assert found.attrs["dtype"] == "bfloat16"
        assert h5py.check_string_dtype(found.attrs.get_id("dtype").dtype).encoding == "utf-8"
        assert file["layers/dense/vars"].attrs["name"] == "é"
        assert list(file["layers/flatten/vars"]) == []
        np.testing.assert_array_equal(found[()].view(np.uint16), [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize("room", [1_000, 60_000, 200_000])
def test_a_disk_that_is_full_while_the_skeleton_is_written(tmp_path: Path, room: int) -> None:
    layers = tuple(layer(f"l{number}", ("k", (300,))) for number in range(100))
    sink, path = hdf5_sink(Archive(layers)), tmp_path / "m.h5"
    path.write_text("old")
    expected = r"m\.h5: file: larger than a file may be here after 0\.0 of"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        with pytest.raises(DiskError, match=expected), writing(sink, path, overwrite=True):
            pytest.fail("the block ran")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["m.h5"]
