"""Models of many small layers: what each step costs, in all and per layer.

    python benchmarks/many_layers.py [--dir FOLDER] [--only TEXT] [--write docs/performance.md]

Models of Keras 2.2.4 on Theano are made: 2,000 Dense layers, a chain of 10,000 layers in which
every tenth is a Dense and the others are activations, and 2,000 models inside a model, of a Dense
each. Each is read, solved, checked, written in every kind of file and read from it again, in one
process, with a cold start of the libraries in the first row that needs them. Seconds by the clock,
and of processor time, which the costs per layer are of. The peak is resident memory up to that
step. What costs more of each layer where there are more of them is a fault.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import h5py
import numpy as np
from measuring import Table, peak_memory

import kerasir
from kerasir.ir.check import check
from kerasir.ir.plan import Policy
from kerasir.passes.solve import solve

T = TypeVar("T")
UNITS = 4
MOST_ATTRIBUTE = 60_000
"""Bytes that Keras puts into one HDF5 attribute; longer lists of names are cut into several."""


class Case(NamedTuple):
    """One model: how many layers, every which of them a Dense, and whether in a model each."""

    layers: int
    every: int = 1
    nested: bool = False


CASES = {
    "2,000 Dense": Case(2_000),
    "chain of 10,000": Case(10_000, every=10),
    "2,000 nested": Case(2_000, nested=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dir", type=Path, help="where the files are made (default: the system's)")
    parser.add_argument("--only", default="", help="cases with this text in their name")
    parser.add_argument("--write", type=Path, help="replace the table of this document")
    given = parser.parse_args()
    table = Table("case", "step", "s", "cpu s", "μs of each layer", "peak memory")
    for name, case in CASES.items():
        if given.only in name:
            with tempfile.TemporaryDirectory(dir=given.dir, prefix="kerasir-layers-") as folder:
                measure(table, name, Path(folder), case)
    table.write(given.write, "many_layers.py")


def measure(table: Table, name: str, folder: Path, case: Case) -> None:
    """A row per step."""
    path = folder / "model.h5"
    make(path, case)

    def step(title: str, action: Callable[[], T]) -> T:
        begin, used = time.perf_counter(), time.process_time()
        result = action()
        seconds, cpu = time.perf_counter() - begin, time.process_time() - used
        times = f"{seconds:.2f}", f"{cpu:.2f}", f"{cpu / case.layers * 1e6:.0f}"
        table.row(name, title, *times, f"{peak_memory() / 1e6:.0f} MB")
        return result

    model = step("load", lambda: kerasir.load(path))
    policy = Policy(order="channels_last", io="match", preserve=True)
    plan = step("solve", lambda: solve(model.graph, policy))
    step("check", lambda: check(plan))
    step("to Keras 2 HDF5", lambda: kerasir.save(model, folder / "out.h5"))
    step("to .keras", lambda: kerasir.save(model, folder / "out.keras"))
    step("load .keras", lambda: kerasir.load(folder / "out.keras"))
    step("to ONNX", lambda: kerasir.save(model, folder / "out.onnx"))
    step("to .kerasir", lambda: kerasir.save(model, folder / "out.kerasir"))
    step("load .kerasir", lambda: kerasir.load(folder / "out.kerasir"))


def make(path: Path, case: Case) -> None:
    """Write the model as Keras 2.2.4 would have."""
    layers = [{"class_name": "InputLayer", "config": {"name": "in"}}]
    layers[0]["config"]["batch_input_shape"] = [None, UNITS]
    random = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        weights = file.create_group("model_weights")
        stored: dict[str, dict[str, Any]] = {"in": {}}
        for number in range(case.layers):
            if number % case.every:
                layers.append(layer("Activation", f"activation_{number}", activation="tanh"))
                stored[f"activation_{number}"] = {}
                continue
            name, owner = f"dense_{number}", f"model_{number}" if case.nested else ""
            dense = layer("Dense", name, units=UNITS, activation="tanh")
            if owner:
                dense["config"]["batch_input_shape"] = [None, UNITS]
                dense = {"class_name": "Sequential", "config": {"name": owner, "layers": [dense]}}
            layers.append(dense)
            kernel = random.standard_normal((UNITS, UNITS), np.float32)
            stored[owner or name] = {f"{name}/kernel": kernel, f"{name}/bias": kernel[0]}
        for name, arrays in stored.items():
            group, names = weights.create_group(name), list(arrays)
            group.attrs["weight_names"] = [one.encode() for one in names]
            for one, array in zip(names, arrays.values(), strict=True):
                group[one] = array
        write_names(weights, list(stored))
        for holder in (file, weights):
            holder.attrs["keras_version"], holder.attrs["backend"] = b"2.2.4", b"theano"
        config = {"class_name": "Sequential", "config": {"name": "many", "layers": layers}}
        kind = h5py.string_dtype()
        file.attrs.create("model_config", json.dumps(config), dtype=kind)


def layer(class_name: str, name: str, **config: Any) -> dict[str, Any]:
    """A layer as Keras 2 spells it."""
    return {"class_name": class_name, "config": {"name": name, "trainable": True, **config}}


def write_names(weights: h5py.Group, names: list[str]) -> None:
    """`layer_names`, in several attributes where one would be too long."""
    array = np.array([name.encode() for name in names])
    pieces = -(-array.nbytes // MOST_ATTRIBUTE)
    if pieces == 1:
        weights.attrs["layer_names"] = array
        return
    for number, piece in enumerate(np.array_split(array, pieces)):
        weights.attrs[f"layer_names{number}"] = piece


if __name__ == "__main__":
    main()
