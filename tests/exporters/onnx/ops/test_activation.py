"""Element-wise functions, softmax and functions with weights in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from one_op import OneOp, numbers
from onnx_models import agrees, newest_opset

from kerasir.exporters.onnx.opsets import LOWEST
from kerasir.ir.op import Op
from kerasir.ir.ops.activation import (
    Abs,
    Affine,
    Celu,
    Clip,
    Elu,
    Exponential,
    Gelu,
    HardShrink,
    HardSigmoid,
    HardSilu,
    LeakyRelu,
    Linear,
    Log,
    LogSigmoid,
    LogSoftmax,
    Mish,
    ParametricSoftplus,
    Power,
    PRelu,
    Relu,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    SoftShrink,
    Softsign,
    Sparsemax,
    SparsePlus,
    SquarePlus,
    SRelu,
    Tanh,
    TanhShrink,
    ThresholdedRelu,
    TrainingOnly,
)

SINGLE = [
    (Relu(), "Relu"),
    (Relu(max_value=1.5), "Clip"),
    (Relu(negative_slope=0.25), "LeakyRelu"),
    (LeakyRelu(negative_slope=0.3), "LeakyRelu"),
    (Elu(alpha=0.7), "Elu"),
    (Selu(), "Selu"),
    (ThresholdedRelu(theta=0.75), "ThresholdedRelu"),
    (Sigmoid(), "Sigmoid"),
    (HardSigmoid(slope=0.2), "HardSigmoid"),
    (HardSigmoid(slope=1 / 6, shift=0.4), "HardSigmoid"),
    (Tanh(), "Tanh"),
    (Softplus(), "Softplus"),
    (Softsign(), "Softsign"),
    (Exponential(), "Exp"),
    (Celu(alpha=0.7), "Celu"),
    (HardShrink(threshold=0.75), "Shrink"),
    (SoftShrink(threshold=0.75), "Shrink"),
    (Clip(low=-1, high=1.5), "Clip"),
    (Clip(low=0.25), "Clip"),
    (Clip(high=0.25), "Clip"),
]

# The very numbers at which a function bends are in it: `x >= t` is not `x > t`.
BENDS = np.array([[-3, -1.5, -0.75, -0.25], [0, 0.25, 0.75, 1.5], [2, 3, -0.5, 0.5]], np.float64)


@pytest.mark.parametrize("opset", [LOWEST, newest_opset()])
@pytest.mark.parametrize(("op", "operator"), SINGLE, ids=lambda v: getattr(v, "kind", ""))
def test_one_operator_where_onnx_has_it(op: Op, operator: str, opset: int, tmp_path: Path) -> None:
    found = agrees(OneOp(op, {"...": (None, 4)}), BENDS, folder=tmp_path, opset=opset)
    assert dict(found.counts) == {operator: 1}


@pytest.mark.parametrize(
    ("op", "count"),
    [
        (Relu(max_value=1.5, negative_slope=0.25), 2),
        (Relu(threshold=0.75), 2),
        (Relu(threshold=-0.75), 2),
        (Relu(threshold=0.75, max_value=2), 3),
        (Relu(threshold=0.75, negative_slope=0.5), 4),
        (Relu(threshold=-0.25, negative_slope=0.5, max_value=0.25), 5),
        (Relu(negative_slope=-0.5, max_value=0.25), 5),
        (Relu(negative_slope=-0.5), 4),
        (Relu(max_value=-0.5), 3),
    ],
)
def test_relus_that_onnx_does_not_have(op: Relu, count: int, tmp_path: Path) -> None:
    found = agrees(OneOp(op, {"...": (None, 4)}), BENDS, folder=tmp_path)
    assert sum(found.counts.values()) == count


@pytest.mark.parametrize(
    ("op", "operator", "since"),
    [
        (HardSilu(), "HardSwish", 14),
        (Gelu(), "Gelu", 20),
        (Gelu(approximate=True), "Gelu", 20),
        (Mish(), "Mish", 18),
    ],
)
def test_operators_that_came_later(op: Op, operator: str, since: int, tmp_path: Path) -> None:
    """From their opset on as one node, composed before that."""
    for opset in {LOWEST, since - 1, since, newest_opset()}:
        if opset <= newest_opset():
            one = OneOp(op, {"...": (None, 4)})
            found = agrees(one, BENDS, folder=tmp_path, opset=opset)
            assert (dict(found.counts) == {operator: 1}) == (opset >= since)


@pytest.mark.parametrize(
    "op",
    [
        Affine(scale=1 / 127.5, offset=-1),
        Affine(offset=3),
        Affine(scale=0.5),
        Affine(),
        Silu(),
        LogSigmoid(),
        TanhShrink(),
        SoftShrink(threshold=-0.5),
        HardShrink(threshold=-0.5),
        SquarePlus(b=4),
        SparsePlus(),
        Clip(),
        Clip(low=1, high=-1),
    ],
)
def test_functions_composed_of_others(op: Op, tmp_path: Path) -> None:
    agrees(OneOp(op, {"...": (None, 4)}), BENDS, folder=tmp_path)


@pytest.mark.parametrize(
    ("op", "operator"),
    [
        (Power(exponent=2), "Mul"),
        (Power(exponent=0.5), "Sqrt"),
        (Power(exponent=-1), "Reciprocal"),
        (Power(exponent=1.5), "Pow"),
        (Log(), "Log"),
        (Abs(), "Abs"),
    ],
)
def test_functions_of_positive_numbers(op: Op, operator: str, tmp_path: Path) -> None:
    found = agrees(OneOp(op, {"...": (None, 4)}), np.abs(BENDS) + 0.25, folder=tmp_path)
    assert dict(found.counts) == {operator: 1}


@pytest.mark.parametrize("op", [Linear(), TrainingOnly(layer_class="Dropout")])
def test_nothing_is_an_identity_with_the_outputs_name(op: Op, tmp_path: Path) -> None:
    found = agrees(OneOp(op, {"...": (None, 4)}), BENDS, folder=tmp_path)
    assert dict(found.counts) == {"Identity": 1}
    assert [value.name for value in found.model.graph.output] == ["op"]


@pytest.mark.parametrize("roll", [0, 1, 2])
@pytest.mark.parametrize("opset", [LOWEST, newest_opset()])
def test_softmax_along_any_axis(roll: int, opset: int, tmp_path: Path) -> None:
    one = OneOp(Softmax(), {"...": (None, 3), "axis": (4,)}, roll=roll)
    found = agrees(one, numbers(2, 3, 4), folder=tmp_path, opset=opset)
    assert dict(found.counts) == {"Softmax": 1}


@pytest.mark.parametrize("op", [Softmax(), LogSoftmax(), Sparsemax()], ids=lambda op: op.kind)
@pytest.mark.parametrize("axis", [(4,), (4, 5)])
@pytest.mark.parametrize("roll", [0, 1, 2])
@pytest.mark.parametrize("opset", [LOWEST, newest_opset()])
def test_along_one_axis_or_several(
    op: Op, axis: tuple[int, ...], roll: int, opset: int, tmp_path: Path
) -> None:
    one = OneOp(op, {"...": (None, 3), "axis": axis}, roll=roll)
    agrees(one, 3 * numbers(2, 3, *axis), folder=tmp_path, opset=opset)


@pytest.mark.parametrize(
    ("rest", "span", "stored"),
    [
        ((None, 3, 4), (5,), (5,)),
        ((None, 3), (4, 5), (4, 5)),
        ((None,), (3, 4), (3, 4)),
        ((None, 3), (), (1,)),
    ],
)
@pytest.mark.parametrize("roll", [0, 1])
def test_prelu_over_any_axes(
    rest: tuple[int | None, ...],
    span: tuple[int, ...],
    stored: tuple[int, ...],
    roll: int,
    tmp_path: Path,
) -> None:
    one = OneOp(PRelu(), {"...": rest, "span": span}, {"alpha": numbers(*span)}, roll=roll)
    x = numbers(*(2 if size is None else size for size in rest), *span)
    found = agrees(one, x, folder=tmp_path)
    assert dict(found.counts) == {"PRelu": 1}
    [alpha] = found.model.graph.initializer
    assert np.prod(stored) == np.prod(alpha.dims)


@pytest.mark.parametrize("roll", [0, 1, 2])
def test_functions_with_weights(roll: int, tmp_path: Path) -> None:
    sizes = {"...": (None, 3), "span": (4,)}
    params = {"alpha": numbers(4), "beta": numbers(4)}
    one = OneOp(ParametricSoftplus(), sizes, params, roll=roll)
    agrees(one, numbers(2, 3, 4), folder=tmp_path)
    params = {name: numbers(4) for name in ("t_left", "a_left", "t_right", "a_right")}
    for clips_left in (True, False):
        one = OneOp(SRelu(clips_left=clips_left), sizes, params, roll=roll)
        agrees(one, 3 * numbers(5, 3, 4), folder=tmp_path)
