"""Models of many equal layers, written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import h5py


def write_chain(path: Path, count: int, name: str = "dense_0") -> Path:
    """A Sequential of Keras 2 with `count` equal Dense layers, the first of this name."""
    names = [name, *(f"dense_{i}" for i in range(1, count))]
    config = [
        {
            "class_name": "Dense",
            "config": {"name": one, "units": 3, "use_bias": False, "activation": "linear"},
        }
        for one in names
    ]
    config[0]["config"]["batch_input_shape"] = [None, 3]  # type: ignore[index]
    model = {"class_name": "Sequential", "config": {"name": "chain", "layers": config}}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(model).encode()
        file.attrs["keras_version"] = b"2.2.4"
        file.attrs["backend"] = b"tensorflow"
        weights = file.create_group("model_weights")
        weights.attrs["layer_names0"] = [one.encode() for one in names[:1000]]
        if count > 1000:
            weights.attrs["layer_names1"] = [one.encode() for one in names[1000:]]
        for one in names:
            group = weights.create_group(one)
            group.attrs["weight_names"] = [b"kernel:0"]
            group["kernel:0"] = [[1.0, 2.0, 3.0]] * 3
    return path
