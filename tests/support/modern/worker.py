"""Make models with every layer of a modern Keras; run as a script by an interpreter that has one.

    python worker.py keras|tf_keras OUT [CASE ...]

Each case becomes a folder in OUT: the model in every container that its Keras writes, and
`data.npz` with inputs and predictions. On standard output there is one line of JSON for each,
`case`, `classes` of its layers, and `error` where it could not be made; a first line names every
layer class of the library. Nothing of kerasir is imported.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO

os.environ["KERAS_BACKEND"] = "tensorflow"  # eager: nothing is compiled for models this small
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import cases_all  # ruff: ignore[unused-import]  (registers the cases)
import numpy as np
from cases import CASES, Kit


def class_names(layers: Any) -> list[str]:
    """Every layer class that the library offers, by its own name."""
    offered = [getattr(layers, name) for name in dir(layers) if not name.startswith("_")]
    return sorted({
        c.__name__ for c in offered if inspect.isclass(c) and issubclass(c, layers.Layer)
    })


def inside(layer: Any) -> list[Any]:
    """A layer and all that it holds."""
    found = [layer]
    for own in [*getattr(layer, "layers", ()), *getattr(layer, "cells", ())]:
        found += inside(own)
    for name in ("layer", "cell", "backward_layer"):
        own = getattr(layer, name, None)
        if own is not None and own is not layer:
            found += inside(own)
    return found


def with_weights(model: Any) -> None:
    """Give the model random weights that keep numbers in bounds."""
    state = np.random.default_rng(len(model.weights))
    for variable in model.weights:
        shape = tuple(getattr(variable, "shape", (None,)))
        if None in shape:  # what tf.keras lists of a lookup, or of a Discretization
            continue
        name = str(getattr(variable, "path", variable.name)).split(":")[0]
        last = name.rsplit("/", 1)[-1]
        if "float" not in str(variable.dtype) or last in STATES:
            continue
        low, high = (0.5, 1.5) if "variance" in last or "gamma" in last else (-0.6, 0.6)
        variable.assign(state.uniform(low, high, shape).astype("float32"))


STATES = {
    "mean",
    "variance",
    "count",
    "vector_u",
    "sn_u",
    "real_kernel",
    "imag_kernel",
    "idf_weights",
}
"""Weights that a layer has computed."""


def predictions(model: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    found = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    return [np.asarray(one) for one in (found if isinstance(found, (list, tuple)) else [found])]


def made(kit: Kit, name: str, folder: Path) -> list[str]:
    """Make one case; the classes of its layers."""
    kit.keras.backend.clear_session()
    case = CASES[name]
    given = case.make(kit)
    model, inputs = given if isinstance(given, tuple) else (given, None)
    with_weights(model)
    if inputs is None:
        inputs = [kit.random((2, *map(kit.extent, x.shape[1:]))) for x in model.inputs]
    outputs = predictions(model, inputs)
    folder.mkdir(parents=True)
    data = {f"in_{i}": x for i, x in enumerate(inputs)}
    np.savez(folder / "data.npz", **data, **{f"out_{i}": y for i, y in enumerate(outputs)})
    for suffix in case.containers:
        model.save(folder / f"model.{suffix}")
    if case.weights:
        (folder / "arch.json").write_text(model.to_json())
        model.save_weights(folder / f"model.weights.{'h5'}")
    if case.shards and kit.new:
        largest = max(int(np.prod(variable.shape)) * 4 for variable in model.variables)
        model.save_weights(folder / "model.weights.json", max_shard_size=largest / 2**30)
    return sorted({type(layer).__name__ for layer in inside(model)})


def main(framework: str, out: Path, chosen: list[str], answers: TextIO) -> None:
    keras = importlib.import_module(framework)
    kit = Kit(keras)
    first = {"classes": class_names(keras.layers), "version": keras.__version__}
    print(json.dumps(first), file=answers, flush=True)
    for name, case in CASES.items():
        if framework not in case.libraries or (chosen and name not in chosen):
            continue
        line: dict[str, Any] = {"case": name}
        try:
            line["classes"] = made(kit, name, out / name)
        except Exception as error:  # any failure of Keras is this case's answer
            traceback.print_exc()
            line["error"] = f"{type(error).__name__}: {error}"
        print(json.dumps(line), file=answers, flush=True)


if __name__ == "__main__":
    # Keras prints as it likes: what it says goes to standard error.
    answers_stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:], answers_stream)
