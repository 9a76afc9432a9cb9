"""Linear maps in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import pytest
from one_op import OneOp, numbers
from onnx_models import agrees

from kerasir.ir.ops.activation import Relu, Softsign
from kerasir.ir.ops.dense import Dense, Highway, MaxoutDense


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("rest", [(None,), (None, 3), (None, None, 3)])
def test_dense(rest: tuple[int | None, ...], bias: bool, tmp_path: Path) -> None:
    params = {"kernel": numbers(4, 5)} | ({"bias": numbers(5)} if bias else {})
    one = OneOp(Dense(), {"...": rest, "features": (4,), "units": (5,)}, params)
    x = numbers(*(2 if size is None else size for size in rest), 4)
    found = agrees(one, x, folder=tmp_path)
    rows = len(rest) == 1
    whole = {"Gemm": 1} if bias and rows else {"MatMul": 1} | ({"Add": 1} if bias else {})
    assert dict(found.counts) == whole


def test_the_kernel_of_a_gemm_is_stored_as_keras_has_it(tmp_path: Path) -> None:
    params = {"kernel": numbers(4, 5), "bias": numbers(5)}
    one = OneOp(Dense(), {"...": (None,), "features": (4,), "units": (5,)}, params)
    found = agrees(one, numbers(2, 4), folder=tmp_path)
    shapes = {tensor.name: list(tensor.dims) for tensor in found.model.graph.initializer}
    assert shapes == {"kernel": [4, 5], "bias": [5]}
    assert not found.node("op").attribute  # neither side is transposed


@pytest.mark.parametrize("activation", [Relu(), Softsign()])
@pytest.mark.parametrize("rest", [(None,), (None, 3)])
def test_highway(activation: Relu, rest: tuple[int | None, ...], tmp_path: Path) -> None:
    params = {
        "kernel": numbers(4, 4), "carry_kernel": numbers(4, 4), "bias": numbers(4),
        "carry_bias": numbers(4),
    }  # fmt: skip
    sizes = {"...": rest, "features": (4,), "columns": (4,)}
    one = OneOp(Highway(activation=activation), sizes, params)
    agrees(one, numbers(*(2 if size is None else size for size in rest), 4), folder=tmp_path)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("rest", [(None,), (None, 2)])
def test_maxout(rest: tuple[int | None, ...], bias: bool, tmp_path: Path) -> None:
    params = {"kernel": numbers(3, 4, 5)} | ({"bias": numbers(3, 5)} if bias else {})
    sizes = {"...": rest, "pieces": (3,), "features": (4,), "units": (5,)}
    x = numbers(*(2 if size is None else size for size in rest), 4)
    found = agrees(OneOp(MaxoutDense(), sizes, params), x, folder=tmp_path)
    assert found.counts["ReduceMax"] == 1
