"""Keras files made by hand, as the eras wrote them; tests then spoil them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from kerasir.eras.operations import KERAS3_MODULES
from kerasir.importers.keras.archive import Archive
from kerasir.ir.source import Array, Source

Layers = Mapping[str, Mapping[str, Array]]

CONFIG = {
    "class_name": "Sequential",
    "config": [
        {"class_name": "Flatten", "config": {"name": "flat", "batch_input_shape": [None, 2, 3]}},
        {"class_name": "Dense", "config": {"name": "dense", "units": 5}},
    ],
}


def numbers(*shape: int, start: int = 0, dtype: str = "<f4") -> Array:
    """Numbers that are all different."""
    return (np.arange(int(np.prod(shape))) + start).reshape(shape).astype(dtype)


def dense() -> Layers:
    """The weights of CONFIG."""
    return {
        "flat": {},
        "dense": {"dense/kernel": numbers(6, 5), "dense/bias": numbers(5, start=90)},
    }


def write_named(group: h5py.Group, layers: Layers) -> None:
    """Layers as Keras 1 and 2 write them."""
    group.attrs["layer_names"] = [name.encode() for name in layers]
    for layer, weights in layers.items():
        inner = group.create_group(layer)
        inner.attrs["weight_names"] = [name.encode() for name in weights]
        for name, array in weights.items():
            inner.create_dataset(name, data=array)


def weights_file(path: Path, layers: Layers | None = None) -> Path:
    """Weights only, of Keras 1 or 2."""
    with h5py.File(path, "w") as file:
        write_named(file, dense() if layers is None else layers)
    return path


def model_file(
    path: Path, layers: Layers | None = None, config: Any = None, **attributes: Any
) -> Path:
    """A whole model of Keras 2; `config` may be text, or bytes."""
    config = CONFIG if config is None else config
    with h5py.File(path, "w") as file:
        for name, value in attributes.items():
            file.attrs[name] = value
        text = config if isinstance(config, str | bytes) else json.dumps(config)
        file.attrs["model_config"] = text
        write_named(file.create_group("model_weights"), dense() if layers is None else layers)
    return path


def paths_bytes(groups: Layers) -> bytes:
    """The HDF5 weights of Keras 3: `layers/dense` to its variables, in order."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for path, variables in groups.items():
            inner = file.create_group(f"{path}/vars")
            inner.attrs["name"] = path.rpartition("/")[2]
            for name, array in variables.items():
                inner.create_dataset(name, data=array)
    return content.getvalue()


def keras_archive(
    path: Path,
    weights: bytes | None = None,
    *,
    compression: int = zipfile.ZIP_STORED,
    members: Mapping[str, str | bytes] | None = None,
) -> Path:
    """A `.keras` file; `members` are added, or take the place of the usual ones ("" leaves out)."""
    layers = {"layers/dense": {"0": numbers(6, 5), "1": numbers(5, start=90)}}
    content: dict[str, str | bytes] = {
        "metadata.json": json.dumps({"keras_version": "3.4.1"}),
        "config.json": json.dumps({**CONFIG, "compile_config": {"loss": "mse"}}),
        "model.weights.h5": paths_bytes(layers) if weights is None else weights,
        **(members or {}),
    }
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in content.items():
            if data != "":
                archive.writestr(name, data)
    return path


def operation(
    path: Path,
    name: str,
    shape: Sequence[int],
    count: int = 1,
    constants: Sequence[Any] = (),
    **told: Any,
) -> Path:
    """A model of one operation of Keras 3, given its input so many times, and constants."""
    full = [None, *shape]
    tensor = {"shape": full, "dtype": "float32", "keras_history": ["x", 0, 0]}
    given = {"class_name": "__keras_tensor__", "config": tensor}
    arrays = [
        {"class_name": "__numpy__", "config": {"value": one, "dtype": "float32"}}
        for one in constants
    ]
    layers = [
        {
            "name": "x",
            "class_name": "InputLayer",
            "module": "keras.layers",
            "config": {"name": "x", "batch_shape": full, "dtype": "float32"},
            "inbound_nodes": [],
        },
        {
            "name": "op",
            "class_name": name,
            "module": KERAS3_MODULES.get(name, "keras.src.ops.numpy"),
            "config": {"name": "op", **told},
            "inbound_nodes": [{"args": [given] * count + arrays, "kwargs": {}}],
        },
    ]
    model = {
        "name": "m",
        "layers": layers,
        "input_layers": [["x", 0, 0]],
        "output_layers": [["op", 0, 0]],
    }
    config = {"class_name": "Functional", "module": "keras", "config": model}
    members = {"config.json": json.dumps(config), "metadata.json": '{"keras_version": "3.15.1"}'}
    return keras_archive(path, paths_bytes({"layers/op": {}}), members=members)


def values(source: Source) -> Array:
    """All numbers of a source."""
    flat = np.empty(int(np.prod(source.shape, dtype=int)), source.dtype)
    source.read_into(0, flat)
    return flat.reshape(source.shape)


def weight(archive: Archive, path: str) -> Array:
    """The numbers that an archive has at a path."""
    stored = [w for group in archive.groups for w in group.weights]
    return next(values(w.source) for w in (*stored, *archive.optimizer_weights) if w.path == path)


def outline(archive: Archive) -> list[tuple[str, Sequence[str]]]:
    """Each group with the names of its weights."""
    return [(group.layer, [w.name for w in group.weights]) for group in archive.groups]
