"""Resampled axes and adaptive pools in ONNX Runtime, against the reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from one_op import OneOp, numbers
from onnx_models import expected, export, must_equal, newest_opset

from kerasir.exporters.onnx.opsets import LOWEST
from kerasir.ir.op import Op
from kerasir.ir.ops.pooling import AdaptivePool, Method, Resample

opsets = pytest.mark.parametrize("opset", [LOWEST, newest_opset()])


def must_agree(
    op: Op, out: tuple[int, int], folder: Path, opset: int, *, known: bool = True
) -> None:
    space = [6, 5] if known else [None, None]
    sizes = {"batch": [None], "channels": [2], "space": space, "out_space": [*out]}
    one, fed = OneOp(op, sizes), [numbers(3, 2, 6, 5)]
    must_equal(export(one.graph, folder, opset=opset).run(fed), expected(one.graph, fed))


@opsets
@pytest.mark.parametrize("out", [(4, 9), (12, 10)])
@pytest.mark.parametrize("method", get_args(Method))
@pytest.mark.parametrize("known", [True, False])
def test_resample(
    method: Any, out: tuple[int, int], known: bool, opset: int, tmp_path: Path
) -> None:
    must_agree(Resample(size=out, method=method), out, tmp_path, opset, known=known)


@opsets
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("method", ["bilinear", "bicubic", "lanczos3"])
def test_resample_without_aliases(method: Any, known: bool, opset: int, tmp_path: Path) -> None:
    op = Resample(size=(2, 3), method=method, antialias=True)
    must_agree(op, (2, 3), tmp_path, opset, known=known)


@opsets
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize("size", [(4, 2), (1, 5), (1, 1), (6, 3)])
def test_adaptive_pool(
    size: tuple[int, int], largest: bool, known: bool, opset: int, tmp_path: Path
) -> None:
    must_agree(AdaptivePool(size=size, largest=largest), size, tmp_path, opset, known=known)
