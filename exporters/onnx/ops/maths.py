"""Arithmetic of tensors: one operator each, where ONNX has it."""

from __future__ import annotations

from collections.abc import Mapping

from ....ir.ops.maths import (
    ArgMax,
    Binary,
    Cast,
    Constant,
    Cumulate,
    Fill,
    Function,
    Not,
    Reduce,
    Where,
)
from ..draft import Edge
from ..emitting import FLOATING, Emitting
from ..registry import emits

FUNCTIONS: Mapping[str, str] = {
    "sin": "Sin", "cos": "Cos", "tan": "Tan", "arcsin": "Asin", "arccos": "Acos",
    "arctan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "arcsinh": "Asinh", "arccosh": "Acosh",
    "arctanh": "Atanh", "erf": "Erf", "floor": "Floor", "ceil": "Ceil", "rint": "Round",
    "sign": "Sign", "isnan": "IsNaN", "isinf": "IsInf",
}  # fmt: skip
TRUTHS = frozenset({"isnan", "isinf", "isfinite"})


@emits(Function)
def function(op: Function, at: Emitting) -> Edge:
    x, name = at.x, op.function
    if name == "expm1":
        return at.add("Sub", at.add("Exp", x), at.number(1))
    if name == "log1p":
        return at.add("Log", at.add("Add", x, at.number(1)))
    if name == "isfinite":
        lost = at.add("Or", at.add("IsNaN", x, dtype="bool"), at.add("IsInf", x, dtype="bool"))
        return at.add("Not", lost)
    return at.add(FUNCTIONS[name], x, dtype="bool" if name in TRUTHS else None)


@emits(Not)
def negation(op: Not, at: Emitting) -> Edge:
    return at.add("Not", at.x)


@emits(Cast)
def cast(op: Cast, at: Emitting) -> Edge:
    return at.cast(at.x, at.settled.node.result.dtype)


@emits(Fill)
def fill(op: Fill, at: Emitting) -> Edge:
    dtype = at.settled.node.result.dtype
    value = op.value if dtype.startswith(FLOATING) else int(op.value)
    number = at.constant([value], dtype, (), wish="value")
    return at.add("Expand", number, at.extents(at.x.shape, at.x), shape=at.x.shape)


COMPARISONS: Mapping[str, str] = {
    "equal": "Equal", "less": "Less", "less_equal": "LessOrEqual", "greater": "Greater",
    "greater_equal": "GreaterOrEqual", "and": "And", "or": "Or", "xor": "Xor",
}  # fmt: skip


@emits(Binary)
def binary(op: Binary, at: Emitting) -> Edge:
    """Comparisons as they are called in ONNX; divisions that round down are written out."""
    a, b = at.input(0), at.input(1)
    if op.function in COMPARISONS:
        return at.add(COMPARISONS[op.function], a, b, dtype="bool")
    if op.function == "not_equal":
        return at.add("Not", at.add("Equal", a, b, dtype="bool"))
    if op.function == "power":
        return at.add("Pow", a, b)
    if op.function == "squared_difference":
        difference = at.add("Sub", a, b)
        return at.add("Mul", difference, difference)
    if op.function == "modulo" and not a.dtype.startswith(FLOATING):
        return at.add("Mod", a, b)
    down = _floored(at, a, b)
    return down if op.function == "floor_divide" else at.add("Sub", a, at.add("Mul", down, b))


def _floored(at: Emitting, a: Edge, b: Edge) -> Edge:
    """The quotient rounded down: it decides, as a comparison does, by the last digit."""
    if a.dtype.startswith(FLOATING):
        before = len(at.nodes)
        found = at.add("Floor", at.add("Div", a, b))
        at.draft.precise.update(at.nodes[before:])
        return found
    rest = at.add("Mod", a, b)
    return at.add("Div", at.add("Sub", a, rest), b)


@emits(Where)
def where(op: Where, at: Emitting) -> Edge:
    condition, a, b = at.present
    return at.add("Where", condition, a, b, dtype=a.dtype)


REDUCTIONS: Mapping[str, str] = {
    "sum": "ReduceSum", "prod": "ReduceProd", "min": "ReduceMin", "max": "ReduceMax",
    "mean": "ReduceMean", "logsumexp": "ReduceLogSumExp", "length": "ReduceL2",
}  # fmt: skip
OF_TRUTHS: Mapping[str, str] = {"any": "ReduceMax", "all": "ReduceMin"}


@emits(Reduce)
def reduce(op: Reduce, at: Emitting) -> Edge:
    axes = at.settled.positions("space")
    if op.function in REDUCTIONS:
        return at.reduce(REDUCTIONS[op.function], at.x, axes)
    if op.function in OF_TRUTHS:
        whole = at.cast(at.x, "int32")
        return at.cast(at.reduce(OF_TRUTHS[op.function], whole, axes), "bool")
    centred = at.add("Sub", at.x, at.reduce("ReduceMean", at.x, axes, keepdims=True))
    variance = at.reduce("ReduceMean", at.add("Mul", centred, centred), axes)
    return variance if op.function == "var" else at.add("Sqrt", variance)


@emits(ArgMax)
def arg_max(op: ArgMax, at: Emitting) -> Edge:
    axes = at.settled.positions("space")
    x, axis = at.x, axes[0]
    if len(axes) > 1:
        rest = tuple(n for n in range(len(x.shape)) if n not in axes)
        turned = at.permuted(x, (*rest, *axes))
        axis = len(rest)
        x = at.reshape(turned, (*turned.shape[:axis], at.size("space")))
    name = "ArgMin" if op.least else "ArgMax"
    shape = (*x.shape[:axis], *x.shape[axis + 1 :])
    found = at.add(name, x, axis=axis, keepdims=0, shape=shape, dtype="int64")
    return at.cast(found, at.settled.node.result.dtype)


@emits(Cumulate)
def cumulate(op: Cumulate, at: Emitting) -> Edge:
    """`CumSum`; ONNX has no product so far, which is a `Scan` of `Mul`."""
    place = at.settled.position("space")
    if not op.product:
        return at.add("CumSum", at.x, at.constant([place], shape=(), wish="axis"))
    rest = (*at.x.shape[:place], *at.x.shape[place + 1 :])
    begin = at.constant([1], at.x.dtype, (), wish="one")
    if rest:
        begin = at.add("Expand", begin, at.extents(rest, at.x), shape=rest)
    inner = at.inside()
    held, here = (Edge(f"{at.name}/{part}", at.x.dtype, rest) for part in ("so_far", "next"))
    new = inner.add("Mul", held, here)
    last, y = Edge(f"{at.name}/last", at.x.dtype, rest), Edge(at.name, at.x.dtype, at.x.shape)
    at.place(
        "Scan",
        (begin, at.x),
        (last, y),
        body=inner.close((held, here), (new, new)),
        num_scan_inputs=1,
        scan_input_axes=(place,),
        scan_output_axes=(place,),
    )
    return y


@emits(Constant)
def constant(op: Constant, at: Emitting) -> Edge:
    node = at.settled.node
    return at.draft.initializer(node.params["value"], at.settled.params["value"], node.result.dtype)
