"""Embedding and masks in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from one_op import OneOp, numbers
from onnx_models import agrees, newest_opset

from kerasir.exporters.onnx.opsets import LOWEST
from kerasir.ir.ops.embedding import Embedding, Masking, NotEqual

opsets = pytest.mark.parametrize("opset", [LOWEST, newest_opset()])


@opsets
@pytest.mark.parametrize(
    ("dtype", "operators"),
    [
        ("float32", {"Cast": 1, "Gather": 1}),
        ("int32", {"Gather": 1}),
        ("int64", {"Gather": 1}),
    ],
)
def test_embedding(dtype: str, operators: dict[str, int], opset: int, tmp_path: Path) -> None:
    """Keras feeds indices as float32: 2.9 is row 2."""
    sizes = {"...": (None, 3), "vocabulary": (7,), "features": (4,)}
    one = OneOp(Embedding(), sizes, {"embeddings": numbers(7, 4)}, dtypes=(dtype,))
    one.graph.nodes[0].results[0].dtype = "float32"
    x = np.array([[0, 6, 2], [3, 5, 1]]) + (0.9 if dtype == "float32" else 0)
    assert dict(agrees(one, x, folder=tmp_path, opset=opset).counts) == operators


@opsets
@pytest.mark.parametrize(("dtype", "value"), [("float32", 1.5), ("int32", 2.0), ("int32", 1.5)])
def test_not_equal(dtype: str, value: float, opset: int, tmp_path: Path) -> None:
    one = OneOp(NotEqual(value=value), {"...": (None, 3)}, dtypes=(dtype,))
    one.graph.nodes[0].results[0].dtype = "bool"
    x = np.array([[1.5, 2, 0], [2, 1.5, 3]]) if dtype == "float32" else np.array([[1, 2, 3]])
    found = agrees(one, x, folder=tmp_path, opset=opset)
    assert found.counts["Equal"] == found.counts["Not"] == 1


@opsets
@pytest.mark.parametrize("roll", [0, 1, 2])
def test_masking(roll: int, opset: int, tmp_path: Path) -> None:
    """A step counts if any of its features is another number, wherever they lie."""
    sizes = {"...": (None, 3), "features": (4,)}
    one = OneOp(Masking(mask_value=-1.0), sizes, roll=roll)
    one.graph.nodes[0].results[1].dtype = "bool"
    x = numbers(2, 3, 4)
    x[0, 1] = x[1, 2] = -1
    x[1, 0, 2] = -1
    agrees(one, x, folder=tmp_path, opset=opset)
