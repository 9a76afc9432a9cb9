"""The same models as Keras 1.2.2 wrote them: other names, other keys, other shapes, no backend.

Not every Keras 2 model can be said in Keras 1. `permits` tells calls that can, for the generator:

    example = random_model(7, 14, permits=permits)
    write_keras1(example, path, backend="theano")
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from .builder import Call
from .evaluate import sequential_entries
from .example import Example
from .files import write_text
from .layer import MODELS, Array, Config, NotModelled

VERSION = "1.2.2"

Rename = Callable[[Config], Config]
Arrays = Sequence[Array]

MODES = {"Add": "sum", "Multiply": "mul", "Average": "ave", "Maximum": "max"}
BORDERS = {"channels_first": "th", "channels_last": "tf"}
UNCHANGED = (
    "Activation", "LeakyReLU", "ELU", "ThresholdedReLU", "Flatten", "Reshape", "Permute",
    "RepeatVector",
)  # fmt: skip


def _regularizers(*letters: str) -> Config:
    return {f"{letter}_regularizer": None for letter in letters}


def _constraints(*letters: str) -> Config:
    return {f"{letter}_constraint": None for letter in letters}


WEIGHTED: Config = {
    "init": "glorot_uniform",
    **_regularizers("W", "b", "activity"),
    **_constraints("W", "b"),
}


def _dense(c: Config) -> Config:
    return {
        "output_dim": c["units"],
        "activation": c["activation"],
        "bias": c["use_bias"],
        "input_dim": None,
        **WEIGHTED,
    }


def _convolution(c: Config) -> Config:
    return {
        "nb_filter": c["filters"],
        "activation": c["activation"],
        "border_mode": c["padding"],
        "bias": c["use_bias"],
        **WEIGHTED,
    }


def _convolution_1d(c: Config) -> Config:
    (length,), (stride,) = c["kernel_size"], c["strides"]
    more = {"filter_length": length, "subsample_length": stride}
    return _convolution(c) | more | {"input_dim": None, "input_length": None}


def _convolution_nd(*sizes: str) -> Rename:
    def rename(c: Config) -> Config:
        spatial = dict(zip(sizes, c["kernel_size"], strict=True))
        return _convolution(c) | spatial | {"subsample": c["strides"], **_ordering(c)}

    return rename


def _ordering(c: Config) -> Config:
    return {"dim_ordering": BORDERS[c["data_format"]]}


def _pooling_1d(c: Config) -> Config:
    (length,), (stride,) = c["pool_size"], c["strides"]
    return {"pool_length": length, "stride": stride, "border_mode": c["padding"]}


def _pooling(c: Config) -> Config:
    same = {key: c[key] for key in ("pool_size", "strides")}
    return same | {"border_mode": c["padding"], **_ordering(c)}


def _normalization(c: Config) -> Config:
    same = {key: c[key] for key in ("axis", "epsilon", "momentum")}
    return same | {"mode": 0, **_regularizers("gamma", "beta")}


def _lstm(c: Config) -> Config:
    same = {
        key: c[key]
        for key in ("return_sequences", "go_backwards", "stateful", "unroll", "activation")
    }
    return same | {
        "output_dim": c["units"],
        "inner_activation": c["recurrent_activation"],
        "init": "glorot_uniform",
        "inner_init": "orthogonal",
        "forget_bias_init": "one",
        "consume_less": "cpu",
        "input_dim": None,
        "input_length": None,
        "dropout_W": 0.0,
        "dropout_U": 0.0,
        **_regularizers("W", "U", "b"),
    }


def _merge(mode: str) -> Rename:
    def rename(c: Config) -> Config:
        return {
            "mode": mode,
            "mode_type": "raw",
            "concat_axis": c.get("axis", -1),
            "dot_axes": -1,
            "output_shape": None,
            "output_shape_type": "raw",
            "output_mask": None,
            "output_mask_type": "raw",
            "arguments": {},
        }

    return rename


def _same(c: Config) -> Config:
    elsewhere = {"data_format", "dtype", "batch_input_shape", "name", "trainable"}
    return {key: found for key, found in c.items() if key not in elsewhere}


RENAMED: dict[str, tuple[str, Rename]] = {
    **{name: (name, _same) for name in UNCHANGED},
    **{name: ("Merge", _merge(mode)) for name, mode in MODES.items()},
    "Concatenate": ("Merge", _merge("concat")),
    "Dense": ("Dense", _dense),
    "Conv1D": ("Convolution1D", _convolution_1d),
    "Conv2D": ("Convolution2D", _convolution_nd("nb_row", "nb_col")),
    "Conv3D": ("Convolution3D", _convolution_nd("kernel_dim1", "kernel_dim2", "kernel_dim3")),
    **{f"{kind}Pooling1D": (f"{kind}Pooling1D", _pooling_1d) for kind in ("Max", "Average")},
    **{
        f"{kind}Pooling{rank}D": (f"{kind}Pooling{rank}D", _pooling)
        for kind in ("Max", "Average")
        for rank in (2, 3)
    },
    "GlobalMaxPooling1D": ("GlobalMaxPooling1D", lambda _: {}),
    "GlobalAveragePooling1D": ("GlobalAveragePooling1D", lambda _: {}),
    "GlobalMaxPooling2D": ("GlobalMaxPooling2D", _ordering),
    "GlobalAveragePooling2D": ("GlobalAveragePooling2D", _ordering),
    "BatchNormalization": ("BatchNormalization", _normalization),
    "Dropout": ("Dropout", lambda c: {"p": c["rate"]}),
    "LSTM": ("LSTM", _lstm),
    "UpSampling1D": ("UpSampling1D", lambda c: {"length": c["size"]}),
    "Cropping1D": ("Cropping1D", lambda c: {"cropping": c["cropping"]}),
}
"""Class and keys, of what Keras 1 can say and saves in full: it does not save in which order a
ZeroPadding2D, Cropping2D or UpSampling2D counts."""


def permits(call: Call) -> bool:
    """Whether Keras 1.2.2 has this call: the class, with these options, on such inputs."""
    return _says(call.layer.class_name, call.layer.config, [x.shape for x in call.inputs])


def _says(class_name: str, c: Config, shapes: list[tuple[int, ...]]) -> bool:
    if class_name == "InputLayer" or class_name in MODELS:
        return True
    if class_name == "TimeDistributed":
        inner = c["layer"]
        return _says(inner["class_name"], inner["config"], [shapes[0][1:]])
    softmax = c.get("activation") == "softmax" and len(shapes[0]) > 2
    dilated = any(rate != 1 for rate in c.get("dilation_rate", ()))
    return (
        class_name in RENAMED
        and not (softmax or dilated)
        and c.get("padding") != "causal"
        and not (class_name == "Flatten" and c["data_format"] == "channels_first")
        and not (class_name in MODES and len(set(shapes)) > 1)
        and not (class_name == "BatchNormalization" and not (c["scale"] and c["center"]))
    )


def write_keras1(example: Example, path: Path, backend: str = "theano") -> Path:
    """Write a model that was never compiled, as `model.save` of Keras 1.2.2 does.

    Source of names, keys, shapes and attributes: the genuine files of that version. Layers are
    listed as by Keras 2; Keras 1 itself lists some shared ones elsewhere, and cannot reload a
    model in which one is called at several depths.

    Raises:
        NotModelled: Keras 1 has no such layer.
    """
    suffix = ":0" if backend == "tensorflow" else ""
    entries = sequential_entries(example.config["config"])
    names = [entry.get("name") or entry["config"]["name"] for entry in entries]
    with h5py.File(path, "w") as file:
        write_text(file, "keras_version", VERSION)
        write_text(file, "model_config", json.dumps(_model(example.config)))
        top = file.create_group("model_weights")
        top.attrs["layer_names"] = np.array([name.encode() for name in names])
        for name, entry in zip(names, entries, strict=True):
            group = top.create_group(name)
            listed = list(_stored(entry, name, example))
            if entry["class_name"] in MODELS or "layers" in entry["config"].get("layer", {}):
                listed.sort(key=lambda stored: not stored.trainable)
            stored_names = [stored.name + suffix for stored in listed]
            group.attrs["weight_names"] = np.array([found.encode() for found in stored_names])
            for stored_name, stored in zip(stored_names, listed, strict=True):
                group.create_dataset(stored_name, data=stored.array)
    return path


def _model(entry: Config) -> Config:
    """A model's class and config; a Sequential's config is a bare list."""
    class_name, config = entry["class_name"], entry["config"]
    if class_name == "Sequential":
        return {"class_name": class_name, "config": [_entry(e) for e in config["layers"]]}
    links = {key: [link[:3] for link in config[key]] for key in ("input_layers", "output_layers")}
    layers = [_entry(inner) for inner in config["layers"]]
    return {"class_name": class_name, "config": {"name": config["name"], "layers": layers, **links}}


def _entry(entry: Config) -> Config:
    own = _model(entry) if entry["class_name"] in MODELS else _layer(entry)
    if "inbound_nodes" in entry:
        nodes = [[link[:3] for link in node] for node in entry["inbound_nodes"]]
        own |= {"name": entry["name"], "inbound_nodes": nodes}
    return own


def _layer(entry: Config) -> Config:
    class_name, c = entry["class_name"], entry["config"]
    common: Config = {"name": c["name"]}
    if "batch_input_shape" in c:
        common |= {"batch_input_shape": c["batch_input_shape"], "input_dtype": c["dtype"]}
    if class_name == "InputLayer":
        return {"class_name": class_name, "config": common | {"sparse": False}}
    common["trainable"] = c["trainable"]
    if class_name == "TimeDistributed":
        return {"class_name": class_name, "config": common | {"layer": _entry(c["layer"])}}
    if class_name not in RENAMED:
        raise NotModelled(f"Keras 1 has no {class_name} that we could write")
    new_name, rename = RENAMED[class_name]
    if new_name == "Merge":  # the one class that does not save it
        del common["trainable"]
    return {"class_name": new_name, "config": rename(c) | common}


class _Stored(NamedTuple):
    name: str
    array: Array
    trainable: bool


def _stored(entry: Config, path: str, example: Example) -> Iterator[_Stored]:
    """The arrays of a layer as Keras 1 stores them, those of nested ones in the layers' order."""
    class_name, c = entry["class_name"], entry["config"]
    if class_name in MODELS:
        for inner in sequential_entries(c):
            name = inner.get("name") or inner["config"]["name"]
            yield from _stored(inner, f"{path}/{name}", example)
    elif class_name == "TimeDistributed":
        yield from _stored(c["layer"], path, example)
    else:
        for name, array in _arrays(class_name, c, example.weights.get(path, [])):
            statistic = name.startswith("running")
            yield _Stored(f"{c['name']}_{name}", array, c.get("trainable", True) and not statistic)


def _arrays(class_name: str, c: Config, arrays: Arrays) -> Iterator[tuple[str, Array]]:
    if class_name == "BatchNormalization":
        yield from zip(("gamma", "beta", "running_mean", "running_std"), arrays, strict=True)
    elif class_name == "LSTM":
        blocks = [np.split(array, 4, -1) for array in arrays]
        for gate, at in (("i", 0), ("c", 2), ("f", 1), ("o", 3)):
            for kind, parts in zip("WUb", blocks, strict=True):
                yield f"{kind}_{gate}", parts[at]
    elif arrays:
        yield "W", _kernel(class_name, c, arrays[0])
        yield from (("b", bias) for bias in arrays[1:])


def _kernel(class_name: str, c: Config, kernel: Array) -> Array:
    """Keras 2's (space, in, out) as Keras 1 has it: by dim_ordering, Conv1D always with a row."""
    if class_name == "Conv1D":
        return kernel[:, None]
    if class_name.startswith("Conv") and c["data_format"] == "channels_first":
        return np.moveaxis(kernel, (-1, -2), (0, 1))
    return kernel
