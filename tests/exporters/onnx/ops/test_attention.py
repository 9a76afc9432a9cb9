"""Attention in ONNX Runtime, against the reference: masks, several axes, extents not known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from one_op import Array, OneOp, numbers
from onnx_models import expected, export, must_equal, newest_opset

from kerasir.exporters.onnx.opsets import LOWEST
from kerasir.ir.ops.attention import Attention, MultiHeadAttention

opsets = pytest.mark.parametrize("opset", [LOWEST, newest_opset()])
N, T, S, F = 2, 3, 4, 5

PARTS = {
    "value_batch": [None], "value_rest": [], "value_source": [None], "value_features": [6],
    "key_batch": [None], "key_rest": [], "key_source": [None], "key_features": [6],
    "heads": [4], "key_heads": [2], "head": [3], "key_head": [3], "value_head": [2],
    "outputs": [7], "query_mask": [None, None], "value_mask": [None, None],
    "key_mask": [None, None], "attention_mask": [None, None, None],
}  # fmt: skip


def must_agree(one: OneOp, arrays: list[Array], folder: Path, opset: int) -> None:
    found = export(one.graph, folder, opset=opset)
    must_equal(found.run(arrays), expected(one.graph, arrays))


def masks(*shapes: tuple[int, ...]) -> list[Array]:
    state = np.random.default_rng(4)
    return [state.random(shape) < 0.6 for shape in shapes]


@opsets
@pytest.mark.parametrize("score", ["dot", "additive", "concat"])
def test_attention_behind_masks(score: str, opset: int, tmp_path: Path) -> None:
    sizes = {
        "batch": [None], "steps": [None], "features": [F], "value_batch": [None],
        "value_source": [S], "columns": [6], "key_batch": [None], "key_source": [S],
        "key_features": [F], "source": [S], "scaled": [F] if score == "additive" else [],
        "weighted": [], "query_mask": [None, None], "value_mask": [None, S],
    }  # fmt: skip
    params = {"scale": numbers(F) if score == "additive" else numbers()}
    params |= {"weight": numbers()} if score == "concat" else {}
    types = ["float32"] * 3 + ["bool"] * 2
    op = Attention(score=score, causal=True)  # type: ignore[arg-type]
    one = OneOp(op, sizes, params, feeds=5, dtypes=types)
    arrays = [numbers(N, T, F), numbers(N, S, 6), numbers(N, S, F), *masks((N, T), (N, S))]
    must_agree(one, arrays, tmp_path, opset)


@opsets
@pytest.mark.parametrize("blind", ["mean", "zero"])
def test_heads_behind_every_mask(opset: int, blind: Any, tmp_path: Path) -> None:
    sizes = {**PARTS, "batch": [None], "rest": [], "steps": [None], "features": [F]}
    params = {
        "query_kernel": numbers(F, 4, 3), "key_kernel": numbers(6, 2, 3), "key_bias": numbers(2, 3),
        "value_kernel": numbers(6, 2, 2), "output_kernel": numbers(4, 2, 7),
        "gate_kernel": numbers(F, 4, 2), "output_bias": numbers(7),
    }  # fmt: skip
    op = MultiHeadAttention(causal=True, window=3, blind=blind)
    types = ["float32"] * 3 + ["bool"] * 4
    one = OneOp(op, {**sizes, "source": [None]}, params, feeds=7, dtypes=types)
    arrays = [numbers(N, T, F), numbers(N, S, 6), numbers(N, S, 6)]
    arrays += masks((N, T), (N, S), (N, S), (N, T, S))
    must_agree(one, arrays, tmp_path, opset)


@opsets
def test_heads_over_two_axes_beside_a_third(opset: int, tmp_path: Path) -> None:
    sizes = {
        **PARTS, "batch": [None], "rest": [2], "steps": [3, 4], "features": [F],
        "value_rest": [2], "value_source": [3, 2], "source": [3, 2], "key_heads": [4],
        "attention_mask": [None, 3, 4, 3, 2], "outputs": [7, 2],
    }  # fmt: skip
    params = {
        "query_kernel": numbers(F, 4, 3), "query_bias": numbers(4, 3),
        "key_kernel": numbers(6, 4, 3), "value_kernel": numbers(6, 4, 2),
        "output_kernel": numbers(4, 2, 7, 2),
    }  # fmt: skip
    one = OneOp(MultiHeadAttention(), sizes, params, feeds=2)
    must_agree(one, [numbers(N, 2, 3, 4, F), numbers(N, 2, 3, 2, 6)], tmp_path, opset)
    model = onnx.load(next(tmp_path.glob("*.onnx")))
    assert "Mul" not in {node.op_type for node in model.graph.node}  # the scale is in the weights
