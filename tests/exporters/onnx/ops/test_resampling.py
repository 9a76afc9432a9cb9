"""Resampled axes and adaptive pools in ONNX Runtime, against the reference."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

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
def test_resample(method: str, out: tuple[int, int], opset: int, tmp_path: Path) -> None:
    must_agree(Resample(size=out, method=method), out, tmp_path, opset)  # type: ignore[arg-type]


@opsets
def test_resample_without_aliases(opset: int, tmp_path: Path) -> None:
    must_agree(Resample(size=(2, 3), antialias=True), (2, 3), tmp_path, opset)


@opsets
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize("size", [(4, 2), (1, 5), (1, 1), (6, 3)])
def test_adaptive_pool(
    size: tuple[int, int], largest: bool, known: bool, opset: int, tmp_path: Path
) -> None:
    must_agree(AdaptivePool(size=size, largest=largest), size, tmp_path, opset, known=known)
