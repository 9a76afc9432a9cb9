"""Normalizations in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from one_op import Array, OneOp, numbers
from onnx_models import agrees, newest_opset

from kerasir.exporters.onnx.opsets import LOWEST
from kerasir.ir.ops.normalization import BatchNorm, BatchStatisticsNorm, SampleNorm


def weights(*names: str) -> dict[str, Array]:
    found = {name: numbers(4) for name in names}
    if "variance" in found:
        found["variance"] = np.abs(found["variance"]) + 0.5
    return found


ALL = ("gamma", "beta", "mean", "variance")


@pytest.mark.parametrize("opset", [LOWEST, newest_opset()])
@pytest.mark.parametrize(
    ("rest", "roll", "reshapes"),
    [
        ((None,), 0, 0),  # `batch axis`
        ((None, 3), 0, 2),  # `batch time axis`
        ((None, 3, 5), 0, 2),
        ((None, None, 3), 0, 2),  # the way back needs two extents that only a run tells
    ],
)
def test_batch_norm(
    rest: tuple[int | None, ...], roll: int, reshapes: int, opset: int, tmp_path: Path
) -> None:
    one = OneOp(BatchNorm(epsilon=1e-3), {"...": rest, "axis": (4,)}, weights(*ALL), roll=roll)
    x = numbers(*(2 if size is None else size for size in rest), 4)
    found = agrees(one, x, folder=tmp_path, opset=opset)
    assert found.counts["BatchNormalization"] == 1
    assert found.counts["Reshape"] + found.counts["Flatten"] == reshapes


@pytest.mark.parametrize("names", [("mean", "variance"), ("gamma", *ALL[2:]), ALL[1:]])
def test_weights_that_the_file_lacks_are_filled_in(names: tuple[str, ...], tmp_path: Path) -> None:
    one = OneOp(BatchNorm(epsilon=0.1), {"...": (None,), "axis": (4,)}, weights(*names))
    found = agrees(one, numbers(3, 4), folder=tmp_path)
    assert dict(found.counts) == {"BatchNormalization": 1}
    assert len(found.model.graph.initializer) == 4


@pytest.mark.parametrize("opset", [LOWEST, newest_opset()])
@pytest.mark.parametrize("kind", [SampleNorm, BatchStatisticsNorm])
@pytest.mark.parametrize("names", [(), ("gamma", "beta")])
def test_statistics_of_what_is_fed(
    kind: type[SampleNorm | BatchStatisticsNorm],
    names: tuple[str, ...],
    opset: int,
    tmp_path: Path,
) -> None:
    for roll in (0, 1):
        sizes = {"...": (None, 3), "axis": (4,)}
        one = OneOp(kind(epsilon=0.01), sizes, weights(*names), roll=roll)
        agrees(one, 2 * numbers(5, 3, 4) + 1, folder=tmp_path, opset=opset)
