"""Models that are kept and not computed, in genuine Keras: made, and loaded again.

    python kept_worker.py FOLDER

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

keras, tf_keras, tensorflow = map(importlib.import_module, ("keras", "tf_keras", "tensorflow"))
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


TEXTS = [["The cat, sat"], ["on the mat"], ["12"], ["no-one knows"]]


def of_words(library: Any, *, weighed: bool = False) -> Any:
    """Layers over texts with numbers behind them; vocabularies are learnt, stated and hashed."""
    layers, x = library.layers, library.Input((1,), dtype="string")
    if weighed:
        vectors = layers.TextVectorization(max_tokens=20, output_mode="tf_idf")
        vectors.adapt(np.array([text for (text,) in TEXTS[:3]]))
        return library.Model(x, layers.Dense(2)(vectors(x)))
    learnt = layers.TextVectorization(max_tokens=20, output_sequence_length=5)
    learnt.adapt(np.array([text for (text,) in TEXTS[:3]]))
    found = [
        layers.GlobalAveragePooling1D()(layers.Embedding(20, 3)(learnt(x))),
        layers.StringLookup(vocabulary=["12", "on the mat"], output_mode="one_hot")(x),
        layers.Flatten()(layers.Embedding(7, 2)(layers.Hashing(7)(x))),
        layers.Flatten()(layers.Embedding(5, 2)(layers.StringLookup(vocabulary=["12"])(x))),
    ]
    return library.Model(x, layers.Dense(2)(layers.Concatenate()(found)))


def main(folder: Path) -> None:
    new, old = net_of(keras), net_of(tf_keras)
    whole, older = new(), old()
    for model in (whole, older):
        model(X)
        with_numbers(model)
    whole.compile("adam", "mse")
    made = {
        "whole.keras": whole,
        "older.keras": older,
        "inside.keras": with_numbers(within(keras, new)),
        "inside_older.h5": with_numbers(within(tf_keras, old)),
        "words.keras": of_words(keras),
        "weighed_words.keras": of_words(keras, weighed=True),
        "older_words.keras": of_words(tf_keras),
    }
    for name, model in made.items():
        model.save(folder / name)
    print("made", flush=True)
    sys.stdin.readline()

    def loaded(library: Any, net: Any = None) -> Callable[[Path], Any]:
        custom = {"Net": net} if net else {}
        return lambda path: library.models.load_model(path, custom_objects=custom, compile=False)

    def weighed(model: Any) -> Callable[[Path], Any]:
        def load(path: Path) -> Any:
            model(X)
            model.load_weights(path)
            return model

        return load

    answers = {
        "whole.keras": ("whole.keras", loaded(keras)),
        "whole.weights.h5": ("whole.keras", weighed(new())),
        "older.keras": ("older.keras", loaded(tf_keras, old)),
        "older.weights.h5": ("older.keras", weighed(old())),
        "inside.keras": ("inside.keras", loaded(keras)),
        "inside_older.h5": ("inside_older.h5", loaded(tf_keras, old)),
        "words.keras": ("words.keras", loaded(keras)),
        "words.h5": ("words.keras", loaded(keras)),
        "words_older.h5": ("words.keras", loaded(tf_keras)),
        "older_words.keras": ("older_words.keras", loaded(keras)),
        "older_words.h5": ("older_words.keras", loaded(tf_keras)),
        "weighed_words.keras": ("weighed_words.keras", loaded(keras)),
        "weighed_words_older.h5": ("weighed_words.keras", loaded(tf_keras)),
    }
    print(json.dumps({name: difference(folder, name, made[source], load)
                      for name, (source, load) in answers.items()}), flush=True)  # fmt: skip


def difference(folder: Path, name: str, source: Any, load: Callable[[Path], Any]) -> float | str:
    """The largest difference of what a converted model predicts; or the error."""
    fed = tensorflow.constant(TEXTS) if "words" in name else X
    try:
        found, expected = np.asarray(load(folder / f"again_{name}")(fed)), np.asarray(source(fed))
    except Exception as error:  # any failure of Keras is this file's answer
        return f"{type(error).__name__}: {error}"
    return float(np.abs(found - expected).max())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
