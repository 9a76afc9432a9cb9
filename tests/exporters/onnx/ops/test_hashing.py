"""Hashes of numbers in ONNX Runtime, with operators on bits and without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from one_op import OneOp
from onnx_models import agrees, expected, export, must_equal, newest_opset

from kerasir.exporters.onnx.opsets import LOWEST
from kerasir.ir.build import Builder
from kerasir.ir.layout import Axis
from kerasir.ir.ops.hashing import Hash, HashCross

opsets = pytest.mark.parametrize("opset", [LOWEST, newest_opset()])
POWERS = [0, *(sign * 10**n + sign * n for n in range(19) for sign in (1, -1)), 2**63 - 1, -(2**63)]
NUMBERS = np.array(POWERS[:40], "int64").reshape(10, 4)


@opsets
@pytest.mark.parametrize(
    "op",
    [
        Hash(bins=2**61 - 1),
        Hash(bins=2**61 - 1, key=(133, 2**64 - 137)),
        Hash(bins=7, masked=10),
        Hash(bins=1, masked=10),
    ],
)
def test_hashes(op: Hash, opset: int, tmp_path: Path) -> None:
    one = OneOp(op, {"...": (None, 4)}, dtypes=["int64"])
    agrees(one, NUMBERS, folder=tmp_path, opset=opset)


@opsets
def test_crossed(opset: int, tmp_path: Path) -> None:
    builder, axes = Builder(), (Axis("N", None), Axis("X", 4))
    fed = [builder.input(f"x{n}", axes, "int64") for n in range(2)]
    op = HashCross(bins=2**61 - 1)
    made = builder.add(op, "op", fed, [axes], axes={"...": axes}, dtypes=["int64"])
    graph, inputs = builder.freeze(made.results), [NUMBERS, NUMBERS[::-1].copy()]
    must_equal(export(graph, tmp_path, opset=opset).run(inputs), expected(graph, inputs))


@pytest.mark.parametrize("masked", [None, 2.5, 3])
def test_a_hash_of_floats(masked: float | None, tmp_path: Path) -> None:
    one = OneOp(Hash(bins=101, masked=masked), {"...": (None, 3)}, dtypes=["float32"])
    agrees(one, np.array([[2.5, -3.9, 3.0], [3e9, 0, -0.2]], "float32"), folder=tmp_path)
