"""Models of their authors' own classes in genuine Keras: made, and loaded again.

    python subclassed_worker.py FOLDER

Files are made in FOLDER; then a line on standard input says that they have been converted, to
`again_NAME`, and those are loaded in turn. The answer is one line of JSON: the largest difference
of predictions by file, or the error. Nothing of kerasir is imported.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np

keras, tf_keras = map(importlib.import_module, ("keras", "tf_keras"))
X = np.random.default_rng(4).normal(size=(3, 6)).astype("float32")


def net_of(library: Any) -> Any:
    """A model class as a user writes it, with layers in a list and a model inside."""

    class Net(library.Model):  # type: ignore[misc]
        def __init__(self, units: int = 4, **rest: Any) -> None:
            super().__init__(**rest)
            self.units = units
            self.first = library.layers.Dense(units, activation="relu")
            self.blocks = [library.layers.Dense(3), library.layers.BatchNormalization()]
            self.inner = library.Sequential([library.layers.Dense(5), library.layers.Dense(2)])

        def call(self, x: Any) -> Any:
            x = self.first(x)
            for block in self.blocks:
                x = block(x)
            return self.inner(x)

        def get_config(self) -> dict[str, Any]:
            return {"name": self.name, "units": self.units}

    return library.utils.register_keras_serializable("mine")(Net)


def with_numbers(model: Any) -> Any:
    state = np.random.default_rng(7)
    for variable in model.weights:
        variable.assign(state.uniform(0.2, 1.2, tuple(variable.shape)).astype("float32"))
    return model


def within(library: Any, net: Any) -> Any:
    x = library.Input((6,))
    return library.Model(x, library.layers.Dense(2)(net(name="net")(x)))


def main(folder: Path) -> None:
    new, old = net_of(keras), net_of(tf_keras)
    whole, older = new(), old()
    for model in (whole, older):
        model(X)
        with_numbers(model)
    inside, inside_older = with_numbers(within(keras, new)), with_numbers(within(tf_keras, old))
    whole.compile("adam", "mse")
    whole.save(folder / "whole.keras")
    older.save(folder / "older.keras")
    inside.save(folder / "inside.keras")
    inside_older.save(folder / "inside_older.h5")
    expected = {
        "whole.keras": whole, "whole.weights.h5": whole, "older.keras": older,
        "older.weights.h5": older, "inside.keras": inside, "inside_older.h5": inside_older,
    }  # fmt: skip
    print("made", flush=True)
    sys.stdin.readline()

    def weighed(path: Path, model: Any) -> Any:
        model(X)
        model.load_weights(path)
        return model

    loaders: dict[str, Callable[[Path], Any]] = {
        "whole.keras": keras.models.load_model,
        "whole.weights.h5": lambda path: weighed(path, new()),
        "older.keras": lambda path: tf_keras.models.load_model(path, {"Net": old}),
        "older.weights.h5": lambda path: weighed(path, old()),
        "inside.keras": keras.models.load_model,
        "inside_older.h5": lambda path: tf_keras.models.load_model(path, {"Net": old}),
    }
    found: dict[str, Any] = {}
    for name, load in loaders.items():
        try:
            difference = np.asarray(load(folder / f"again_{name}")(X)) - np.asarray(
                expected[name](X)
            )
            found[name] = float(np.abs(difference).max())
        except Exception as error:  # any failure of Keras is this file's answer
            found[name] = f"{type(error).__name__}: {error}"
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
