"""Load models with a genuine Keras and predict; run as a script by an interpreter that has one.

    python keras_worker.py keras|tf_keras JOBS.jsonl

Each line of JOBS names a `model`, the `inputs` to feed (an .npz with `in_0`, ...) and where the
`outputs` go; `arch` the architecture of a model file that holds only weights; `twice` asks for a
second call of a stateful model; `eager` for a call that compiles nothing. For each job one line of
JSON comes back on standard output: `id`, and `error` where there is one. Nothing of kerasir is
imported.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from typing import Any, TextIO

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
# The models are tiny: compiling takes the time, not running.
os.environ["XLA_FLAGS"] = "--xla_backend_optimization_level=0"


def custom_objects(keras: Any) -> dict[str, Any]:
    """The fixtures' own layer and activation, as a user of either Keras would write them."""
    maths = importlib.import_module("tensorflow") if keras.__name__ == "tf_keras" else keras.ops

    class ScaleShift(keras.layers.Layer):  # type: ignore[misc]
        """y = a x + b along one axis."""

        def __init__(self, axis: int = 1, **rest: Any) -> None:
            super().__init__(**rest)
            self.axis = axis

        def build(self, shape: tuple[int, ...]) -> None:
            self.a = self.add_weight(name="a", shape=(shape[self.axis],), initializer="ones")
            self.b = self.add_weight(name="b", shape=(shape[self.axis],), initializer="zeros")

        def call(self, x: Any) -> Any:
            shape = [1] * len(x.shape)
            shape[self.axis] = -1
            return x * maths.reshape(self.a, shape) + maths.reshape(self.b, shape)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "axis": self.axis}

    def scaled_tanh(x: Any) -> Any:
        return 1.7159 * maths.tanh(0.66 * x)

    # The Keras 3 fixtures were saved with these registered under the package "oracle".
    return {
        "ScaleShift": ScaleShift,
        "oracle>ScaleShift": ScaleShift,
        "scaled_tanh": scaled_tanh,
        "oracle>scaled_tanh": scaled_tanh,
    }


def in_order(array: np.ndarray, shape: tuple[int | None, ...]) -> np.ndarray:
    """`array` with its channels where the model wants them: as they are, moved last, or first.

    First is behind the batch, or behind the steps that a TimeDistributed repeats over.
    """
    firsts = range(1, array.ndim - 1)
    moved = [array, *(np.moveaxis(array, first, -1) for first in firsts)]
    moved += [np.moveaxis(array, -1, first) for first in firsts]
    for candidate in moved:
        pairs = zip(candidate.shape, shape, strict=True)
        if all(wanted in {None, size} for size, wanted in pairs):
            return candidate
    raise ValueError(f"the model wants inputs of shape {shape}, the data has {array.shape}")


def as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def loaded(keras: Any, job: dict[str, Any], custom: dict[str, Any]) -> Any:
    if job.get("arch"):
        with open(job["arch"], encoding="utf-8") as file:
            model = keras.models.model_from_json(file.read(), custom_objects=custom)
        model.load_weights(job["model"])
        return model
    return keras.models.load_model(job["model"], custom_objects=custom, compile=False)


def run(keras: Any, job: dict[str, Any], custom: dict[str, Any]) -> None:
    keras.backend.clear_session()
    model = loaded(keras, job, custom)
    with np.load(job["inputs"]) as data:
        arrays = [data[f"in_{i}"] for i in range(len(data)) if f"in_{i}" in data]
    shapes = [tuple(tensor.shape) for tensor in model.inputs]
    numbers = np.asarray if keras.__name__ == "tf_keras" else keras.ops.convert_to_numpy
    fed = [in_order(array, shape) for array, shape in zip(arrays, shapes, strict=True)]

    def predict() -> list[np.ndarray]:
        given = fed if len(fed) > 1 else fed[0]
        # on JAX, `predict` forgets the state of a stateful layer at its end
        if job["twice"] or job.get("eager"):
            return [numbers(array) for array in as_list(model(given))]
        return as_list(model.predict(given, batch_size=len(fed[0]), verbose=0))

    results = {f"out_{i}": array for i, array in enumerate(predict())}
    if job["twice"]:
        results |= {f"second_out_{i}": array for i, array in enumerate(predict())}
    np.savez(job["outputs"], **results)


def main(framework: str, jobs: str, answers: TextIO) -> None:
    keras = importlib.import_module(framework)
    custom = custom_objects(keras)
    with open(jobs, encoding="utf-8") as lines:
        for line in lines:
            job = json.loads(line)
            answer = {"id": job["id"]}
            try:
                run(keras, job, custom)
            except Exception as error:  # any failure of Keras is this job's answer
                traceback.print_exc()
                answer["error"] = f"{type(error).__name__}: {error}"
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    # Keras prints as it likes: what it says goes to standard error.
    answers_stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    main(sys.argv[1], sys.argv[2], answers_stream)
