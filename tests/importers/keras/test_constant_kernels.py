"""Convolutions as operations, with kernels that stand in the architecture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crafted import operation

import kerasir
from kerasir.errors import ConfigError
from kerasir.ir.plan import Policy
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

SHAPE = (4, 4, 2)
KERNEL = [[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]]
"""One pixel, of two channels into three."""


def predicted(path: Path, x: np.ndarray) -> np.ndarray:
    return evaluate(solve(kerasir.load(path).graph, Policy()), [x])[0]


@pytest.mark.parametrize("target", ["model.keras", "model.h5"])
def test_what_is_written_is_not_trained(target: str, tmp_path: Path) -> None:
    source = operation(tmp_path / "fixed.keras", "Conv", SHAPE, constants=[KERNEL])
    kerasir.convert(source, tmp_path / target, data_format="channels_first", io_layout="keep")
    model = kerasir.load(tmp_path / target)
    layers = [node.layer for node in model.graph.nodes if node.layer is not None]
    (trained,) = (one.config["trainable"] for one in layers if one.class_name == "Conv2D")
    assert not trained
    x = np.random.default_rng(0).normal(size=(2, *SHAPE)).astype("float32")
    want = x @ np.asarray(KERNEL, "float32")[0, 0]
    np.testing.assert_allclose(predicted(tmp_path / target, x), want, rtol=1e-5)


def test_a_narrow_blur_changes_nothing(tmp_path: Path) -> None:
    """Its kernel is one in the middle and zero around it, however near to zero the deviation."""
    told = {"kernel_size": [3, 3], "sigma": [1e-6, 1e-6]}
    source = operation(tmp_path / "blur.keras", "GaussianBlur", SHAPE, **told)
    x = np.random.default_rng(0).normal(size=(2, *SHAPE)).astype("float32")
    np.testing.assert_array_equal(predicted(source, x), x)


@pytest.mark.parametrize(
    ("name", "told", "count", "constants", "said"),
    [
        ("Conv", {}, 2, [], "a kernel that is computed"),
        ("Conv", {}, 1, [], "by 0 kernels"),
        ("Conv", {}, 1, [[1.0, 2.0]], "kernels of"),
        ("Conv", {"padding": "full"}, 1, [KERNEL], "padded 'full'"),
        ("Conv", {"strides": [1, 1, 1]}, 1, [KERNEL], "for 2 axes of the space"),
        ("Conv", {"data_format": "NCWH"}, 1, [KERNEL], "data_format is 'NCWH'"),
        ("GaussianBlur", {"kernel_size": [3, 5]}, 1, [], "a blur of (3, 5) pixels"),
        ("GaussianBlur", {"sigma": [0.0, 1.0]}, 1, [], "a blur by [0.0, 1.0]"),
        ("GaussianBlur", {"sigma": "wide"}, 1, [], "a blur by 'wide'"),
        ("GaussianBlur", {"kernel_size": [999, 999]}, 1, [], "a blur of (999, 999) pixels"),
    ],
)
def test_what_cannot_be_read_says_why(
    name: str,
    told: Mapping[str, Any],
    count: int,
    constants: Sequence[Any],
    said: str,
    tmp_path: Path,
) -> None:
    source = operation(tmp_path / "m.keras", name, SHAPE, count, constants, **told)
    with pytest.raises(ConfigError) as caught:
        kerasir.load(source)
    assert said in str(caught.value)
