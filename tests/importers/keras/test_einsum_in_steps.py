"""EinsumDense inside TimeDistributed: its first letter is the batch, whatever else is repeated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from crafted import model_file, numbers

from kerasir.api import convert
from kerasir.ir.plan import Policy
from kerasir.loading import load
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

LOCAL = {"name": "own", "filters": 5, "kernel_size": [2], "strides": [1], "padding": "valid"}


def test_a_locally_connected_layer_for_each_step(tmp_path: Path) -> None:
    """Keras 3 has none, so that it is written as an EinsumDense for the windows."""
    inner = {"class_name": "LocallyConnected1D", "config": LOCAL}
    outer = {"name": "steps", "batch_input_shape": [None, 2, 4, 3], "layer": inner}
    config = {
        "class_name": "Sequential",
        "config": [{"class_name": "TimeDistributed", "config": outer}],
    }
    kernel, bias = numbers(3, 6, 5) / 90, numbers(3, 5)
    weights = {"steps": {"steps/kernel": kernel, "steps/bias": bias}}
    said = {"keras_version": "2.2.4", "backend": "theano"}
    source = model_file(tmp_path / "old.h5", weights, config, **said)
    x = numbers(2, 2, 4, 3)
    want = np.empty((2, 2, 3, 5))
    for batch in range(2):
        for step in range(2):
            for place in range(3):
                patch = x[batch, step, place : place + 2].reshape(-1)
                want[batch, step, place] = patch @ kernel[place] + bias[place]
    convert(source, tmp_path / "new.keras", io_layout="keep")
    for path in (source, tmp_path / "new.keras"):
        (found,) = evaluate(solve(load(path).graph, Policy()), [x])
        np.testing.assert_allclose(found, want, rtol=1e-5)
