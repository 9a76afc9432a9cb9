"""Merges, joins and contractions in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from one_op import Array, numbers
from onnx_models import Exported, expected, export, must_equal, newest_opset

from kerasir.exporters.onnx.opsets import LOWEST
from kerasir.ir.build import Builder
from kerasir.ir.graph import Graph
from kerasir.ir.layout import Axis, Joined, Terms, copy_of
from kerasir.ir.op import Op
from kerasir.ir.ops.merge import (
    Add,
    Average,
    Concat,
    Divide,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)

Shape = tuple[int, ...]
opsets = pytest.mark.parametrize("opset", [LOWEST, newest_opset()])


def inputs(builder: Builder, shapes: Sequence[Shape]) -> list[Terms]:
    """Inputs of these shapes, their batch not known."""
    batch = Axis("N", None)
    found: list[Terms] = []
    for number, shape in enumerate(shapes):
        terms = (batch, *(Axis("X", size) for size in shape[1:]))
        builder.input(f"x{number}", terms)
        found.append(terms)
    return found


def must_agree(graph: Graph, arrays: Sequence[Array], folder: Path, opset: int) -> Exported:
    found = export(graph, folder, opset=opset)
    must_equal(found.run(arrays), expected(graph, arrays))
    return found


def merged(op: Op, shapes: Sequence[Shape]) -> Graph:
    builder = Builder()
    terms = inputs(builder, shapes)
    result = tuple(
        next((t for t in column if t.size != 1), column[0])  # type: ignore[union-attr]
        for column in zip(*terms, strict=True)
    )
    return builder.freeze(
        builder.add(op, "merge", builder.inputs, [result], axes={"...": ()}).results
    )


@opsets
@pytest.mark.parametrize(
    ("op", "two", "three"),
    [
        (Add(), {"Add": 1}, {"Sum": 1}),
        (Multiply(), {"Mul": 1}, {"Mul": 2}),
        (Average(), {"Mean": 1}, {"Mean": 1}),
        (Maximum(), {"Max": 1}, {"Max": 1}),
        (Minimum(), {"Min": 1}, {"Min": 1}),
        (Subtract(), {"Sub": 1}, {"Sub": 2}),
        (Divide(), {"Div": 1}, {"Div": 2}),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_merges(
    op: Op, two: dict[str, int], three: dict[str, int], opset: int, tmp_path: Path
) -> None:
    shapes = [(2, 3, 4, 5), (2, 3, 1, 1), (2, 1, 4, 5)]
    arrays = [np.sign(x) * (np.abs(x) + 0.5) for x in (numbers(*shape) for shape in shapes)]
    found = must_agree(merged(op, shapes[:2]), arrays[:2], tmp_path, opset)
    assert dict(found.counts) == two
    assert dict(must_agree(merged(op, shapes), arrays, tmp_path, opset).counts) == three


@opsets
@pytest.mark.parametrize("axis", [1, 2, 3])
def test_concat(axis: int, opset: int, tmp_path: Path) -> None:
    shapes = [tuple(n + (i == axis) * k for i, n in enumerate((2, 3, 4, 5))) for k in range(3)]
    builder = Builder()
    terms = inputs(builder, shapes)
    whole = Joined(tuple(copy_of(t[axis]) for t in terms))
    result = (*terms[0][:axis], whole, *terms[0][axis + 1 :])
    node = builder.add(
        Concat(), "join", builder.inputs, [result], axes={"joined": (whole,), "...": ()}
    )
    arrays = [numbers(*shape) for shape in shapes]
    found = must_agree(builder.freeze(node.results), arrays, tmp_path, opset)
    assert dict(found.counts) == {"Concat": 1}


def dotted(a: Shape, b: Shape, at: Shape, *, normalize: bool) -> Graph:
    builder = Builder()
    x, y = inputs(builder, [a, b])
    x_rest = tuple(t for i, t in enumerate(x[1:], 1) if i != at[0])
    y_rest = tuple(t for i, t in enumerate(y[1:], 1) if i != at[1])
    y_out = tuple(map(copy_of, y_rest))
    axes = {
        "batch": x[:1], "x_rest": x_rest, "x_contracted": (x[at[0]],), "y_rest": y_rest,
        "y_contracted": (y[at[1]],), "y_out": y_out,
    }  # fmt: skip
    node = builder.add(
        Dot(normalize=normalize), "dot", builder.inputs, [(x[0], *x_rest, *y_out)], axes=axes
    )
    return builder.freeze(node.results)


@opsets
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize(
    ("a", "b", "at", "transposes"),
    [
        ((2, 4), (2, 4), (1, 1), 0),
        ((2, 3, 4), (2, 4, 5), (2, 1), 0),
        ((2, 4, 3), (2, 5, 4), (1, 2), 2),
        ((2, 3, 4), (2, 5, 4), (2, 2), 1),
        ((2, 4), (2, 4, 5), (1, 1), 0),
        ((2, 3, 4), (2, 4), (2, 1), 0),
        ((2, 3, 5, 4), (2, 4, 6), (3, 1), 0),
        ((2, 3, 4), (2, 5, 4, 6), (2, 2), 1),
    ],
)
def test_dot(
    a: Shape, b: Shape, at: Shape, transposes: int, normalize: bool, opset: int, tmp_path: Path
) -> None:
    graph = dotted(a, b, at, normalize=normalize)
    found = must_agree(graph, [numbers(*a), numbers(*b)], tmp_path, opset)
    assert found.counts["Transpose"] == transposes
