"""What tf.keras computes in one layer, written of what an old Keras has.

All of it was loaded by genuine Keras 1.2.2, 2.0.8, 2.2.4 and 2.3.1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crafted import model_file, numbers

from kerasir.api import convert
from kerasir.errors import ExportError
from kerasir.ir.plan import Policy
from kerasir.loading import load
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate


@pytest.mark.parametrize("backend", ["theano", "tensorflow"])
@pytest.mark.parametrize("to", ["keras1", "keras2.0", "keras2.2"])
@pytest.mark.parametrize("size", [[2, 3], [4, 1]])
def test_bilinear_from_centres_is_written_as_means(
    to: str, backend: str, size: list[int], tmp_path: Path
) -> None:
    """Which no Keras before tf.keras has; a genuine file of 2.21 was loaded by all of these."""
    config = {"name": "up", "size": size, "interpolation": "bilinear"}
    said = {"batch_input_shape": [None, 5, 4, 2], "data_format": "channels_last"}
    layers = [{"class_name": "UpSampling2D", "config": {**config, **said}}]
    model = {"class_name": "Sequential", "config": {"name": "model", "layers": layers}}
    source = model_file(tmp_path / "old.h5", {"up": {}}, model, keras_version="2.15.0")
    x = numbers(2, 5, 4, 2)
    wanted = np.zeros((2, 5 * size[0], 4 * size[1], 2))
    for i, j in np.ndindex(*wanted.shape[1:3]):
        at = [(n + 0.5) / factor - 0.5 for n, factor in zip((i, j), size, strict=True)]
        for row, column in np.ndindex(5, 4):  # of what lies beyond an edge, the edge is taken
            apart = np.clip(at, 0, (4, 3)) - (row, column)
            part = np.prod(np.maximum(0, 1 - np.abs(apart)))
            wanted[:, i, j] += part * x[:, row, column]
    target = tmp_path / "new.h5"
    done = convert(source, target, to=to, target_backend=backend, io_layout="keep")
    assert "KX102" in {event.code for event in done.report}
    again = load(target, backend=backend, data_format="channels_last")
    (found,) = evaluate(solve(again.graph, Policy()), [x])
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_an_initializer_that_is_a_function_is_left_out(tmp_path: Path) -> None:
    """As Keras 3 says it in HDF5: of the author's own, by its name."""
    function = {"module": "builtins", "class_name": "function", "config": "my_init"}
    config = {"name": "dense", "units": 2, "kernel_initializer": function}
    layers = [{"class_name": "Dense", "config": {**config, "batch_input_shape": [None, 3]}}]
    model = {"class_name": "Sequential", "config": {"name": "model", "layers": layers}}
    arrays = {"dense/kernel:0": numbers(3, 2), "dense/bias:0": numbers(2)}
    source = model_file(tmp_path / "old.h5", {"dense": arrays}, model, keras_version="2.15.0")
    done = convert(source, tmp_path / "new.h5", to="keras1")
    assert "KX201" in {event.code for event in done.report}


def transposed(rank: int, **said: Any) -> tuple[dict[str, Any], tuple[np.ndarray, ...]]:
    """A transposed convolution of unequal extents, and its kernel and bias."""
    shape = (5, 4, 3)[:rank]
    config = {
        "name": "up", "filters": 3, "kernel_size": [3, 2, 4][:rank], "strides": [2, 3, 1][:rank],
        "batch_input_shape": [None, *shape, 2], "data_format": "channels_last", **said,
    }  # fmt: skip
    layers = [{"class_name": f"Conv{rank}DTranspose", "config": config}]
    model = {"class_name": "Sequential", "config": {"name": "model", "layers": layers}}
    return model, (numbers(*config["kernel_size"], 3, 2), numbers(3))


def spread(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, same: bool) -> np.ndarray:
    """Each element adds the kernel times itself; as TensorFlow 2.21 pads and cuts."""
    rank = kernel.ndim - 2
    taps, strides = kernel.shape[:rank], (2, 3, 1)[:rank]
    extents = zip(x.shape[1:-1], strides, taps, strict=True)
    sizes = [max((n - 1) * s + k, n * s) for n, s, k in extents]
    whole = np.zeros((len(x), *sizes, len(bias)))
    for place in np.ndindex(*x.shape[1:-1]):
        for tap in np.ndindex(*taps):
            at = tuple(p * s + k for p, s, k in zip(place, strides, tap, strict=True))
            whole[:, *at] += x[:, *place] @ kernel[tap].T
    if same:
        outs = [n * s for n, s in zip(x.shape[1:-1], strides, strict=True)]
        cuts = [max(0, k - s) // 2 for k, s in zip(taps, strides, strict=True)]
        whole = whole[:, *(slice(c, c + out) for c, out in zip(cuts, outs, strict=True))]
    return whole + bias


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("to", "backend", "rank"),
    [
        ("keras1", "theano", 1), ("keras1", "tensorflow", 3), ("keras1", "theano", 3),
        ("keras2.0", "theano", 1), ("keras2.2", "tensorflow", 1),
    ],
)  # fmt: skip
def test_a_transposed_convolution_that_is_lacking_slides_over_zeros(
    to: str, backend: str, rank: int, padding: str, data_format: str, tmp_path: Path
) -> None:
    """Genuine models in one and three dimensions were loaded by all of these."""
    model, (kernel, bias) = transposed(rank, padding=padding)
    arrays = {"up/kernel:0": kernel, "up/bias:0": bias}
    source = model_file(tmp_path / "old.h5", {"up": arrays}, model, keras_version="2.15.0")
    x = numbers(2, *(5, 4, 3)[:rank], 2)
    target = tmp_path / "new.h5"
    options = {"to": to, "target_backend": backend, "data_format": data_format}
    convert(source, target, io_layout="keep", **options)
    again = load(target, backend=backend, data_format=data_format)
    assert "ConvTranspose" not in {node.op.kind for node in again.graph.nodes}
    (found,) = evaluate(solve(again.graph, Policy()), [x])
    wanted = spread(x, kernel, bias, padding == "same")
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_zeros_are_put_between_as_many_elements_as_are_known(tmp_path: Path) -> None:
    model, (kernel, bias) = transposed(1, batch_input_shape=[None, None, 2])
    arrays = {"up/kernel:0": kernel, "up/bias:0": bias}
    source = model_file(tmp_path / "old.h5", {"up": arrays}, model, keras_version="2.15.0")
    with pytest.raises(ExportError, match="the extents of the input are not known"):
        convert(source, tmp_path / "new.h5", to="keras2.2")


def test_keras_2_has_no_function_of_tf_keras(tmp_path: Path) -> None:
    """By name: the others are told to need a later reader, and Keras 2.2 and 2.3 have none."""
    layers = [
        {"class_name": "Activation",
         "config": {"name": "act", "activation": "gelu", "batch_input_shape": [None, 3]}},
    ]  # fmt: skip
    model = {"class_name": "Sequential", "config": {"name": "model", "layers": layers}}
    source = model_file(tmp_path / "old.h5", {"act": {}}, model, keras_version="2.15.0")
    assert "KX301" in {event.code for event in convert(source, tmp_path / "all.h5").report}
    with pytest.raises(ExportError, match="Gelu"):
        convert(source, tmp_path / "new.h5", to="keras2.2")
