"""Normalizations in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from one_op import Array, OneOp, numbers, weight
from onnx_models import agrees, expected, export, must_equal, newest_opset

from kerasir.exporters.onnx.opsets import LOWEST
from kerasir.ir.build import Builder
from kerasir.ir.layout import Axis, Layout, fuse
from kerasir.ir.ops.normalization import (
    BatchNorm,
    BatchStatisticsNorm,
    GroupNorm,
    LayerNorm,
    RMSNorm,
    SampleNorm,
    UnitNorm,
)


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


@pytest.mark.parametrize("roll", [0, 1])
def test_batch_norm_along_several_axes(roll: int, tmp_path: Path) -> None:
    """What it comes to is computed when the file is written: two operators are left."""
    held = {name: np.abs(numbers(4, 5)) + 0.5 for name in ALL}
    one = OneOp(BatchNorm(epsilon=0.1), {"...": (None, 3), "axis": (4, 5)}, held, roll=roll)
    found = agrees(one, numbers(2, 3, 4, 5), folder=tmp_path)
    assert dict(found.counts) == {"Mul": 1, "Add": 1}


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


@pytest.mark.parametrize("opset", [LOWEST, 16, 17, newest_opset()])
@pytest.mark.parametrize("names", [(), ("gamma",), ("beta",), ("gamma", "beta")])
@pytest.mark.parametrize("axis", [(4,), (4, 5)])
@pytest.mark.parametrize("roll", [0, 1])
def test_layer_norm(
    names: tuple[str, ...], axis: tuple[int, ...], roll: int, opset: int, tmp_path: Path
) -> None:
    params = {name: numbers(*axis) for name in names}
    one = OneOp(LayerNorm(epsilon=0.01), {"...": (None, 3), "axis": axis}, params, roll=roll)
    found = agrees(one, 2 * numbers(2, 3, *axis) + 1, folder=tmp_path, opset=opset)
    assert found.counts["LayerNormalization"] == (opset >= 17)


@pytest.mark.parametrize("opset", [LOWEST, newest_opset()])
@pytest.mark.parametrize("axis", [(4,), (4, 5)])
@pytest.mark.parametrize("roll", [0, 1])
def test_lengths(axis: tuple[int, ...], roll: int, opset: int, tmp_path: Path) -> None:
    sizes, x = {"...": (None, 3), "axis": axis}, numbers(2, 3, *axis)
    x[0, 0] = 0
    agrees(OneOp(UnitNorm(epsilon=0.5), sizes, roll=roll), x, folder=tmp_path, opset=opset)
    for params in ({}, {"scale": numbers(*axis)}):
        one = OneOp(RMSNorm(epsilon=0.01), sizes, params, roll=roll)
        agrees(one, x, folder=tmp_path, opset=opset)


@pytest.mark.parametrize("opset", [LOWEST, newest_opset()])
@pytest.mark.parametrize("names", [(), ("gamma", "beta")])
@pytest.mark.parametrize("rest", [(), (5,), (None, None)])
@pytest.mark.parametrize("first", [True, False])
def test_group_norm(
    names: tuple[str, ...],
    rest: tuple[int | None, ...],
    first: bool,
    opset: int,
    tmp_path: Path,
) -> None:
    """Wherever the channels are; behind the batch by one operator."""
    builder = Builder()
    batch, groups, inner = Axis("N", None), Axis("G", 2), Axis("C", 3)
    channels, others = fuse((groups, inner)), tuple(Axis("H", size) for size in rest)
    terms = (batch, channels, *others) if first else (batch, *others, channels)
    x = builder.input("x", terms)
    axes = {"batch": (batch,), "groups": (groups,), "in_group": (inner,), "...": others}
    params = {name: weight(f"norm/{name}", numbers(6), Layout.of(channels)) for name in names}
    node = builder.add(GroupNorm(epsilon=0.01), "norm", [x], [terms], axes=axes, params=params)
    graph = builder.freeze(node.results)
    places = [4 if size is None else size for size in rest]
    array = numbers(2, 6, *places) if first else numbers(2, *places, 6)
    found = export(graph, tmp_path, opset=opset)
    must_equal(found.run([array]), expected(graph, [array]))
    assert found.counts["InstanceNormalization"] == (first or not rest)
