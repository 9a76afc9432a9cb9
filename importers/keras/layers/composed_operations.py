"""Operations of Keras 3 that are a formula of others.

One function for each kind, of its operands and its other arguments, which are called as Keras 3
calls them. Source of each formula: Keras 3.15 `backend/tensorflow/numpy.py`, `nn.py`, `math.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.op import Op
from ....ir.ops.activation import Abs, Exponential, Log, Power
from ....ir.ops.maths import Function
from ..call import LayerCall
from ..constants import number
from . import tensors
from .arithmetic import cast, chosen, combined
from .composed_layers import COMPOSED_LAYERS
from .composed_places import COMPOSED_PLACES, floating
from .composed_ranks import COMPOSED_RANKS, LARGEST
from .composed_vectors import COMPOSED_VECTORS
from .operands import Arguments, Kind, Operation, exactly, kind, numbers, tensor
from .scaling import affine


def _apply(call: LayerCall, op: Op, x: Value) -> Value:
    return call.add(op, [x], call.axes(x)).result


def _of_one(translate: Callable[[LayerCall, Value], Value]) -> Operation:
    def of_floats(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        return translate(call, floating(call, tensor(operands)))

    return of_floats


def _of_two(translate: Callable[[LayerCall, Any, Any], Value], name: str) -> Operation:
    def of_floats(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        a, b = exactly(operands, 2, name)
        return translate(call, floating(call, a), floating(call, b))

    return of_floats


# ---- of each number by itself --------------------------------------------------------------------


def _logarithm(base: float) -> Operation:
    return _of_one(lambda call, x: affine(call, _apply(call, Log(), x), 1 / math.log(base), 0.0))


def _cube_root(call: LayerCall, x: Value) -> Value:
    root = _apply(call, Power(exponent=1 / 3), _apply(call, Abs(), x))
    return combined(call, "multiply", _apply(call, Function(function="sign"), x), root)


def _cut(call: LayerCall, x: Value) -> Value:
    """Cut towards zero."""
    below = _apply(call, Function(function="ceil"), x)
    above = _apply(call, Function(function="floor"), x)
    return chosen(call, combined(call, "less", x, 0), below, above)


def _infinite(*, below: bool) -> Operation:
    def translate(call: LayerCall, x: Value) -> Value:
        op = Function(function="isinf")
        endless = call.add(op, [x], call.axes(x), dtypes=("bool",)).result
        side = combined(call, "less" if below else "greater", x, 0)
        return combined(call, "logical_and", endless, side)

    return _of_one(translate)


def _plain(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """Nothing infinite and no NaN: the largest numbers in their place, or what is stated."""
    x = floating(call, tensor(operands))
    op = Function(function="isnan")
    lost = call.add(op, [x], call.axes(x), dtypes=("bool",), part="lost").result
    for side, key, bound in (("greater", "posinf", LARGEST), ("less", "neginf", -LARGEST)):
        stated = number(arguments.get(key))
        endless = combined(call, side, x, bound)
        x = chosen(call, endless, bound if stated is None else stated, x)
    zero = number(arguments.get("nan"))
    return chosen(call, lost, 0.0 if zero is None else zero, x)


# ---- of two --------------------------------------------------------------------------------------


def _length(call: LayerCall, a: Any, b: Any) -> Value:
    squares = [combined(call, "multiply", x, x) for x in (a, b) if isinstance(x, Value)]
    if len(squares) < 2:
        raise ConfigError("hypot with a constant")
    return _apply(call, Power(exponent=0.5), combined(call, "add", *squares))


def _log_of_sum(call: LayerCall, a: Any, b: Any) -> Value:
    apart = _apply(call, Abs(), combined(call, "subtract", a, b))
    small = _apply(call, Exponential(), affine(call, apart, -1.0, 0.0))
    rest = _apply(call, Function(function="log1p"), small)
    return combined(call, "add", combined(call, "maximum", a, b), rest)


def _remainder(call: LayerCall, a: Any, b: Any) -> Value:
    """With the sign of the first, as C has it."""
    times = _cut(call, combined(call, "divide", a, b))
    return combined(call, "subtract", a, combined(call, "multiply", times, b))


def _safe_quotient(call: LayerCall, a: Any, b: Any) -> Value:
    if not isinstance(b, Value):
        return combined(call, "divide", a, b)
    nothing = combined(call, "equal", b, 0)
    return chosen(call, nothing, 0.0, combined(call, "divide", a, chosen(call, nothing, 1.0, b)))


def _step(call: LayerCall, x: Any, middle: Any) -> Value:
    if not isinstance(x, Value):
        raise ConfigError("heaviside of a constant")
    sided = cast(call, combined(call, "greater", x, 0), "float32")
    return chosen(call, combined(call, "equal", x, 0), middle, sided)


def _angle(call: LayerCall, y: Any, x: Any) -> Value:
    """Of the point (x, y), in its own quarter."""
    if not isinstance(x, Value) or not isinstance(y, Value):
        raise ConfigError("arctan2 of a constant")
    upright = combined(call, "equal", x, 0)
    slope = combined(call, "divide", y, chosen(call, upright, 1.0, x))
    leaning = _apply(call, Function(function="arctan"), slope)
    turn = chosen(call, combined(call, "less", y, 0), -math.pi, math.pi)
    behind = chosen(call, combined(call, "less", x, 0), turn, 0.0)
    side = affine(call, _apply(call, Function(function="sign"), y), math.pi / 2, 0.0)
    return chosen(call, upright, side, combined(call, "add", leaning, behind))


def _close(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    a, b = (floating(call, x) for x in exactly(operands[:2], 2, "isclose"))
    arguments = {**arguments, **dict(zip(("rtol", "atol"), operands[2:], strict=False))}
    if not isinstance(b, Value) or arguments.get("equal_nan"):
        raise ConfigError("isclose of a constant, or by which NaN is NaN")
    apart = _apply(call, Abs(), combined(call, "subtract", a, b))
    near, share = number(arguments.get("atol")), number(arguments.get("rtol"))
    size = _apply(call, Abs(), b)
    bound = affine(call, size, 1e-5 if share is None else share, 1e-8 if near is None else near)
    return combined(call, "less_equal", apart, bound)


def _selected(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """The choice of the first condition that holds."""
    conditions, choices = exactly(operands[:2], 2, "select")
    found = operands[2] if len(operands) > 2 else arguments.get("default", 0)
    both = isinstance(conditions, list) and isinstance(choices, list)
    if not both or len(conditions) != len(choices):
        raise ConfigError("a selection of other than as many choices as conditions")
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        found = chosen(call, condition, choice, found)
    if not isinstance(found, Value):
        raise ConfigError("a selection of nothing")
    return found


# ---- reductions ----------------------------------------------------------------------------------


def _spread(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    axes, keep, x = (
        numbers(arguments.get("axis")),
        bool(arguments.get("keepdims")),
        tensor(operands),
    )
    most, least = (
        tensors.reduced(call, x, side, axes, keepdims=keep, part=side) for side in ("max", "min")
    )
    return combined(call, "subtract", most, least)


def _count(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    some = cast(call, combined(call, "not_equal", tensor(operands), 0), "int32")
    return tensors.reduced(call, some, "sum", numbers(arguments.get("axis")), keepdims=False)


def _average(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x = floating(call, tensor([one for one in operands if one is not None]))
    return tensors.reduced(call, x, "mean", numbers(arguments.get("axis")), keepdims=False)


COMPOSED: Mapping[str, Kind] = {
    **COMPOSED_LAYERS,
    **COMPOSED_PLACES,
    **COMPOSED_RANKS,
    **COMPOSED_VECTORS,
    "arctan2": kind(_of_two(_angle, "arctan2")),
    "isclose": kind(_close, "rtol", "atol", "equal_nan"),
    "select": kind(_selected, "default"),
    "nan_to_num": kind(_plain, "nan", "posinf", "neginf"),
    "log2": kind(_logarithm(2)),
    "log10": kind(_logarithm(10)),
    "exp2": kind(
        _of_one(lambda call, x: _apply(call, Exponential(), affine(call, x, math.log(2), 0.0)))
    ),
    "cbrt": kind(_of_one(_cube_root)),
    "trunc": kind(_of_one(_cut)),
    "erfc": kind(
        _of_one(lambda call, x: affine(call, _apply(call, Function(function="erf"), x), -1.0, 1.0))
    ),
    "isposinf": kind(_infinite(below=False)),
    "isneginf": kind(_infinite(below=True)),
    "hypot": kind(_of_two(_length, "hypot")),
    "logaddexp": kind(_of_two(_log_of_sum, "logaddexp")),
    "fmod": kind(_of_two(_remainder, "fmod")),
    "divide_no_nan": kind(_of_two(_safe_quotient, "divide_no_nan")),
    "heaviside": kind(_of_two(_step, "heaviside")),
    "ptp": kind(_spread, "axis", "keepdims"),
    "count_nonzero": kind(_count, "axis"),
    "average": kind(_average, "axis"),
}  # fmt: skip
"""By the name that the tables of `eras` use."""
