"""Genuine files of every era, compared with what h5py and json say of them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from crafted import outline, values

from genuine import FixtureCase
from kerasir.importers.keras.archive import Archive, StoredWeight, read_architecture, read_archive


def stored(archive: Archive) -> Iterator[StoredWeight]:
    for group in archive.groups:
        yield from group.weights
    yield from archive.optimizer_weights


def datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """Every dataset of a file, by path."""
    found: dict[str, h5py.Dataset] = {}

    def note(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found[f"/{name}"] = item

    file.visititems(note)
    return found


def assert_same_numbers(archive: Archive, path: Path) -> None:
    """Each dataset of the file is in the record once, with its dtype, shape and numbers."""
    with h5py.File(path) as file:
        here = {p: d for p, d in datasets(file).items() if not p.startswith("/metrics/")}
        weights = {weight.path: weight for weight in stored(archive)}
        assert weights.keys() == here.keys()
        assert len(list(stored(archive))) == len(here)
        for place, dataset in here.items():
            source = weights[place].source
            assert source.dtype == dataset.dtype
            np.testing.assert_array_equal(values(source), dataset[()])


def has_hdf5(case: FixtureCase) -> bool:
    return any(case.folder.glob("*.h5"))


@pytest.mark.fixture_cases(where=has_hdf5)
def test_every_weight_and_slot_is_found(fixture_case: FixtureCase) -> None:
    for path in fixture_case.folder.glob("*.h5"):
        assert_same_numbers(read_archive(path, isolated=False), path)


@pytest.mark.fixture_cases(where=lambda case: case.model.suffix == ".h5")
def test_configuration_is_as_in_the_file(fixture_case: FixtureCase) -> None:
    archive = read_archive(fixture_case.model, arch=fixture_case.arch, isolated=False)
    if fixture_case.arch:
        assert archive.config == json.loads(fixture_case.arch.read_text())
        assert archive.architecture_path == str(fixture_case.arch)
        assert (archive.content, archive.origins["config"]) == ("weights", str(fixture_case.arch))
    else:
        with h5py.File(fixture_case.model) as file:
            text = file.attrs["model_config"]
            training = file.attrs.get("training_config", "null")
            version, backend = file.attrs["keras_version"], file.attrs.get("backend")
        assert archive.config == json.loads(text)
        assert archive.training_config == json.loads(training)
        assert archive.keras_version == np.array(version).astype(str)
        assert archive.backend == (None if backend is None else str(np.array(backend).astype(str)))
        assert archive.content == "model"
        assert archive.origins["config"] == "/@model_config"


def bare_weights(case: FixtureCase) -> Path:
    names = ("weights.h5", "model.weights.h5")
    return next((case.folder / n for n in names if (case.folder / n).exists()), Path("none"))


@pytest.mark.fixture_cases(where=lambda case: bare_weights(case).exists())
def test_version_and_backend_are_those_of_the_era(fixture_case: FixtureCase) -> None:
    weights = bare_weights(fixture_case)
    keras, _, backend = fixture_case.era.rpartition("-")
    version = keras.replace("tf-keras", "").removeprefix("keras")
    archive = read_archive(weights, isolated=False)
    says = version.startswith("2.")
    assert archive.keras_version == (version if says else None)
    assert archive.backend == (backend if says else None)
    assert archive.content == "weights"
    assert archive.config is None


@pytest.mark.fixture_cases(where=lambda case: (case.folder / "model.keras").exists())
def test_keras_archive_is_read_in_place(fixture_case: FixtureCase, tmp_path: Path) -> None:
    path = fixture_case.folder / "model.keras"
    archive = read_archive(path, isolated=False)
    with zipfile.ZipFile(path) as members:
        config = json.loads(members.read("config.json"))
        version = json.loads(members.read("metadata.json"))["keras_version"]
        inner = Path(members.extract("model.weights.h5", tmp_path))
    assert_same_numbers(archive, inner)
    assert (archive.config, archive.keras_version) == (config, version)
    assert archive.training_config == config.get("compile_config")
    assert (archive.container, archive.form, archive.content) == ("keras-zip", "paths", "model")


NAMES = {
    "keras0.3.3-theano/vgg_th": [("layer_1", ["param_0", "param_1"])],
    "keras0.3.3-theano/graph_net_th": [("graph", ["param_0", "param_1", "param_2"])],
    "keras1.2.2-theano/vgg_th": [("conv1_1", ["conv1_1_W", "conv1_1_b"])],
}


@pytest.mark.parametrize(("case", "expected"), NAMES.items(), ids=NAMES)
def test_names_are_those_of_the_file(
    genuine: object, case: str, expected: list[tuple[str, list[str]]]
) -> None:
    archive = read_archive(genuine(case).model, isolated=False)  # type: ignore[operator]
    found = [(layer, list(names)[:3]) for layer, names in outline(archive) if names]
    assert found[:1] == expected


@pytest.mark.parametrize("era", ["keras0.3.3-theano/vgg_tf", "keras2.2.4-theano/resnet_th",
                                 "keras3.15.1-jax/vgg_tf"])  # fmt: skip
def test_isolated_and_not_give_equal_records(genuine: object, era: str) -> None:
    case: FixtureCase = genuine(era)  # type: ignore[operator]
    for path in sorted([*case.folder.glob("*.h5"), *case.folder.glob("*.keras")]):
        near, far = (read_archive(path, isolated=isolated) for isolated in (False, True))
        for name in Archive.__struct_fields__:
            if name not in {"groups", "optimizer_weights"}:
                assert getattr(near, name) == getattr(far, name)
        assert outline(near) == outline(far)
        assert [group.name for group in near.groups] == [group.name for group in far.groups]
        pairs = list(zip(stored(near), stored(far), strict=True))
        assert pairs
        for one, other in pairs:
            assert (one.name, one.path) == (other.name, other.path)
            assert one.source.where == other.source.where
            np.testing.assert_array_equal(values(one.source), values(other.source))


@pytest.mark.fixture_cases(where=lambda case: (case.folder / "arch.json").exists())
def test_architecture_is_read_as_it_is(fixture_case: FixtureCase) -> None:
    path = fixture_case.folder / "arch.json"
    assert read_architecture(path) == json.loads(path.read_text())


def test_wild_files_are_read(shared_dir: Path) -> None:
    """Other people's files; those beside the models that hold data are refused by name."""
    folder = shared_dir / "realfiles" / "files"
    paths = sorted([*folder.glob("*/model.*"), *folder.glob("*/weights.h5")])
    assert len(paths) > 100
    for path in paths:
        archive = read_archive(path, isolated=False)
        assert archive.groups, path
        if archive.container == "hdf5":
            assert_same_numbers_but_extras(archive, path)


def assert_same_numbers_but_extras(archive: Archive, path: Path) -> None:
    with h5py.File(path) as file:
        for weight in stored(archive):
            np.testing.assert_array_equal(values(weight.source), file[weight.path][()])


def test_absolute_name_of_old_keras_counts_from_the_root(shared_dir: Path) -> None:
    path = shared_dir / "realfiles" / "files" / "kipoi-labranchor" / "model.h5"
    first = read_archive(path).optimizer_weights[0]
    assert (first.name, first.path) == ("/iterations", "/iterations")
