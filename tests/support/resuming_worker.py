"""Let a genuine Keras 3 train on; run as a script by an interpreter that has one.

    python resuming_worker.py JOBS.jsonl

Each line of JOBS names a `model` and a `data` file with `x` and `y`, and where the answers go,
`out`. Written are, of the model as it was saved, `steps`, the optimizer's arrays `slot_0`, ..., the
weights `before_0`, ..., the gradients of its loss `gradient_0`, ... and, after one more step on the
data, the weights `after_0`, .... Nothing of kerasir is imported.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

import numpy as np

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"


LARGE = 2.0**16


def numbered(name: str, arrays: list[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{name}_{index}": array for index, array in enumerate(arrays)}


def loaded(keras: Any, path: str) -> Any:
    """The model, its Dropout at rest: the two steps are to have one gradient."""
    model = keras.models.load_model(path)
    for layer in model.layers:
        if hasattr(layer, "rate"):
            layer.rate = 0.0
    return model


def run(keras: Any, job: dict[str, str]) -> None:
    with np.load(job["data"]) as arrays:
        x, y = arrays["x"], arrays["y"]

    def weights(model: Any) -> list[np.ndarray]:
        return [np.array(one) for one in model.trainable_variables]

    # a plain step at a large rate takes so many gradients away that rounding does not count
    plain = loaded(keras, job["model"])
    plain.compile(keras.optimizers.SGD(LARGE), plain.loss)
    before = weights(plain)
    plain.train_on_batch(x, y)
    gradients = [(a - b) / LARGE for a, b in zip(before, weights(plain), strict=True)]
    model = loaded(keras, job["model"])
    slots = [np.array(one) for one in model.optimizer.variables]
    steps = np.array(model.optimizer.iterations)
    model.train_on_batch(x, y)
    np.savez(
        job["out"],
        steps=steps,
        **numbered("slot", [slot for slot in slots if slot.ndim]),
        **numbered("before", before),
        **numbered("gradient", gradients),
        **numbered("after", weights(model)),
    )


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in lines:
            run(importlib.import_module("keras"), json.loads(line))
