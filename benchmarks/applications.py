"""The architectures of `keras.applications` as files, with random weights, and what they predict.

    PYTHON benchmarks/applications.py tf_keras FOLDER NAME …      Keras 2 HDF5, by tf-keras
    PYTHON benchmarks/applications.py keras FOLDER NAME …         .keras, by Keras 3
    PYTHON benchmarks/applications.py tf_keras FOLDER             all there are

PYTHON is an interpreter that can import the Keras named. Beside each model comes an `.npz` file
with `x`, two random images, and `y`, what this Keras predicts for them. Weights are random
throughout: statistics, scales and shifts of normalizations as well, so that nothing is neutral by
chance. What is there already is not made again. `benchmarks/onnx_export.py` measures on these.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np

SUFFIXES = {"tf_keras": ".h5", "keras": ".keras"}

SHAPES = {"MobileNetV3": (224, 224, 3)}
"""Architectures that do not say how large their images are."""

SEED = 7


def main(module: str, folder: str, *names: str) -> None:
    """Write the models."""
    keras: Any = importlib.import_module(module)
    for name in names or [name for name in dir(keras.applications) if name[0].isupper()]:
        path = Path(folder) / f"{name}{SUFFIXES[module]}"
        answers = path.with_name(path.name + ".npz")
        if not answers.exists():
            make(keras, name, path, answers)
            print(path, flush=True)


def make(keras: Any, name: str, path: Path, answers: Path) -> None:
    """One model, and what it predicts."""
    keras.backend.clear_session()
    known = [shape for start, shape in SHAPES.items() if name.startswith(start)]
    more = {"input_shape": known[0]} if known else {}
    model = getattr(keras.applications, name)(weights=None, **more)
    rng = np.random.default_rng(SEED)
    model.set_weights([_random(rng, _leaf(w), np.asarray(w)) for w in model.weights])
    model.save(path)
    x = rng.uniform(0, 1, (2, *model.input_shape[1:])).astype(np.float32)
    if any(type(layer).__name__ == "Rescaling" for layer in model.layers):
        x *= 255
    np.savez(answers, x=x, y=np.asarray(model(x, training=False)))


def _leaf(weight: Any) -> str:
    path: str = getattr(weight, "path", weight.name)
    return path.rpartition("/")[2].partition(":")[0]


def _random(rng: np.random.Generator, name: str, value: Any) -> Any:
    """What stays as it was initialized are kernels."""
    if name == "moving_variance":
        value = rng.uniform(0.5, 1.5, value.shape)
    elif name in {"moving_mean", "beta", "bias"}:
        value = rng.normal(0, 0.1, value.shape)
    elif name == "gamma":
        value = value + rng.normal(0, 0.1, value.shape)
    return value.astype(np.float32) if value.dtype.kind == "f" else value


if __name__ == "__main__":
    main(*sys.argv[1:])
