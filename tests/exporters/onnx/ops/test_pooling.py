"""Pools, padding, cropping and up-sampling in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from one_op import OneOp, numbers
from onnx_models import agrees, newest_opset

from kerasir.exporters.onnx.opsets import LOWEST
from kerasir.ir.op import Op
from kerasir.ir.ops.pooling import (
    AveragePool,
    Crop,
    GlobalAveragePool,
    GlobalMaxPool,
    MaskedAveragePool,
    MaxPool,
    UpSample,
    ZeroPad,
)

orders = pytest.mark.parametrize(
    ("batches", "last"), [(1, False), (1, True), (2, False), (2, True)]
)
POOLS = [
    MaxPool,
    AveragePool,
    lambda **said: AveragePool(count_padding=True, **said),
]
# space, window, strides, pads
GEOMETRIES: list[Any] = [
    ((7,), (3,), (2,), ((1, 0),)),
    ((5, 8), (3, 2), (2, 3), ((2, 1), (0, 1))),
    ((4, 3, 5), (2, 3, 1), (1, 2, 3), ((0, 1), (1, 1), (0, 0))),
]
WIDE: list[Any] = [  # every window meets something all the same
    ((7,), (2,), (5,), ((1, 3),)),
    ((5, 8), (3, 2), (4, 5), ((1, 3), (0, 2))),
]
EMPTY: Any = ((5, 8), (3, 2), (2, 3), ((4, 1), (0, 3)))  # some windows meet nothing


def spatial(op: Op, space: Any, out: Any, batches: int, last: bool) -> OneOp:
    batch = (None,) if batches == 1 else (None, 3)
    sizes = {"batch": batch, "channels": (3,), "space": space, "out_space": out}
    return OneOp(op, sizes, last=last)


def image(space: Any, batches: int) -> Any:
    return numbers(*((2,) if batches == 1 else (2, 3)), 3, *space)


def pooled(make: Any, geometry: Any, batches: int, last: bool) -> OneOp:
    space, taps, strides, pads = geometry
    out = tuple(
        (n + sum(p) - k) // s + 1 for n, k, s, p in zip(space, taps, strides, pads, strict=True)
    )
    op = make(pool_size=taps, strides=strides, padding=pads)
    return spatial(op, space, out, batches, last)


@pytest.mark.parametrize("make", POOLS, ids=["max", "average", "counting"])
@pytest.mark.parametrize("geometry", GEOMETRIES)
@orders
def test_pool(make: Any, geometry: Any, batches: int, last: bool, tmp_path: Path) -> None:
    one = pooled(make, geometry, batches, last)
    found = agrees(one, image(geometry[0], batches), folder=tmp_path)
    assert sum(found.counts.values()) == 1 + 2 * last + 2 * (batches > 1)


@pytest.mark.parametrize("opset", [LOWEST, newest_opset()])
@pytest.mark.parametrize("make", POOLS, ids=["max", "average", "counting"])
@pytest.mark.parametrize("geometry", WIDE)
def test_padding_as_wide_as_the_window(
    make: Any, geometry: Any, opset: int, tmp_path: Path
) -> None:
    """ONNX Runtime refuses such pads: they are put there by a Pad, and the mean is set right."""
    one = pooled(make, geometry, 1, last=False)
    found = agrees(one, image(geometry[0], 1), folder=tmp_path, opset=opset)
    assert found.counts["Pad"] == 1
    assert found.counts["Div"] == (len(geometry[0]) if make is AveragePool else 0)


@pytest.mark.parametrize("make", POOLS[1:], ids=["average", "counting"])
def test_the_mean_of_nothing_but_padding(make: Any, tmp_path: Path) -> None:
    """Zero where padding counts, no number where it does not."""
    one = pooled(make, EMPTY, 1, last=False)
    found = agrees(one, image(EMPTY[0], 1), folder=tmp_path, finite=make is not AveragePool)
    [y] = found.run([image(EMPTY[0], 1)])
    assert bool(np.isnan(y).any()) == (make is AveragePool)


@pytest.mark.parametrize("opset", [LOWEST, newest_opset()])
@pytest.mark.parametrize("make", POOLS, ids=["max", "average", "counting"])
@pytest.mark.parametrize("geometry", WIDE)
def test_wide_padding_over_an_unknown_extent(
    make: Any, geometry: Any, opset: int, tmp_path: Path
) -> None:
    space, taps, strides, padding = geometry
    op = make(pool_size=taps, strides=strides, padding=padding)
    unknown = (None,) * len(space)
    one = spatial(op, unknown, unknown, 1, last=False)
    agrees(one, image(space, 1), folder=tmp_path, opset=opset)


@pytest.mark.parametrize("make", POOLS[:2], ids=["max", "average"])
@pytest.mark.parametrize("opset", [LOWEST, newest_opset()])
def test_same_upper_over_unknown_sizes(make: Any, opset: int, tmp_path: Path) -> None:
    op = make(pool_size=(3, 2), strides=(2, 3), padding="same_upper")
    one = spatial(op, (None, None), (None, None), 1, last=True)
    agrees(one, image((7, 5), 1), folder=tmp_path, opset=opset)


@pytest.mark.parametrize("op", [GlobalMaxPool(), GlobalAveragePool()], ids=lambda op: op.kind)
@pytest.mark.parametrize("space", [(4,), (4, 5), (None, None), (4, 5, 3)])
@pytest.mark.parametrize("opset", [LOWEST, 17, 18, newest_opset()])
def test_global_pools(op: Op, space: Any, opset: int, tmp_path: Path) -> None:
    one = OneOp(op, {"...": (None, 3), "space": space}, roll=0)
    x = numbers(2, 3, *(6 if size is None else size for size in space))
    assert sum(agrees(one, x, folder=tmp_path, opset=opset).counts.values()) == 1


@pytest.mark.parametrize(
    ("op", "space", "out"),
    [
        (ZeroPad(padding=((1, 2),)), (4,), (7,)),
        (ZeroPad(padding=((1, 2), (0, 3))), (4, 5), (7, 8)),
        (ZeroPad(padding=((1, 2), (0, 3), (2, 0))), (4, 5, 3), (7, 8, 5)),
        (Crop(cropping=((1, 2),)), (6,), (3,)),
        (Crop(cropping=((1, 2), (0, 3))), (6, 5), (3, 2)),
        (Crop(cropping=((1, 0), (0, 0), (2, 1))), (4, 5, 6), (3, 5, 3)),
        (UpSample(size=(3,)), (4,), (12,)),
        (UpSample(size=(3, 2)), (4, 5), (12, 10)),
        (UpSample(size=(3, 1, 2)), (2, 5, 4), (6, 5, 8)),
        (UpSample(size=(3, 2), interpolation="bilinear"), (4, 5), (12, 10)),
        (UpSample(size=(2, 3), interpolation="bilinear"), (1, 5), (2, 15)),
        (UpSample(size=(3, 2), interpolation="bilinear_corner"), (4, 5), (12, 10)),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
@orders
def test_what_happens_along_space(
    op: Op, space: Any, out: Any, batches: int, last: bool, tmp_path: Path
) -> None:
    one = spatial(op, space, out, batches, last)
    found = agrees(one, image(space, batches), folder=tmp_path)
    folds = batches > 1 and isinstance(op, UpSample)
    assert sum(found.counts.values()) == 1 + 2 * last + 2 * folds


@pytest.mark.parametrize("opset", [LOWEST, newest_opset()])
@pytest.mark.parametrize(
    "op",
    [ZeroPad(padding=((1, 2), (0, 3))), Crop(cropping=((1, 2), (0, 3))), UpSample(size=(3, 2))],
    ids=lambda op: op.kind,
)
@pytest.mark.parametrize("batches", [1, 2])
def test_unknown_extents(op: Op, batches: int, opset: int, tmp_path: Path) -> None:
    """Extents that only the run tells are taken from the tensors that have them."""
    one = spatial(op, (None, None), (None, None), batches, last=True)
    agrees(one, image((6, 5), batches), folder=tmp_path, opset=opset)


@pytest.mark.parametrize("opset", [LOWEST, newest_opset()])
@pytest.mark.parametrize("batches", [1, 2])
def test_the_mean_that_a_mask_leaves(batches: int, opset: int, tmp_path: Path) -> None:
    batch = (None,) if batches == 1 else (None, 3)
    sizes = {"batch": batch, "time": (5,), "features": (4,)}
    one = OneOp(MaskedAveragePool(), sizes, feeds=2, dtypes=("float32", "bool"))
    x = numbers(*((2,) if batches == 1 else (2, 3)), 5, 4)
    mask = x[..., 0] > 0
    mask[..., 3] = True
    agrees(one, x, mask, folder=tmp_path, opset=opset)
