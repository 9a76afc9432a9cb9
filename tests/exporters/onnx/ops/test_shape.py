"""Views, Reshapes and Repeats in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from one_op import OneOp, numbers
from onnx_models import Exported, agrees, expected, export, must_equal, newest_opset

from kerasir.exporters.onnx.opsets import LOWEST
from kerasir.ir.build import Builder
from kerasir.ir.layout import Axis, Term, fuse
from kerasir.ir.op import Op
from kerasir.ir.ops.shape import Repeat, Reshape, View

opsets = pytest.mark.parametrize("opset", [LOWEST, newest_opset()])


def viewed(
    op: Op, before: Sequence[Term], after: Sequence[Term], shape: Sequence[int], folder: Path,
    opset: int,
) -> Exported:  # fmt: skip
    builder = Builder()
    x = builder.input("x", tuple(before))
    graph = builder.freeze(builder.add(op, "view", [x], [tuple(after)]).results)
    arrays = [numbers(*shape)]
    found = export(graph, folder, opset=opset)
    must_equal(found.run(arrays), expected(graph, arrays))
    return found


@opsets
def test_flatten(opset: int, tmp_path: Path) -> None:
    n, c, h, w = Axis("N", None), Axis("C", 3), Axis("H", 4), Axis("W", 5)
    found = viewed(View(), (n, c, h, w), (n, fuse((c, h, w))), (2, 3, 4, 5), tmp_path, opset)
    assert dict(found.counts) == {"Flatten": 1}
    wild = (n, Axis("C", 3), Axis("H", None), Axis("W", None))
    found = viewed(View(), wild, (n, fuse(wild[1:])), (2, 3, 4, 5), tmp_path, opset)
    assert dict(found.counts) == {"Flatten": 1}
    assert [d.dim_param for d in found.model.graph.output[0].type.tensor_type.shape.dim] == [
        "batch", "height*width*3",
    ]  # fmt: skip


@opsets
def test_flatten_in_every_step(opset: int, tmp_path: Path) -> None:
    n, t, c, h = Axis("N", None), Axis("T", None), Axis("C", 3), Axis("H", 4)
    found = viewed(View(), (n, t, c, h), (n, t, fuse((c, h))), (2, 5, 3, 4), tmp_path, opset)
    assert dict(found.counts) == {"Reshape": 1}


@opsets
def test_permute_and_units(opset: int, tmp_path: Path) -> None:
    n, c, h = Axis("N", None), Axis("C", 3), Axis("H", None)
    found = viewed(View(layer_class="Permute"), (n, c, h), (n, h, c), (2, 3, 4), tmp_path, opset)
    assert dict(found.counts) == {"Transpose": 1}
    units = (n, Axis("X", 1), c, h, Axis("X", 1))
    found = viewed(View(), (n, c, h), units, (2, 3, 4), tmp_path, opset)
    assert found.counts["Transpose"] == 0


@opsets
@pytest.mark.parametrize(
    ("before", "after", "fed"),
    [((3, 4), (6, 2), (3, 4)), ((4, 5, 3), (60,), (4, 5, 3)), ((None, 4), (None, 8), (6, 4))],
)
def test_reshape(
    before: tuple[int | None, ...],
    after: tuple[int | None, ...],
    fed: tuple[int, ...],
    opset: int,
    tmp_path: Path,
) -> None:
    n = Axis("N", None)
    have, want = (tuple(Axis("X", size) for size in shape) for shape in (before, after))
    found = viewed(Reshape(), (n, *have), (n, *want), (2, *fed), tmp_path, opset)
    assert found.counts["Reshape"] + found.counts["Flatten"] == 1


@opsets
@pytest.mark.parametrize("batch", [(None,), (None, 3)])
def test_repeat(batch: tuple[int | None, ...], opset: int, tmp_path: Path) -> None:
    one = OneOp(Repeat(), {"batch": batch, "features": (4,), "time": (5,)})
    x = numbers(*(2 if size is None else size for size in batch), 4)
    found = agrees(one, x, folder=tmp_path, opset=opset)
    assert dict(found.counts) == {"Unsqueeze": 1, "Expand": 1}
