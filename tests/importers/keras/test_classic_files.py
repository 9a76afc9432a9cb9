"""Files of Keras 1 and 2 as other writers, backends and versions of h5py leave them.

Each is a genuine file with one thing written otherwise; it must predict what its author's did.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml

import kerasir
from genuine import FixtureCase
from kerasir.ir.plan import Policy
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

Genuine = Callable[[str], FixtureCase]

FILES = ("keras1.2.2-tensorflow/vgg_tf", "keras2.2.4-tensorflow/vgg_tf")
THEANO = ("keras1.2.2-theano/vgg_th", "keras2.2.4-theano/flat_dense_th")
TEXTS = ("model_config", "training_config", "keras_version", "backend")
CLOSE = 1e-5


def predicts(model: kerasir.Model, case: FixtureCase) -> bool:
    found = evaluate(solve(model.graph, Policy()), case.inputs())
    pairs = zip(found, case.outputs(), strict=True)
    return all(np.abs(mine - want).max() < CLOSE * np.abs(want).max() for mine, want in pairs)


def text(value: Any) -> str:
    return value if isinstance(value, str) else bytes(value).decode()


def texts(file: h5py.File, write: Callable[[str], Any], names: tuple[str, ...] = TEXTS) -> None:
    """Write attributes that are texts otherwise."""
    for group in (file, file["model_weights"]):
        for name in set(group.attrs).intersection(names):
            group.attrs[name] = write(text(group.attrs[name]))


def renamed(file: h5py.File, name: Callable[[str, int], str]) -> None:
    """Call all weights otherwise; the function is told the old name, and how many came before."""
    count = 0
    for group in file["model_weights"].values():
        arrays = [(text(old), group[old][()]) for old in group.attrs["weight_names"]]
        for old in list(group):
            del group[old]
        listed = []
        for old, array in arrays:
            listed.append(name(old, count).encode())
            group[listed[-1].decode()] = array
            count += 1
        group.attrs["weight_names"] = listed or np.zeros(0)


def in_pieces(file: h5py.File) -> None:
    lists = [(file["model_weights"], "layer_names"), (file["optimizer_weights"], "weight_names")]
    lists += [(group, "weight_names") for group in file["model_weights"].values()]
    for group, name in lists:
        whole = group.attrs[name]
        del group.attrs[name]
        for piece, at in enumerate(range(0, max(1, len(whole)), 2)):
            group.attrs[f"{name}{piece}"] = whole[at : at + 2]


def lists_of_strings(file: h5py.File) -> None:
    groups = file["model_weights"]
    for group, name in [(groups, "layer_names"), *((g, "weight_names") for g in groups.values())]:
        if len(found := group.attrs[name]):
            group.attrs[name] = np.array([text(value) for value in found], dtype=object)


def by_backend(name: Any) -> Callable[[h5py.File], None]:
    def write(file: h5py.File) -> None:
        texts(file, lambda _: name, ("backend",))
        file["model_weights"].attrs["backend"] = name

    return write


def unsaid(file: h5py.File) -> None:
    for group in (file, file["model_weights"]):
        for name in {"keras_version", "backend"}.intersection(group.attrs):
            del group.attrs[name]


VARIANTS: dict[str, Callable[[h5py.File], object]] = {
    "lists in pieces": in_pieces,
    "lists of strings": lists_of_strings,
    "JSON twice over": lambda file: texts(file, json.dumps, TEXTS[:2]),
    "str": lambda file: texts(file, str),
    "bytes": lambda file: texts(file, lambda said: np.bytes_(said.encode())),
    "arrays of one": lambda file: texts(file, lambda said: np.array([said], dtype=object)),
    "nothing said": unsaid,
}
"""Of any backend."""

OF_TENSORFLOW: dict[str, Callable[[h5py.File], object]] = {
    "suffixes": lambda file: renamed(file, lambda old, n: old.removesuffix(":0") + f"_{n}:0"),
    "Variable": lambda file: renamed(file, lambda _, n: f"Variable_{n}:0" if n else "Variable:0"),
    "CNTK": by_backend("cntk"),
    "MXNet": by_backend(np.bytes_("mxnet")),
}
"""Kernels of CNTK and MXNet lie as TensorFlow's do (Keras 2.3.1, keras/engine/saving.py,
`_need_convert_kernel`)."""


def varied(case: FixtureCase, folder: Path, change: Callable[[h5py.File], object]) -> Path:
    path = Path(shutil.copy(case.model, folder / "model.h5"))
    with h5py.File(path, "a") as file:
        change(file)
    return path


@pytest.mark.parametrize("name", FILES + THEANO)
@pytest.mark.parametrize("change", VARIANTS.values(), ids=VARIANTS)
def test_one_thing_written_otherwise(
    genuine: Genuine, tmp_path: Path, name: str, change: Callable[[h5py.File], object]
) -> None:
    case = genuine(name)
    model = kerasir.load(varied(case, tmp_path, change))
    assert predicts(model, case)
    assert model.training is not None
    assert model.training.slots


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("change", OF_TENSORFLOW.values(), ids=OF_TENSORFLOW)
def test_names_and_backends_of_kernels_that_are_not_reversed(
    genuine: Genuine, tmp_path: Path, name: str, change: Callable[[h5py.File], object]
) -> None:
    case = genuine(name)
    assert predicts(kerasir.load(varied(case, tmp_path, change)), case)


@pytest.mark.parametrize("name", FILES + THEANO)
def test_numbered_names_in_the_groups_of_layers(
    genuine: Genuine, tmp_path: Path, name: str
) -> None:
    """Weights without a name, of Keras 1; nothing but the user can then tell the backend."""
    case = genuine(name)
    path = varied(case, tmp_path, lambda file: renamed(file, lambda _, n: f"param_{n}"))
    assert predicts(kerasir.load(path, backend=case.backend), case)


@pytest.mark.parametrize("name", FILES + THEANO)
@pytest.mark.parametrize("flow", [False, True], ids=["block", "flow"])
def test_yaml_beside_a_file_that_holds_a_whole_model(
    genuine: Genuine, tmp_path: Path, name: str, flow: bool
) -> None:
    """The file's own architecture is left alone; shapes are tuples, as `to_yaml` wrote them."""

    def tuples(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: tuples(inner) for key, inner in value.items()}
        if isinstance(value, list):
            whole = all(isinstance(inner, int | None) for inner in value)
            return tuple(value) if whole else [tuples(inner) for inner in value]
        return value

    case = genuine(name)
    with h5py.File(case.model) as file:
        config = json.loads(text(file.attrs["model_config"]))
        config["backend"] = case.backend
    arch = tmp_path / "arch.yaml"
    arch.write_text(yaml.dump(tuples(config), default_flow_style=flow))
    assert "!!python/tuple" in arch.read_text()
    spoiled = varied(case, tmp_path, lambda file: texts(file, lambda _: "{}", TEXTS[:1]))
    assert predicts(kerasir.load(spoiled, arch=arch), case)


@pytest.mark.parametrize("spell", [str.capitalize, "b'{}'".format, "{} ".format])
@pytest.mark.parametrize("name", ["keras2.2.4-theano/flat_dense_th", FILES[1]])
def test_spellings_of_a_backend(
    genuine: Genuine, tmp_path: Path, name: str, spell: Callable[[str], str]
) -> None:
    case = genuine(name)
    model = kerasir.load(varied(case, tmp_path, by_backend(spell(case.backend))))
    assert predicts(model, case)
    assert (model.facts.backend.value, model.facts.backend.trust) == (case.backend, "file")


def test_backend_that_nobody_knows_is_no_evidence(genuine: Genuine, tmp_path: Path) -> None:
    """Taken for one that correlates, it would leave kernels of Theano reversed."""
    case = genuine("keras2.2.4-theano/flat_dense_th")
    model = kerasir.load(varied(case, tmp_path, by_backend("unknown")))
    assert predicts(model, case)
    assert "KB101" in {event.code for event in model.report}


def test_plaidml_correlates(genuine: Genuine, tmp_path: Path) -> None:
    case = genuine(FILES[1])
    path = varied(case, tmp_path, by_backend("plaidml.keras.backend"))
    model = kerasir.load(path)
    assert predicts(model, case)
    assert model.facts.backend.value == "plaidml"
