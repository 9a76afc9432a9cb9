"""Models born in one data format and written in the other: the same numbers, and no idle moves.

What is counted are the layers that move an activation. A count that rises is a plan that got
worse; those that are not zero have the reason beside them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from both_orders import MODELS, ORDERS, Net

import kerasir
from kerasir.ir.plan import Policy
from kerasir.ir.source import Array
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

BATCH = 11
CLOSE = 1e-10
"""Relative to the largest number of an output: both files are computed in double precision."""

MOVED = {
    # steps are rows: in channels_first they do not come right behind the batch
    ("features_in_sequence", "channels_last", "channels_first"): 1,
    # rows and columns are exchanged by the author, which no kernel undoes in sight of the caller
    ("permuted", "channels_first", "channels_last"): 1,
    ("permuted", "channels_last", "channels_first"): 1,
}
"""How many layers of the file written move something, where there is one."""


def permutes(config: Any) -> Iterator[str]:
    """The Permute layers in a configuration, those inside of others included."""
    if isinstance(config, dict):
        if config.get("class_name") == "Permute":
            yield config["config"]["name"]
        for value in config.values():
            yield from permutes(value)
    elif isinstance(config, list):
        for value in config:
            yield from permutes(value)


def computed(path: Path, inputs: list[Array]) -> tuple[list[Array], list[Array]]:
    """What a file's model makes of inputs that are brought into its order; and those."""
    plan = solve(kerasir.load(path).graph, Policy())
    fed = [as_in(x, held.layout.shape) for x, held in zip(inputs, plan.inputs, strict=True)]
    return evaluate(plan, fed), fed


def as_in(array: Array, shape: tuple[int | None, ...]) -> Array:
    """An array with its axes in the order of a shape; all its extents are different."""
    wanted = [BATCH, *shape[1:]]
    assert sorted(wanted) == sorted(set(array.shape))
    return np.moveaxis(array, [array.shape.index(n) for n in wanted], range(array.ndim))


@pytest.mark.parametrize("target", ORDERS)
@pytest.mark.parametrize("born", ORDERS)
@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_either_order_from_either(
    make: Callable[[Net], list[str]], born: str, target: str, tmp_path: Path
) -> None:
    net = Net(make.__name__, born)
    source = net.write(tmp_path / "source.h5", make(net))
    written = tmp_path / "written.h5"
    kerasir.convert(source, written, data_format=target, target_backend="tensorflow")
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(BATCH, *shape)) for shape in net.shapes]
    wanted, _ = computed(source, inputs)
    found, fed = computed(written, inputs)
    if target != born and any(x.ndim > 3 for x in inputs):
        assert all(x.shape != y.shape for x, y in zip(inputs, fed, strict=True) if x.ndim > 3)
    for y, want in zip(found, wanted, strict=True):
        brought = as_in(want, y.shape)
        assert np.abs(y - brought).max() <= CLOSE * np.abs(want).max()
    with h5py.File(written) as file:
        moving = list(permutes(json.loads(file.attrs["model_config"])))
    with h5py.File(source) as file:
        own = list(permutes(json.loads(file.attrs["model_config"])))
    allowed = MOVED.get((make.__name__, born, target), 0)
    assert len(moving) <= (len(own) if target == born else allowed), moving
