"""Ops of graphs of operations in ONNX Runtime, against the reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from one_op import Array, OneOp, numbers
from onnx_models import expected, export, must_equal, newest_opset

from kerasir.exporters.onnx.opsets import LOWEST
from kerasir.ir.build import Builder
from kerasir.ir.layout import Axis
from kerasir.ir.op import Op
from kerasir.ir.ops.arrange import (
    Broadcast,
    Einsum,
    Extents,
    Gather,
    OneHot,
    Pad,
    Take,
    TopK,
    Triangle,
)
from kerasir.ir.ops.maths import ArgMax, Binary, Cast, Cumulate, Fill, Function, Not, Reduce

opsets = pytest.mark.parametrize("opset", [LOWEST, newest_opset()])


def must_agree(one: OneOp, arrays: list[Array], folder: Path, opset: int) -> None:
    found = export(one.graph, folder, opset=opset)
    fed = [np.transpose(a, [t.index(x) for x in v.axes]) for a, t, v in
           zip(arrays, one.inputs, one.graph.inputs, strict=True)]  # fmt: skip
    must_equal(found.run(fed), expected(one.graph, fed))


@opsets
@pytest.mark.parametrize(
    "name",
    ["sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "arcsinh", "arctanh", "erf",
     "floor", "ceil", "rint", "sign", "expm1", "log1p", "isnan", "isinf", "isfinite"],
)  # fmt: skip
def test_functions(name: str, opset: int, tmp_path: Path) -> None:
    builder = Builder()
    x = builder.input("x", (Axis("N", None), Axis("X", 4)))
    dtype = "bool" if name.startswith("is") else "float32"
    made = builder.add(Function(function=name), "op", [x], [x.axes], dtypes=[dtype])  # type: ignore[arg-type]
    graph, fed = builder.freeze(made.results), [np.clip(numbers(3, 4), -0.9, 0.9)]
    must_equal(export(graph, tmp_path, opset=opset).run(fed), expected(graph, fed))


@opsets
@pytest.mark.parametrize(
    "name",
    ["floor_divide", "modulo", "squared_difference", "equal", "not_equal", "less", "less_equal",
     "greater", "greater_equal"],
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_binary(name: str, dtype: str, opset: int, tmp_path: Path) -> None:
    builder, axes = Builder(), (Axis("N", None), Axis("X", 4))
    values = [builder.input(f"x{i}", axes, dtype) for i in range(2)]
    truth = name not in {"floor_divide", "modulo", "squared_difference"}
    kinds = ["bool"] if truth else [dtype]
    op = Binary(function=name)  # type: ignore[arg-type]
    made = builder.add(op, "op", values, [axes], axes={"...": ()}, dtypes=kinds)
    graph = builder.freeze(made.results)
    fed = [np.round(numbers(3, 4) * 5).astype(dtype) for _ in range(2)]
    fed[1][fed[1] == 0] = 3
    must_equal(export(graph, tmp_path, opset=opset).run(fed), expected(graph, fed))


@opsets
@pytest.mark.parametrize(
    "kind", ["sum", "prod", "min", "max", "mean", "var", "std", "logsumexp", "length"]
)
def test_reductions(kind: str, opset: int, tmp_path: Path) -> None:
    one = OneOp(Reduce(function=kind), {"...": [None, 3], "space": [4, 5]}, roll=1)  # type: ignore[arg-type]
    must_agree(one, [numbers(2, 3, 4, 5)], tmp_path, opset)


@opsets
@pytest.mark.parametrize(
    ("op", "sizes"),
    [
        (Cumulate(), {"...": [None, 3], "space": [4]}),
        (Cumulate(product=True), {"...": [None, 3], "space": [4]}),
        (Triangle(diagonal=1), {"...": [None, 3, 4]}),
        (Triangle(diagonal=-1, upper=True), {"...": [None, 3, 4]}),
        (Fill(value=2.5), {"...": [None, 3, 4]}),
        (Take(indices=(2, 0, 2)), {"before": [None, 3], "axis": [4], "behind": [], "chosen": [3]}),
        (Take(indices=(3, 1)), {"before": [None, 3], "axis": [4], "behind": [], "chosen": [2]}),
        (Pad(padding=((0, 0), (1, 2), (0, 1)), value=2.0),
         {"...": [None, 3, 4], "out": [None, 6, 5]}),
        (Pad(padding=((0, 0), (1, 2), (0, 1)), mode="reflect"),
         {"...": [None, 3, 4], "out": [None, 6, 5]}),
        (Pad(padding=((0, 0), (1, 2), (0, 1)), mode="symmetric"),
         {"...": [None, 3, 4], "out": [None, 6, 5]}),
        (Broadcast(), {"...": [None, 1, 4], "out": [2, 3, 4]}),
        (Einsum(equation="abc->acb"), {"...": [None, 3, 4], "out": [None, 4, 3]}),
    ],
    ids=lambda x: getattr(x, "kind", ""),
)  # fmt: skip
def test_arrangements(
    op: Op, sizes: dict[str, list[int | None]], opset: int, tmp_path: Path
) -> None:
    shape = (2, 1, 4) if isinstance(op, Broadcast) else (2, 3, 4)
    must_agree(OneOp(op, sizes), [numbers(*shape)], tmp_path, opset)


@opsets
def test_the_product_of_all_so_far(opset: int, tmp_path: Path) -> None:
    """Of numbers of either sign, and of zero; any number of them."""
    one = OneOp(Cumulate(product=True), {"...": [2], "space": [None]})
    must_agree(one, [np.array([[2.0, -3, 0.5, -1], [-1, 4, 0, 3]])], tmp_path, opset)


@opsets
@pytest.mark.parametrize("upper", [False, True])
def test_a_triangle_of_unknown_extents(upper: bool, opset: int, tmp_path: Path) -> None:
    one = OneOp(Triangle(diagonal=1, upper=upper), {"...": [None, None, 4]})
    must_agree(one, [numbers(2, 5, 4)], tmp_path, opset)


@opsets
@pytest.mark.parametrize("padding", [(1, 2), (0, 3), (3, 0)])
def test_mirrors_along_unknown_extents(
    padding: tuple[int, int], opset: int, tmp_path: Path
) -> None:
    op = Pad(padding=((0, 0), padding, (2, 1)), mode="symmetric")
    one = OneOp(op, {"...": [None, None, 4], "out": [None, None, 7]})
    must_agree(one, [numbers(2, 3, 4)], tmp_path, opset)


@opsets
@pytest.mark.parametrize(
    ("op", "sizes", "dtypes"),
    [
        (ArgMax(least=True), {"...": [None, 3], "space": [4]}, ["int32"]),
        (TopK(), {"before": [None, 3], "axis": [4], "chosen": [2]}, ["float32", "int32"]),
        (Cast(dtype="int32"), {"...": [None, 3, 4]}, ["int32"]),
        (Extents(), {"...": [None, 3, 4], "rank": [3]}, ["int32"]),
    ],
    ids=lambda x: getattr(x, "kind", ""),
)
def test_whole_numbers_made(
    op: Op, sizes: dict[str, list[int | None]], dtypes: list[str], opset: int, tmp_path: Path
) -> None:
    one = OneOp(op, sizes)
    for value, dtype in zip(one.graph.outputs, dtypes, strict=True):
        value.dtype = dtype
    must_agree(one, [numbers(2, 3, 4)], tmp_path, opset)


@opsets
@pytest.mark.parametrize("batched", [False, True])
def test_gather(batched: bool, opset: int, tmp_path: Path) -> None:
    lead: list[int | None] = [None] if batched else []
    sizes = {
        "lead": lead, "before": [] if batched else [None], "axis": [4], "behind": [5],
        "own_lead": lead, "at": [3], "out": [None, 3, 5],
    }  # fmt: skip
    one = OneOp(Gather(batched=batched), sizes, feeds=2, dtypes=["float32", "int32"])
    at = np.array([[3, 0, 1], [1, 1, 2]] if batched else [3, 0, 1], "int32")
    must_agree(one, [numbers(2, 4, 5), at], tmp_path, opset)


@opsets
def test_gather_along_a_later_axis(opset: int, tmp_path: Path) -> None:
    """Each entry of the batch has positions of its own, along the third axis."""
    sizes = {
        "lead": [None], "before": [3], "axis": [4], "behind": [5], "own_lead": [None],
        "at": [2, 3], "out": [None, 3, 2, 3, 5],
    }  # fmt: skip
    one = OneOp(Gather(batched=True), sizes, feeds=2, dtypes=["float32", "int32"])
    at = np.array([[[3, 0, 1], [0, 0, 2]], [[1, 1, 2], [-1, 3, 0]]], "int32")
    must_agree(one, [numbers(2, 3, 4, 5), at], tmp_path, opset)


@opsets
def test_truth_values_taken(opset: int, tmp_path: Path) -> None:
    held = np.array([[True, False, True]])
    must_agree(OneOp(Not(), {"...": [None, 3]}, dtypes=["bool"]), [held], tmp_path, opset)
    one = OneOp(OneHot(), {"...": [None, 3], "classes": [4]}, dtypes=["int32"])
    one.graph.outputs[0].dtype = "float32"
    folder = tmp_path / "hot"
    folder.mkdir()
    must_agree(one, [np.array([[1, -1, 3]], "int32")], folder, opset)
