"""Keras 2 HDF5 files: read the genuine ones, write such as Keras 2.2.4 wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from .evaluate import sequential_entries
from .example import Example
from .layer import Array, Config
from .weights import slots

VERSION = "2.2.4"


class Contents(NamedTuple):
    """A file as `evaluate` wants it."""

    config: Config
    weights: dict[str, list[Array]]
    backend: str
    version: str


def read_keras2(path: Path) -> Contents:
    """Read a whole-model file of Keras 2.0 to 2.3; a nested model's weights are told by order."""
    with h5py.File(path, "r") as file:
        config = json.loads(_text(file.attrs["model_config"]))
        weights: dict[str, list[Array]] = {}
        for entry in sequential_entries(config["config"]):
            name = entry.get("name") or entry["config"]["name"]
            if name not in file["model_weights"]:  # a Sequential's own InputLayer has no group
                assert not slots(entry), name
                continue
            group = file["model_weights"][name]
            stored = [_text(weight) for weight in group.attrs["weight_names"]]
            wanted = slots(entry)
            if not wanted:  # a class that we do not know keeps its arrays as they come
                weights[name] = [group[weight][()] for weight in stored]
                continue
            assert [slot.name for slot in wanted] == [w.removesuffix(":0") for w in stored], name
            for slot, weight in zip(wanted, stored, strict=True):
                weights.setdefault(slot.path, []).append(group[weight][()])
        backend, version = (_text(file.attrs[key]) for key in ("backend", "keras_version"))
    return Contents(config, weights, backend, version)


def _text(found: Any) -> str:
    return found.decode() if isinstance(found, bytes) else str(found)


def write_keras2(example: Example, path: Path, backend: str = "theano") -> Path:
    """Write a model that was never compiled, as `model.save` of Keras 2.2.4 does.

    Source of the attributes' types, names and order: the genuine files of that version.
    """
    with h5py.File(path, "w") as file:
        _write_origin(file, backend)
        write_text(file, "model_config", json.dumps(example.config))
        _write_groups(file.create_group("model_weights"), example, backend)
    return path


def write_keras2_weights(example: Example, path: Path, backend: str = "theano") -> Path:
    """Write as `model.save_weights` does; `architecture` is what belongs beside it."""
    with h5py.File(path, "w") as file:
        _write_groups(file, example, backend)
    return path


def architecture(example: Example, backend: str = "theano") -> str:
    """What `model.to_json` returns."""
    return json.dumps(example.config | {"keras_version": VERSION, "backend": backend})


def _write_groups(top: h5py.Group, example: Example, backend: str) -> None:
    entries = sequential_entries(example.config["config"])
    names = [entry.get("name") or entry["config"]["name"] for entry in entries]
    top.attrs["layer_names"] = np.array([name.encode() for name in names])
    _write_origin(top, backend)
    suffix = ":0" if backend == "tensorflow" else ""
    for name, entry in zip(names, entries, strict=True):
        group = top.create_group(name)
        listed = slots(entry)
        stored = [slot.name + suffix for slot in listed]
        group.attrs["weight_names"] = np.array([weight.encode() for weight in stored])
        for slot, weight in zip(listed, stored, strict=True):
            group.create_dataset(weight, data=example.weights[slot.path][slot.place])


def _write_origin(group: h5py.Group, backend: str) -> None:
    write_text(group, "keras_version", VERSION)
    write_text(group, "backend", backend)


def write_text(group: h5py.Group, key: str, text: str) -> None:
    """Variable length, marked ASCII, as h5py 2 stored the bytes that Keras gave it."""
    group.attrs.create(key, text, dtype=h5py.string_dtype("ascii"))
