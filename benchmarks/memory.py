"""A VGG16 of Keras 1 converted: time beside `cp`, and memory, which has to stay within 150 MB.

    python benchmarks/memory.py [--dir FOLDER] [--repeats N] [--keep FILE] [--write FILE]

The file is made first: 528 MB of random weights as Keras 1.2.2 on Theano stored them. It is then
converted by the command line, to Keras 2 HDF5 (every kernel reversed and permuted, the rows of the
first Dense reordered) and to ONNX, alternating with `cp` of the same bytes; times are medians with
a warm page cache. The peak is the resident memory of the largest process, as the kernel counts it.
It fails if that is over the limit.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from measuring import KERASIR, Run, Table, alone, medians

LIMIT = 150
"""Megabytes (10**6 bytes) that a conversion may have resident."""

BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Filters, and how many convolutions stand before each pool."""

DENSE = (4096, 4096, 1000)
TARGETS = {"Keras 2 HDF5": "converted.h5", "ONNX": "converted.onnx"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dir", type=Path, help="where the files are made (default: the system's)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="use this file, and leave it there")
    parser.add_argument("--write", type=Path, help="replace the table of this document")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.dir, prefix="kerasir-memory-") as folder:
        source = given.keep or Path(folder) / "vgg16_th.h5"
        if not source.exists():
            make(source)
        table = Table("to", "s", "cp", "peak memory")
        too_much = measure(table, source, Path(folder), given.repeats)
    table.write(given.write, "memory.py")
    if too_much:
        sys.exit(f"over {LIMIT} MB: {', '.join(too_much)}")


def measure(table: Table, source: Path, folder: Path, repeats: int) -> list[str]:
    """A row per target; the targets whose conversion took too much memory."""
    size = source.stat().st_size
    too_much = []
    for title, name in TARGETS.items():
        target = folder / name
        command = [*KERASIR, "convert", "-q", str(source), str(target)]
        runs, copies = [], []
        for _ in range(repeats):
            copies.append(timed(["cp", str(source), str(target)], target))
            runs.append(timed(command, target))
            if target.stat().st_size < 0.99 * size:
                sys.exit(f"{title}: only {target.stat().st_size} bytes were written")
        run, copy = medians(runs), medians(copies)
        times = f"{run.seconds:.2f}", f"{run.seconds / copy.seconds:.1f}"
        table.row(title, *times, f"{run.peak / 1e6:.0f} MB")
        if run.peak > LIMIT * 1e6:
            too_much.append(title)
        target.unlink()
    return too_much


def timed(command: Sequence[str], target: Path) -> Run:
    """Run one process that writes `target`, which is removed first."""
    target.unlink(missing_ok=True)
    return alone(command)


def make(path: Path) -> None:
    """Write the model, a block of random weights at a time."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"1.2.2"
        weights = file.create_group("model_weights")
        layers = [*convolutions(weights), layer("Flatten", "flatten")]
        inputs = BLOCKS[-1][0] * (224 // 2 ** len(BLOCKS)) ** 2
        for number, units in enumerate(DENSE, 1):
            name = f"fc{number}"
            activation = "softmax" if number == len(DENSE) else "relu"
            layers.append(layer("Dense", name, output_dim=units, activation=activation))
            store(weights, name, {"W": (inputs, units), "b": (units,)})
            inputs = units
        layers[0]["config"]["batch_input_shape"] = [None, 3, 224, 224]
        names = [one["config"]["name"] for one in layers]
        for name in names:
            if name not in weights:
                store(weights, name, {})
        weights.attrs["layer_names"] = [name.encode() for name in names]
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": layers})


def convolutions(weights: h5py.Group) -> list[dict[str, Any]]:
    """The convolutions and pools, with their weights written."""
    layers, channels = [], 3
    for block, (filters, count) in enumerate(BLOCKS, 1):
        for number in range(1, count + 1):
            name = f"conv{block}_{number}"
            config = {"nb_filter": filters, "nb_row": 3, "nb_col": 3, "border_mode": "same"}
            one = layer("Convolution2D", name, **config, activation="relu", dim_ordering="th")
            layers.append(one)
            store(weights, name, {"W": (filters, channels, 3, 3), "b": (filters,)})
            channels = filters
        pool = {"pool_size": [2, 2], "strides": [2, 2], "border_mode": "valid"}
        layers.append(layer("MaxPooling2D", f"pool{block}", **pool, dim_ordering="th"))
    return layers


def layer(class_name: str, name: str, **config: Any) -> dict[str, Any]:
    """A layer as Keras 1 spells it."""
    return {"class_name": class_name, "config": {"name": name, "trainable": True, **config}}


def store(weights: h5py.Group, name: str, arrays: dict[str, tuple[int, ...]]) -> None:
    """The arrays of a layer, filled in pieces of a megabyte."""
    group = weights.create_group(name)
    group.attrs["weight_names"] = [f"{name}_{which}".encode() for which in arrays]
    random = np.random.default_rng(0)
    for which, shape in arrays.items():
        dataset = group.create_dataset(f"{name}_{which}", shape, np.float32)
        step = max(1, (1 << 18) * shape[0] // dataset.size)
        for start in range(0, shape[0], step):
            rows = min(step, shape[0] - start)
            values = random.standard_normal((rows, *shape[1:]), np.float32)
            dataset[start : start + rows] = values * 0.05


if __name__ == "__main__":
    main()
