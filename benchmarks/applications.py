"""The architectures of `keras.applications` as files, with random weights, and what they predict.

    PYTHON benchmarks/applications.py tf_keras FOLDER NAME …      Keras 2 HDF5, by tf-keras
    PYTHON benchmarks/applications.py keras FOLDER NAME …         .keras, by Keras 3
    PYTHON benchmarks/applications.py tf_keras FOLDER             all there are

PYTHON is an interpreter that can import the Keras named. Beside each model comes an `.npz` file
with `x`, two random images, and `y`, what this Keras predicts for them. What is there already is
not made again. `benchmarks/onnx_export.py` measures on these. `PYTHON benchmarks/applications.py`
alone serves `benchmarks/applications_check.py`: jobs come as lines of JSON, and so go answers.

Nothing in the weights is neutral by chance: scales, shifts and statistics of normalizations are
random as well. So that no signal fades on its way through hundreds of layers, statistics are first
taken from a batch of images, then disturbed; so that no rounding grows to a difference of its own
there, as it does in networks of random weights, most of what reaches an activation is positive.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np

SUFFIXES = {"tf_keras": ".h5", "keras": ".keras"}

SIZES = {"MobileNetV3": (224, 224)}
"""Architectures that do not say how large their images are."""

SEED = 7
GAIN = 2**0.5
"""A ReLU halves what kernels of Keras' own initializers keep."""

BATCH, PIXELS = 8, 1 << 20
"""The most images and pixels that statistics are taken from: Keras keeps what each layer gives."""

LOGITS = 1.0
"""The largest standard deviation of what goes into the softmax at the end."""


def main(module: str, folder: str, *names: str) -> None:
    """Write the models."""
    for name in names or architectures(module):
        path = Path(folder) / f"{name}{SUFFIXES[module]}"
        answers = path.with_name(path.name + ".npz")
        if not answers.exists():
            make(module, name, path, answers)
            print(path, flush=True)


def serve() -> None:
    """Make and load what is asked for; what Keras itself prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    tasks = {"list": architectures, "make": make, "predict": predict}
    for line in sys.stdin:
        task, *arguments = json.loads(line)
        try:
            answer = {"answer": tasks[task](*arguments)}
        except Exception as error:  # any failure of Keras is this job's answer
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


def architectures(module: str) -> list[str]:
    """Every one that this Keras has."""
    applications = importlib.import_module(module).applications
    return [name for name in dir(applications) if name[0].isupper()]


def make(module: str, name: str, path: Path, answers: Path, size: Sequence[int] = ()) -> None:
    """One model, and what it predicts for two images, by default of its usual size."""
    keras = importlib.import_module(module)
    keras.backend.clear_session()
    gc.collect()
    size = size or next((known for start, known in SIZES.items() if name.startswith(start)), ())
    given = {"input_shape": (*size, 3)} if size else {}
    model = getattr(keras.applications, name)(weights=None, **given)
    rng = np.random.default_rng(SEED)
    model.set_weights([_random(rng, _leaf(w), np.asarray(w)) for w in model.weights])
    height, width, _ = model.input_shape[1:]
    x = images(rng, max(2, min(BATCH, PIXELS // (height * width))), model.input_shape[1:])
    if any(type(layer).__name__ in {"Rescaling", "Normalization"} for layer in model.layers):
        x *= 255
    _calibrate(rng, model, x)
    _soften(keras, model, x)
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):  # a Normalization of Keras 3 looks at its weights here
            layer.finalize_state()
    model.save(path)
    np.savez(answers, x=x[:2], y=np.asarray(model(x[:2], training=False)))


def predict(module: str, path: str, data: str, outputs: str) -> None:
    """Load a model without custom objects, and feed it `x` of a file in its own data format."""
    keras = importlib.import_module(module)
    keras.backend.clear_session()
    gc.collect()
    model = keras.models.load_model(path, compile=False)
    x = np.load(data)["x"]
    if model.input_shape[1] == x.shape[3]:
        x = np.moveaxis(x, -1, 1)
    np.savez(outputs, y=np.asarray(model(x, training=False)))


def images(rng: np.random.Generator, count: int, shape: Sequence[int]) -> Any:
    """Coarse patches of colour under fine noise, from 0 to 1: no two are alike to a network."""
    height, width, channels = shape
    rows, columns = (np.arange(extent) * 4 // extent for extent in (height, width))
    patches = rng.uniform(0, 1, (count, 4, 4, channels))[:, rows][:, :, columns]
    noise, share = rng.uniform(0, 1, (count, *shape)), rng.uniform(0, 1, (count, 1, 1, 1))
    tint = rng.uniform(0, 1, (count, 1, 1, channels))
    return (tint * (share * patches + (1 - share) * noise)).astype(np.float32)


def _leaf(weight: Any) -> str:
    path: str = getattr(weight, "path", weight.name)
    return path.rpartition("/")[2].partition(":")[0]


def _random(rng: np.random.Generator, name: str, value: Any) -> Any:
    """Kernels stay as they were initialized."""
    if "kernel" in name:
        value = value * GAIN
    elif name in {"moving_variance", "variance"}:
        value = rng.uniform(0.5, 1.5, value.shape)
    elif name in {"moving_mean", "mean", "bias"}:
        value = rng.normal(0, 0.1, value.shape)
    elif name in {"gamma", "beta", "Variable"}:  # that is LayerScale's, which begins with 1e-6
        value = rng.normal(0.5, 0.1 if name == "gamma" else 0.2, value.shape)
    return np.asarray(value, np.float32 if value.dtype.kind == "f" else value.dtype)


def _calibrate(rng: np.random.Generator, model: Any, x: Any) -> None:
    """Give every BatchNormalization the statistics of a batch, disturbed.

    A LayerNormalization has none. Its shifts are made small, or images would end up much alike.
    """
    for layer in model.layers:
        if type(layer).__name__ == "LayerNormalization":
            layer.beta.assign(0.2 * np.asarray(layer.beta))
    layers = [one for one in model.layers if type(one).__name__ == "BatchNormalization"]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    model(x, training=True)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
        mean, variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
        variance = np.maximum(variance, 0.25 * variance.mean())
        mean = mean + 0.1 * np.sqrt(variance) * rng.normal(size=mean.shape)
        layer.moving_mean.assign(mean.astype(np.float32))
        layer.moving_variance.assign((variance * rng.uniform(0.5, 1.5, mean.shape)).astype("f4"))


def _soften(keras: Any, model: Any, x: Any) -> None:
    """Keep the softmax at the end from saying 1 of one class: then differences would be lost."""
    head = [layer for layer in model.layers if hasattr(layer, "kernel")][-1]
    activation, head.activation = head.activation, keras.activations.linear
    logits = np.asarray(keras.Model(model.inputs, head.output)(x, training=False))
    head.activation = activation
    factor = min(1, LOGITS / logits.std())
    head.set_weights([value * factor for value in head.get_weights()])


if __name__ == "__main__":
    main(*sys.argv[1:]) if sys.argv[1:] else serve()
