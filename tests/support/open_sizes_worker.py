"""Make models of open sizes with a genuine Keras and predict at two sizes; run as a script.

    python open_sizes_worker.py keras|tf_keras FOLDER

Each model is saved in FOLDER under its name, `.keras` or `.h5`; beside it an .npz with `in_0_0`
(size 0, input 0), `out_0_0`, and so on. Nothing of kerasir is imported.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["XLA_FLAGS"] = "--xla_backend_optimization_level=0"

Shape = tuple[int, ...]
Made = tuple[Any, tuple[Shape, Shape]]
"""The output of a model given its input, and the shapes to feed."""

PICTURES = ((2, 13, 10, 3), (3, 8, 17, 3))
STEPS = ((2, 7, 4), (3, 5, 4))


def fully_convolutional(k: Any, x: Any) -> Any:
    x = k.Conv2D(5, 3, strides=2, padding="same")(x)
    x = k.BatchNormalization()(x)
    x = k.MaxPooling2D(2, padding="same")(k.ReLU()(x))
    x = k.DepthwiseConv2D(3, strides=2, padding="same")(x)
    return k.Conv2D(4, 1, activation="softmax")(x)


def odd_pools(k: Any, x: Any) -> Any:
    x = k.AveragePooling2D(3, strides=2, padding="same")(x)
    x = k.SeparableConv2D(4, 3, strides=(2, 2), padding="same")(x)
    return k.ZeroPadding2D(((1, 2), (0, 1)))(x)


def decoder(k: Any, x: Any) -> Any:
    x = k.Conv2D(4, 3, padding="same")(x)
    x = k.Conv2DTranspose(3, 3, strides=2, padding="same")(x)
    x = k.UpSampling2D((2, 3))(x)
    x = k.UpSampling2D(2, interpolation="bilinear")(x)
    return k.Cropping2D(((1, 2), (3, 1)))(x)


def skips(k: Any, x: Any) -> Any:
    y = k.Conv2D(3, 3, padding="same", activation="relu")(x)
    z = k.Conv2D(2, 1)(k.Add()([x, y]))
    return k.Concatenate()([x, y, z])


def pooled(k: Any, x: Any) -> Any:
    x = k.Conv2D(5, 3, padding="valid", dilation_rate=2)(x)
    x = k.Concatenate()([k.GlobalAveragePooling2D()(x), k.GlobalMaxPooling2D()(x)])
    return k.Dense(3)(x)


def flattened(k: Any, x: Any) -> Any:
    return k.Flatten()(k.Conv2D(2, 3, padding="same", strides=2)(x))


def recurrent(k: Any, x: Any) -> Any:
    x = k.Bidirectional(k.LSTM(3, return_sequences=True))(x)
    x = k.GRU(4, return_sequences=True, go_backwards=True)(x)
    return k.SimpleRNN(5)(x)


def sequence(k: Any, x: Any) -> Any:
    x = k.Conv1D(5, 3, padding="causal", dilation_rate=2)(x)
    x = k.Conv1D(6, 3, strides=2, padding="same")(x)
    return k.TimeDistributed(k.Dense(3, activation="tanh"))(x)


def reshaped(k: Any, x: Any) -> Any:
    x = k.Reshape((-1, 2, 2))(x)
    return k.Conv2D(3, (3, 1), padding="same")(x)


def permuted(k: Any, x: Any) -> Any:
    return k.Permute((2, 1))(k.LayerNormalization()(x))


def repeated(k: Any, x: Any) -> Any:
    x = k.TimeDistributed(k.Conv2D(4, 3, padding="same", strides=2))(x)
    x = k.TimeDistributed(k.Flatten())(x)
    return k.LSTM(3)(x)


def embedded(k: Any, x: Any) -> Any:
    x = k.Embedding(9, 4, mask_zero=True)(x)
    return k.Dense(2)(k.LSTM(3)(x))


def averaged(k: Any, x: Any) -> Any:
    return k.GlobalAveragePooling1D()(k.Embedding(9, 4)(x))


MODELS: dict[str, tuple[Callable[[Any, Any], Any], Shape, tuple[Shape, Shape], str]] = {
    **{
        make.__name__: (make, (None, None, 3), PICTURES, "float32")
        for make in (fully_convolutional, odd_pools, decoder, skips, pooled, flattened)
    },
    **{
        make.__name__: (make, (None, 4), STEPS, "float32")
        for make in (recurrent, sequence, reshaped, permuted)
    },
    "repeated": (repeated, (None, 6, 5, 2), ((2, 4, 6, 5, 2), (3, 7, 6, 5, 2)), "float32"),
    "embedded": (embedded, (None,), ((2, 6), (3, 9)), "int32"),
    "averaged": (averaged, (None,), ((2, 6), (3, 9)), "int32"),
}  # type: ignore[dict-item]


def main(module: str, folder: str) -> None:
    keras = importlib.import_module(module)
    generator = np.random.default_rng(1)
    suffix = ".keras" if module == "keras" else ".h5"
    for name, (make, shape, sizes, dtype) in MODELS.items():
        x = keras.Input(shape, dtype=dtype, name="given")
        model = keras.Model(x, make(keras.layers, x), name=name)
        model.set_weights([
            np.abs(w) + 0.5 if w.ndim == 1 else w + generator.normal(0, 0.2, w.shape)
            for w in model.get_weights()
        ])
        model.save(Path(folder, name + suffix))
        arrays = {}
        for number, size in enumerate(sizes):
            fed = (
                generator.normal(size=size)
                if dtype == "float32"
                else generator.integers(0, 9, size)
            )
            arrays[f"in_{number}"] = fed.astype(dtype)
            arrays[f"out_{number}"] = np.asarray(model(arrays[f"in_{number}"], training=False))
        np.savez(Path(folder, name + ".npz"), **arrays)
        print(name, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
