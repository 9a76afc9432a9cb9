"""Genuine files with one fault put in by hand: what the old days' conversions got wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Change = Callable[[np.ndarray], np.ndarray]


def changed(source: Path, target: Path, weights: dict[str, Change]) -> Path:
    """A copy with some weights changed, by the path in `model_weights`."""
    shutil.copy(source, target)
    with h5py.File(target, "r+") as file:
        for path, change in weights.items():
            dataset = file["model_weights"][path]
            dataset[...] = change(dataset[()])
    return target


def configured(source: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy with every layer's configuration changed."""
    shutil.copy(source, target)
    with h5py.File(target, "r+") as file:
        text = file.attrs["model_config"]
        model = json.loads(text)
        layers = model["config"]
        for layer in layers if isinstance(layers, list) else layers["layers"]:
            change(layer)
        del file.attrs["model_config"]
        file.attrs["model_config"] = json.dumps(model).encode()
    return target


def said_to_be_of(path: Path, backend: str) -> None:
    """Let a file say that another backend wrote it."""
    with h5py.File(path, "r+") as file:
        for group in (file, file["model_weights"]):
            group.attrs["backend"] = backend.encode()


def back_to_front(kernel: np.ndarray) -> np.ndarray:
    """A kernel, H W I O, reversed in space: a true convolution's."""
    return kernel[::-1, ::-1]


def rows_channels_first(sizes: tuple[int, int, int]) -> Change:
    """Rows of a Dense kernel behind a Flatten of (H W C), put into the order (C H W)."""

    def change(kernel: np.ndarray) -> np.ndarray:
        rows = kernel.reshape(*sizes, kernel.shape[1])
        return np.moveaxis(rows, 2, 0).reshape(kernel.shape)

    return change


def gates(order: str) -> Change:
    """Columns of an LSTM's weights, i f c o, in another order."""

    def change(weight: np.ndarray) -> np.ndarray:
        blocks = dict(zip("ifco", np.split(weight, 4, axis=-1), strict=True))
        return np.concatenate([blocks[gate] for gate in order], axis=-1)

    return change
