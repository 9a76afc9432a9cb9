"""How weights are named, listed and nested in HDF5: every form, and what does not fit it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from crafted import (
    CONFIG,
    dense,
    model_file,
    numbers,
    outline,
    paths_bytes,
    values,
    weight,
    weights_file,
    write_named,
)

from kerasir.errors import FormatError
from kerasir.importers.keras.archive import read_archive as read_isolated

DENSE = [("flat", []), ("dense", ["dense/kernel", "dense/bias"])]


def read_archive(path: Path, **options: Any) -> Any:
    return read_isolated(path, isolated=False, **options)


def message(path: Path) -> str:
    """What is said of a file, without its name."""
    with pytest.raises(FormatError) as caught:
        read_archive(path)
    assert caught.value.file == str(path)
    return str(caught.value).removeprefix(f"{path}: ")


def test_whole_model(tmp_path: Path) -> None:
    path = model_file(tmp_path / "m.h5", keras_version=np.bytes_("2.1.3"), backend="theano")
    archive = read_archive(path)
    assert outline(archive) == DENSE
    assert (archive.container, archive.form, archive.content) == ("hdf5", "named", "model")
    assert (archive.keras_version, archive.backend) == ("2.1.3", "theano")
    assert archive.config == CONFIG
    assert archive.size == path.stat().st_size
    np.testing.assert_array_equal(
        weight(archive, "/model_weights/dense/dense/kernel"), numbers(6, 5)
    )


def test_weights_of_a_file_and_architecture_of_another(tmp_path: Path) -> None:
    weights = weights_file(tmp_path / "w.h5")
    arch = tmp_path / "arch.json"
    arch.write_text(json.dumps({**CONFIG, "keras_version": "1.2.2", "backend": "theano"}))
    archive = read_archive(weights, arch=arch)
    assert archive.content == "weights"
    assert archive.architecture_path == str(arch)
    assert archive.config["class_name"] == "Sequential"
    assert (archive.keras_version, archive.origins["keras_version"]) == ("1.2.2", str(arch))
    assert archive.backend is None  # the weights may have another writer


def test_architecture_may_come_from_a_model_file(tmp_path: Path) -> None:
    weights, model = weights_file(tmp_path / "w.h5"), model_file(tmp_path / "m.h5")
    assert read_archive(weights, arch=model).config == CONFIG
    with pytest.raises(FormatError, match="weights only, no architecture"):
        read_archive(model, arch=weights)


def test_given_architecture_takes_the_place_of_the_files_own(tmp_path: Path) -> None:
    arch = tmp_path / "arch.json"
    arch.write_text(json.dumps({"class_name": "Model", "config": {}}))
    archive = read_archive(model_file(tmp_path / "m.h5", config="broken"), arch=arch)
    assert (archive.content, archive.config["class_name"]) == ("model", "Model")


def test_version_beside_the_weights_counts_before_that_of_the_root(tmp_path: Path) -> None:
    path = model_file(tmp_path / "m.h5", keras_version="2.2.0")
    with h5py.File(path, "a") as file:
        file["model_weights"].attrs["keras_version"] = "2.1.0"
    archive = read_archive(path)
    assert archive.keras_version == "2.1.0"
    assert archive.origins["keras_version"] == "/model_weights@keras_version"


LISTS = {
    "fixed": [b"flat", b"dense"],
    "variable": np.array(["flat", "dense"], dtype=object),
    "padded": np.array([b"flat", b"dense"], dtype="S30"),
}


@pytest.mark.parametrize("names", LISTS.values(), ids=LISTS)
def test_lists_of_names_in_every_spelling(tmp_path: Path, names: Any) -> None:
    path = weights_file(tmp_path / "w.h5")
    with h5py.File(path, "a") as file:
        file.attrs["layer_names"] = names
    assert outline(read_archive(path)) == DENSE


def test_long_lists_are_in_pieces(tmp_path: Path) -> None:
    layers = {f"layer_{i}": {} for i in range(25)}
    layers["d"] = {f"d/{i}": numbers(i) for i in range(12)}
    path = weights_file(tmp_path / "w.h5", layers)
    with h5py.File(path, "a") as file:
        for group, name in ((file, "layer_names"), (file["d"], "weight_names")):
            whole = group.attrs[name]
            del group.attrs[name]
            for piece, at in enumerate(range(0, len(whole), 10)):
                group.attrs[f"{name}{piece}"] = whole[at : at + 10]
    archive = read_archive(path)
    assert outline(archive) == [(layer, list(names)) for layer, names in layers.items()]
    assert archive.attributes == {}


def test_names_with_slashes_are_nested_groups(tmp_path: Path) -> None:
    names = ("model/block/dense/kernel:0", "model/block/dense/bias:0", "other")
    layers = {"scope/dense": {name: numbers(2, i + 3) for i, name in enumerate(names)}}
    archive = read_archive(weights_file(tmp_path / "w.h5", layers))
    assert outline(archive) == [("scope/dense", list(names))]
    for i, stored in enumerate(archive.groups[0].weights):
        np.testing.assert_array_equal(values(stored.source), numbers(2, i + 3))


def test_name_with_a_leading_slash_counts_from_the_root(tmp_path: Path) -> None:
    path = model_file(tmp_path / "m.h5")
    with h5py.File(path, "a") as file:
        group = file.create_group("optimizer_weights")
        group.attrs["weight_names"] = [b"/iterations", b"opt/m"]
        file["iterations"] = np.int64(7)
        group["opt/m"] = numbers(5)
    archive = read_archive(path)
    assert [(w.name, w.path) for w in archive.optimizer_weights] == [
        ("/iterations", "/iterations"),
        ("opt/m", "/optimizer_weights/opt/m"),
    ]
    assert values(archive.optimizer_weights[0].source) == 7
    assert archive.ignored == ()


def test_what_else_the_file_holds_is_told(tmp_path: Path) -> None:
    path = model_file(tmp_path / "m.h5", note="hello", scale=0.5, count=3, table=[1, 2])
    with h5py.File(path, "a") as file:
        file.create_group("model_weights/top_level_model_weights").attrs["weight_names"] = []
        file.create_group("model_weights/stray")
        file["history"] = numbers(3)
    archive = read_archive(path)
    assert archive.attributes == {"note": "hello", "scale": 0.5, "count": 3}
    assert set(archive.ignored) == {"/model_weights/stray", "/history", "/@table"}
    assert outline(archive) == DENSE


def test_variables_of_the_model_itself_are_kept(tmp_path: Path) -> None:
    path = weights_file(tmp_path / "w.h5")
    with h5py.File(path, "a") as file:
        group = file.create_group("top_level_model_weights")
        group.attrs["weight_names"] = [b"temperature:0"]
        group["temperature:0"] = numbers(2)
    assert outline(read_archive(path))[-1] == ("top_level_model_weights", ["temperature:0"])


def test_numbered_layers_of_keras_0(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file.attrs["nb_layers"] = 12
        for k in range(12):
            group = file.create_group(f"layer_{k}")
            group.attrs["nb_params"] = 11 if k == 10 else 0
        for n in range(11):
            file[f"layer_10/param_{n}"] = numbers(n + 1)
    archive = read_archive(path)
    assert archive.form == "numbered"
    assert [group.layer for group in archive.groups] == [f"layer_{k}" for k in range(12)]
    shapes = [w.source.shape for w in archive.groups[10].weights]
    assert shapes == [(n + 1,) for n in range(11)]


def test_graph_of_keras_0(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("graph")
        group.attrs["nb_params"] = 2
        group["param_0"], group["param_1"] = numbers(3, 4), numbers(4)
    archive = read_archive(path)
    assert (archive.form, outline(archive)) == ("graph", [("graph", ["param_0", "param_1"])])


def test_paths_of_keras_3(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    groups: dict[str, dict[str, Any]] = {
        "layers/dense_10": {"0": numbers(2, 3)},
        "layers/dense_2": {str(i): numbers(i + 1) for i in range(11)},
        "layers/dense": {},
        "layers/lstm/cell": {"0": numbers(3, 4)},
        "optimizer": {str(i): numbers(i + 2) for i in range(11)},
        "metrics/mean": {"0": numbers(1)},
    }
    path.write_bytes(paths_bytes(groups))
    archive = read_archive(path)
    assert (archive.container, archive.form) == ("weights-h5", "paths")
    assert outline(archive) == [
        ("layers/dense", []),
        ("layers/dense_2", [str(i) for i in range(11)]),
        ("layers/dense_10", ["0"]),
        ("layers/lstm/cell", ["0"]),
    ]
    assert [group.name for group in archive.groups] == ["dense", "dense_2", "dense_10", "cell"]
    assert [w.name for w in archive.optimizer_weights] == [f"vars/{i}" for i in range(11)]
    assert [w.source.shape for w in archive.optimizer_weights] == [(i + 2,) for i in range(11)]
    assert [group.layer for group in archive.beside] == ["metrics/mean"]
    assert archive.ignored == ()


def test_paths_of_the_first_keras_archives(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    path.write_bytes(paths_bytes({"_layer_checkpoint_dependencies/dense": {"0": numbers(2, 3)}}))
    assert outline(read_archive(path)) == [("_layer_checkpoint_dependencies/dense", ["0"])]


def test_hdf5_behind_a_user_block(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w", userblock_size=1024) as file:
        write_named(file, dense())
    archive = read_archive(path)
    np.testing.assert_array_equal(weight(archive, "/dense/dense/kernel"), numbers(6, 5))


def test_newest_hdf5_structures(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w", libver="latest") as file:
        write_named(file, dense())
    archive = read_archive(path)
    np.testing.assert_array_equal(weight(archive, "/dense/dense/bias"), numbers(5, start=90))


def test_data_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "features.h5"
    with h5py.File(path, "w") as file:
        file["features"], file["labels"] = numbers(4, 3), numbers(4, dtype="<i8")
    assert message(path) == (
        "file: HDF5, but no Keras model or weights in it (looked for layer_names, nb_layers, "
        "model_config, layers/, _layer_checkpoint_dependencies/)\n"
        "  It holds 2 datasets: features (4, 3) float32, labels (4,) int64: data, it seems."
    )


def spoil(path: Path, change: Any) -> Path:
    with h5py.File(path, "a") as file:
        change(file)
    return path


def _delete(name: str) -> Any:
    return lambda file: file.__delitem__(name)


def _attribute(group: str, name: str, value: Any) -> Any:
    return lambda file: file[group].attrs.__setitem__(name, value)


SPOILT = {
    "group missing": (_delete("dense"), "/dense: the group is missing"),
    "dataset missing": (_delete("dense/dense/bias"), "/dense/dense/bias: the dataset is missing"),
    "names missing": (
        lambda file: file["dense"].attrs.__delitem__("weight_names"),
        "/dense: the group has no weight_names"
        " (its writer stopped here: a vocabulary that was learnt can be saved as .keras)",
    ),
    "dataset for a group": (
        lambda file: (file.__delitem__("dense"), file.__setitem__("dense", numbers(2))),
        "/dense: not a group, as it should be",
    ),
    "group for a dataset": (
        _attribute("dense", "weight_names", [b"dense"]),
        "/dense/dense: not a dataset, as it should be",
    ),
    "layer twice": (
        _attribute("/", "layer_names", [b"flat", b"dense", b"flat"]),
        "/: layer_names lists 'flat' twice",
    ),
    "weight twice": (
        _attribute("dense", "weight_names", [b"dense/bias", b"dense/bias"]),
        "/dense: weight_names lists 'dense/bias' twice",
    ),
    "numbers for names": (
        _attribute("/", "layer_names", [1, 2]),
        "/: the attribute layer_names is not a list of names: int64 of shape (2,)",
    ),
    "one name for a list": (
        _attribute("/", "layer_names", "dense"),
        "/: the attribute layer_names is not a list of names: object of shape ()",
    ),
    "no UTF-8": (
        _attribute("/", "layer_names", [b"d\xff"]),
        "/@layer_names: not UTF-8 text: byte 1 is 0xff",
    ),
    "climbing": (
        _attribute("dense", "weight_names", [b"../flat"]),
        "/dense: '..' is no name for an object",
    ),
    "no name": (_attribute("/", "layer_names", [b"/a"]), "/: '/a' is no name for an object"),
    "control characters": (
        _attribute("/", "layer_names", [b"a\x1b[2J"]),
        "/a\\x1b[2J: the group is missing",
    ),
}


@pytest.mark.parametrize(("change", "said"), SPOILT.values(), ids=SPOILT)
def test_what_does_not_fit_is_named(tmp_path: Path, change: Any, said: str) -> None:
    assert message(spoil(weights_file(tmp_path / "w.h5"), change)) == said


BAD_CONFIGS = {
    "no JSON": ("{", "/@model_config: not JSON: Expecting property name enclosed in double quotes"),
    "a list": ("[1]", "/@model_config: a list where a mapping is expected"),
    "NaN": ('{"units": NaN}', "/@model_config: NaN is no number of JSON"),
}


@pytest.mark.parametrize(("config", "said"), BAD_CONFIGS.values(), ids=BAD_CONFIGS)
def test_configuration_that_is_none_is_named(tmp_path: Path, config: str, said: str) -> None:
    assert message(model_file(tmp_path / "m.h5", config=config)).startswith(said)


def test_configuration_of_another_type_is_named(tmp_path: Path) -> None:
    path = model_file(tmp_path / "m.h5")
    spoil(path, _attribute("/", "model_config", [1.0, 2.0]))
    assert message(path) == "/: the attribute model_config is not text: float64 of shape (2,)"


def test_model_without_weights_is_named(tmp_path: Path) -> None:
    path = spoil(model_file(tmp_path / "m.h5"), _delete("model_weights"))
    assert message(path) == "/model_weights: the group is missing"


@pytest.mark.parametrize("count", [-1, 10**9])
def test_absurd_count_of_layers_is_named(tmp_path: Path, count: int) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file.attrs["nb_layers"] = count
    assert message(path) == f"/: nb_layers is {count}, expected 0 to 100000"


def test_opening_many_layers_reads_no_numbers(tmp_path: Path) -> None:
    """Five hundred layers and a tensor of 3 GB, of which the file system holds nothing."""
    layers = {f"d{i}": {f"d{i}/k": numbers(2, 3)} for i in range(500)}
    path = weights_file(tmp_path / "w.h5", layers)
    with h5py.File(path, "a") as file:
        group = file.create_group("big")
        group.attrs["weight_names"] = [b"kernel"]
        file.attrs["layer_names"] = [name.encode() for name in (*layers, "big")]
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        space = h5py.h5s.create_simple((30_000, 25_000))
        h5py.h5d.create(group.id, b"kernel", h5py.h5t.IEEE_F32LE, space, properties)
    assert path.stat().st_size > 3_000_000_000
    archive = read_isolated(path)
    assert len(archive.groups) == 501
    big = archive.groups[-1].weights[0].source
    tail = np.ones(4, np.float32)
    big.read_into(30_000 * 25_000 - 4, tail)
    assert tail.tolist() == [0, 0, 0, 0]
