"""Operations that compute with numbers: arithmetic, reductions, products of matrices.

One function for each kind, of its operands and its other arguments, which are called as Keras 3
calls them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.ops.activation import Abs, Gelu, LogSoftmax, Softmax, Sparsemax
from ....ir.ops.merge import Add
from ....ir.ops.normalization import UnitNorm
from ..call import LayerCall
from ..constants import number
from . import arrangement, contraction, tensors
from .activation import along, gated
from .arithmetic import FLOATING, MERGES, cast, chosen, combined, negated
from .merge import merged
from .operands import (
    Arguments,
    Kind,
    Operation,
    Results,
    exactly,
    kind,
    listed,
    numbers,
    tensor,
    whole,
)


def _binary(name: str) -> Operation:
    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        return combined(call, name, *exactly(operands, 2, name))

    return translate


def _not_equal(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x, value = exactly(operands, 2, "not_equal")
    one = number(value)
    if isinstance(x, Value) and one is not None:
        return tensors.not_equal(call, x, one)
    return combined(call, "not_equal", x, value)


def _any(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x, axes = tensor(operands), numbers(arguments.get("axis"))
    keep = bool(arguments.get("keepdims"))
    known = None if keep else tensors.any_of(call, x, axes)
    return known or tensors.reduced(call, cast(call, x, "bool"), "any", axes, keepdims=keep)


FRACTIONS = frozenset({"mean", "std", "var", "logsumexp"})
"""Reductions of whole numbers that are not whole."""


def _reduce(kind: str) -> Operation:
    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        axes, keep = numbers(arguments.get("axis")), bool(arguments.get("keepdims"))
        x = tensor(operands)
        if kind == "all":
            x = cast(call, x, "bool")
        elif kind in FRACTIONS and not x.dtype.startswith(FLOATING):
            x = cast(call, x, "float32")
        elif kind in {"sum", "prod"} and x.dtype == "bool":
            x = cast(call, x, "int32")
        return tensors.reduced(call, x, kind, axes, keepdims=keep)

    return translate


OF_SIZES: Mapping[Any, str] = {1: "sum", math.inf: "max", -math.inf: "min"}
"""Orders of norms of vectors that are a reduction of absolute values."""


def _norm(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    axes, keep = numbers(arguments.get("axis")), bool(arguments.get("keepdims"))
    order = arguments.get("ord")
    if order in OF_SIZES and axes is not None and len(axes) == 1:
        x = tensor(operands)
        sizes = call.add(Abs(), [x], call.axes(x), part="sizes").result
        return tensors.reduced(call, sizes, OF_SIZES[order], axes, keepdims=keep)
    if order not in (None, "euclidean", "fro", 2):
        raise ConfigError(f"a norm of order {order!r:.80}")
    return tensors.reduced(call, tensor(operands), "length", axes, keepdims=keep)


def _along_axis(op: Any) -> Operation:
    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        return along(call, tensor(operands), op, numbers(arguments.get("axis"), (-1,)))

    return translate


def _gelu(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x, approximate = tensor(operands), arguments.get("approximate")
    return call.add(Gelu(approximate=bool(approximate)), [x], call.axes(x)).result


def _threshold(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """X above the threshold, else another number (`ops.threshold`; other words up to 3.12)."""
    x = tensor(operands)
    limit = number(arguments.get("threshold", arguments.get("threshold_value")))
    other = number(arguments.get("default_value", arguments.get("value")))
    if limit is None or other is None:
        raise ConfigError("a threshold that is no number")
    above = combined(call, "greater", x, limit)
    return chosen(call, above, x, other)


def _normalize(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """X over its length, which is at least the root of epsilon (`ops.normalize`)."""
    if arguments.get("order", 2) != 2:
        raise ConfigError(f"normalized by order {arguments['order']!r:.80}")
    stated = number(arguments.get("epsilon"))
    return _unit(call, tensor(operands), arguments, 1e-7 if stated is None else stated)


def _l2_normalize(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """X over its length, whose square is at least epsilon (`tf.math.l2_normalize`)."""
    stated = number(arguments.get("epsilon"))
    return _unit(call, tensor(operands), arguments, math.sqrt(1e-12 if stated is None else stated))


def _unit(call: LayerCall, x: Value, arguments: Arguments, least: float) -> Value:
    axes = numbers(arguments.get("axis"), (-1,))
    return along(call, x, UnitNorm(epsilon=least), axes)


def _cast(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x = tensor(operands)
    y = cast(call, x, tensors.dtype_of(arguments.get("dtype")), part="")
    return tensors.same(call, x) if y is x else y


def _extreme(*, least: bool) -> Operation:
    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        stated = arguments.get("dtype")
        return arrangement.position_of_largest(
            call, tensor(operands), whole(arguments.get("axis")), least=least,
            keep=bool(arguments.get("keepdims")),
            dtype="int32" if stated is None else tensors.dtype_of(stated),
        )  # fmt: skip

    return translate


def _matmul(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    a, b = exactly(operands, 2, "matmul")
    first, second = bool(arguments.get("transpose_a")), bool(arguments.get("transpose_b"))
    return contraction.matmul(call, a, b, turn_a=first, turn_b=second)


def _einsum(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    equation, values = arguments.get("subscripts"), operands
    if equation is None and operands:
        equation, values = operands[0], operands[1:]
    if not isinstance(equation, str):
        raise ConfigError(f"the equation {equation!r:.80}")
    return contraction.einsum(call, equation, values)


def _tensordot(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    a, b = exactly(operands, 2, "tensordot")
    return contraction.tensordot(call, a, b, arguments.get("axes", 2))


def _dot(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    a, b = exactly(operands, 2, "dot")
    return contraction.dot(call, a, b)


def _moments(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> tuple[Value, Value]:
    axes, keep = numbers(arguments.get("axes")), bool(arguments.get("keepdims"))
    x = tensor(operands)
    return (
        tensors.reduced(call, x, "mean", axes, keepdims=keep, part="mean"),
        tensors.reduced(call, x, "var", axes, keepdims=keep, part="variance"),
    )


def _divide_no_nan(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """X over y; zero where y is zero (`tf.math.divide_no_nan`)."""
    x, y = exactly(operands, 2, "divide_no_nan")
    none = combined(call, "equal", y, 0.0)
    divisor = chosen(call, none, 1.0, y)
    return chosen(call, none, 0.0, combined(call, "divide", x, divisor))


def _add_n(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    values = listed(operands, "add_n")
    if len(values) == 1:
        return tensors.same(call, values[0])
    return merged(call, Add(), values)


def _bias_add(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    stated = arguments.get("data_format")
    if stated not in (None, "NHWC", "N...C"):
        raise ConfigError(f"a bias in the data format {stated!r:.80}")
    return combined(call, "add", *exactly(operands, 2, "bias_add"))


def _identities(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Results:
    return tuple(tensors.same(call, value) for value in listed(operands, "identity"))


_REDUCED = ("mean", "max", "min", "sum", "prod", "all", "std", "var", "logsumexp")

OF_NUMBERS: Mapping[str, Kind] = {
    **{name: kind(_binary(name)) for name in MERGES},
    "not_equal": kind(_not_equal),
    "divide_no_nan": kind(_divide_no_nan),
    "add_n": kind(_add_n),
    "bias_add": kind(_bias_add, "data_format"),
    "identities": kind(_identities),
    "logical_not": kind(lambda call, operands, _: negated(call, tensor(operands))),
    "where": kind(lambda call, operands, _: chosen(call, *exactly(operands, 3, "where"))),
    "any": kind(_any, "axis", "keepdims"),
    **{name: kind(_reduce(name), "axis", "keepdims") for name in _REDUCED},
    "norm": kind(_norm, "axis", "keepdims", "ord"),
    "moments": kind(_moments, "axes", "keepdims"),
    "argmax": kind(_extreme(least=False), "axis", "keepdims", "dtype"),
    "argmin": kind(_extreme(least=True), "axis", "keepdims", "dtype"),
    "gelu": kind(_gelu, "approximate"),
    "glu": kind(
        lambda call, operands, given: gated(call, tensor(operands), whole(given.get("axis"), -1)),
        "axis",
    ),
    "threshold": kind(_threshold, "threshold", "default_value", "threshold_value", "value"),
    "softmax": kind(_along_axis(Softmax()), "axis"),
    "log_softmax": kind(_along_axis(LogSoftmax()), "axis"),
    "sparsemax": kind(_along_axis(Sparsemax()), "axis"),
    "normalize": kind(_normalize, "axis", "order", "epsilon"),
    "l2_normalize": kind(_l2_normalize, "axis", "epsilon"),
    "cast": kind(_cast, "dtype"),
    "cumsum": kind(
        lambda call, operands, given: arrangement.cumulated(
            call, tensor(operands), whole(given.get("axis"))
        ),
        "axis",
    ),
    "cumprod": kind(
        lambda call, operands, given: arrangement.cumulated(
            call, tensor(operands), whole(given.get("axis")), product=True
        ),
        "axis",
    ),
    "matmul": kind(_matmul, "transpose_a", "transpose_b"),
    "einsum": kind(_einsum, "subscripts"),
    "tensordot": kind(_tensordot, "axes"),
    "dot": kind(_dot),
}
"""By the name that the tables of `eras` use."""
