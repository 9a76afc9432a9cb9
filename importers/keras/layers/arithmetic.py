"""Operations of two tensors or more, or of tensors and constants, element by element."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import Axis, Layout, Term, size_of
from ....ir.op import Op
from ....ir.ops.activation import Affine, Clip, Power, Relu
from ....ir.ops.maths import Binary, Cast, Constant, Not, Where
from ....ir.ops.merge import Add, Divide, Maximum, Merge, Minimum, Multiply, Subtract
from ....ir.ops.shape import View
from ....ir.tensor import Param, Stored, Weight
from ..call import LayerCall
from ..constants import array, number
from .merge import merged
from .scaling import affine

FLOATING = ("float", "bfloat")

MERGES: Mapping[str, Merge] = {
    "add": Add(),
    "subtract": Subtract(),
    "multiply": Multiply(),
    "divide": Divide(),
    "maximum": Maximum(),
    "minimum": Minimum(),
    "power": Binary(function="power"),
    "floor_divide": Binary(function="floor_divide"),
    "modulo": Binary(function="modulo"),
    "squared_difference": Binary(function="squared_difference"),
    "equal": Binary(function="equal"),
    "not_equal": Binary(function="not_equal"),
    "less": Binary(function="less"),
    "less_equal": Binary(function="less_equal"),
    "greater": Binary(function="greater"),
    "greater_equal": Binary(function="greater_equal"),
    "logical_and": Binary(function="and"),
    "logical_or": Binary(function="or"),
    "logical_xor": Binary(function="xor"),
}
"""Operations of two tensors."""

TRUTHS = frozenset({
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
    "logical_and", "logical_or", "logical_xor",
})  # fmt: skip
"""Those that give truth values."""

LOGICAL = frozenset({"logical_and", "logical_or", "logical_xor"})
"""Those that take them."""


def combined(call: LayerCall, name: str, a: Any, b: Any) -> Value:
    """An operation of two operands, each a tensor or a constant.

    Raises:
        ConfigError: Neither is a tensor, or their shapes do not go together.
    """
    if name in LOGICAL and a is b and isinstance(a, Value) and name != "logical_xor":
        return a
    simple = _with_one_number(call, name, a, b)
    if simple is not None:
        return simple
    if not isinstance(a, Value) and not isinstance(b, Value):
        raise ConfigError(f"{name} of two constants")
    dtype = "bool" if name in LOGICAL else _common(a, b)
    if name == "divide" and not dtype.startswith(FLOATING):
        dtype = "float32"
    x, y = aligned(call, [a, b], dtype)
    y_dtype = "bool" if name in TRUTHS else dtype
    return merged(call, MERGES[name], (x, y), dtypes=(y_dtype,))


def chosen(call: LayerCall, condition: Any, a: Any, b: Any) -> Value:
    """The second operand where the first holds, else the third."""
    dtype = _common(a, b)
    rank = max(_rank(call, operand) for operand in (condition, a, b))
    holds = aligned(call, [condition], "bool", rank)[0]
    x, y = aligned(call, [a, b], dtype, rank)
    return merged(call, Where(), (holds, x, y), dtypes=(dtype,))


def cast(call: LayerCall, x: Value, dtype: str, part: str = "cast") -> Value:
    """A tensor in another dtype; floating point numbers of any width are alike here."""
    if x.dtype == dtype or (x.dtype.startswith(FLOATING) and dtype.startswith(FLOATING)):
        return x
    return call.add(Cast(dtype=dtype), [x], call.axes(x), part=part, dtypes=(dtype,)).result


def constant(call: LayerCall, value: Any, dtype: str, rank: int) -> Value:
    """A constant as a tensor of this rank, its axes behind those of extent one."""
    source = array(value, dtype)
    if len(source.shape) > rank:
        raise ConfigError(f"a constant of shape {source.shape} for {rank} axes")
    own = tuple(Axis("X", n) for n in (*(1,) * (rank - len(source.shape)), *source.shape))
    weight = Weight(f"{call.name}/constant", (source,), trainable=False)
    param = Param(weight, (Stored(Layout(own)),))
    node = call.add(
        Constant(), [], own, axes={"axes": own, "...": ()}, params={"value": param},
        part="constant", dtypes=(dtype,),
    )  # fmt: skip
    return node.result


def aligned(
    call: LayerCall, operands: Sequence[Any], dtype: str, rank: int | None = None
) -> list[Value]:
    """Tensors of one rank and dtype, as NumPy aligns them: at the last axis.

    Raises:
        ConfigError: Batches would not meet.
    """
    most = max(_rank(call, operand) for operand in operands) if rank is None else rank
    found = []
    for operand in operands:
        if not isinstance(operand, Value):
            found.append(constant(call, operand, dtype, most))
            continue
        x, missing = cast(call, operand, dtype), most - len(call.axes(operand))
        if missing:
            terms = call.axes(x)
            if any(size_of(term) is None for term in terms[: call.batch]):
                raise ConfigError(f"{x.layout} with a tensor of {most} axes")
            units: Sequence[Term] = [Axis("X", 1) for _ in range(missing)]
            x = call.add(View(), [x], (*units, *terms), part="aligned").result
        found.append(x)
    return found


def _rank(call: LayerCall, operand: Any) -> int:
    if isinstance(operand, Value):
        return len(call.axes(operand))
    count = 0
    while isinstance(operand, (list, tuple)) and operand:
        operand, count = operand[0], count + 1
    return count


def _common(a: Any, b: Any) -> str:
    """The dtype of two operands together; numbers take that of the tensor they meet."""
    dtypes = [x.dtype for x in (a, b) if isinstance(x, Value)]
    floating = [dtype for dtype in dtypes if dtype.startswith(FLOATING)]
    if floating:
        return floating[0]
    whole = all(isinstance(x, Value) or not _holds_fractions(x) for x in (a, b))
    if not whole or not dtypes:
        return "float32"
    return max(dtypes, key=lambda dtype: (dtype != "bool", dtype))


def _holds_fractions(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_fractions, value))
    return isinstance(value, float)


# ---- one number ---------------------------------------------------------------------------------


def _clipped(call: LayerCall, x: Value, **bound: float) -> Value:
    return call.add(Clip(**bound), [x], call.axes(x)).result


def _over(call: LayerCall, x: Value, c: float) -> Value:
    inverse = call.add(Power(exponent=-1.0), [x], call.axes(x), part="inverse").result
    return affine(call, inverse, c, 0.0)


def _raised(call: LayerCall, x: Value, c: float) -> Value:
    return call.add(Power(exponent=c), [x], call.axes(x)).result


_WithNumber = Callable[[LayerCall, Value, float], Value]

_BEHIND: Mapping[str, _WithNumber] = {
    "add": lambda call, x, c: affine(call, x, 1.0, c),
    "subtract": lambda call, x, c: affine(call, x, 1.0, -c),
    "multiply": lambda call, x, c: affine(call, x, c, 0.0),
    "divide": lambda call, x, c: affine(call, x, 1 / c, 0.0),
    "maximum": lambda call, x, c: _clipped(call, x, low=c),
    "minimum": lambda call, x, c: _clipped(call, x, high=c),
    "power": _raised,
}
"""A floating point tensor, and a number behind it."""

_BEFORE: Mapping[str, _WithNumber] = {
    **{name: _BEHIND[name] for name in ("add", "multiply", "maximum", "minimum")},
    "subtract": lambda call, x, c: affine(call, x, -1.0, c),
    "divide": _over,
}
"""A number before the tensor."""


def _with_one_number(call: LayerCall, name: str, a: Any, b: Any) -> Value | None:
    """The operation as one op with the number as an attribute, where there is such an op."""
    for x, other, table in ((a, b, _BEHIND), (b, a, _BEFORE)):
        if not isinstance(x, Value) or not x.dtype.startswith(FLOATING):
            continue
        one = number(other)
        if one is not None and name in table and not (name == "divide" and x is a and one == 0):
            return table[name](call, x, one)
        if one is None and name in {"add", "subtract", "multiply"} and isinstance(other, list):
            return _along(call, name, x, other, first=x is a)
    return None


def _along(call: LayerCall, name: str, x: Value, c: Any, *, first: bool) -> Value | None:
    """Sums and products with a constant along the last axis, as a normalization says them."""
    flat = c
    while isinstance(flat, list) and len(flat) == 1 and isinstance(flat[0], list):
        flat = flat[0]
    if any(map(_holds_lists, flat)) or len(flat) != size_of(call.axes(x)[-1]):
        return None
    if name == "subtract":
        return affine(call, x, 1.0, _negated(flat)) if first else affine(call, x, -1.0, flat)
    return affine(call, x, 1.0, flat) if name == "add" else affine(call, x, flat, 0.0)


def _holds_lists(item: Any) -> bool:
    return isinstance(item, list)


def _negated(values: Sequence[Any]) -> list[Any]:
    return [-item if isinstance(item, (int, float)) else item for item in values]


def of_whole(call: LayerCall, op: Op, x: Value) -> Value | None:
    """A function of whole numbers as operations of two operands, which keep them whole."""
    if isinstance(op, Affine) and op.offset == 0 and float(op.scale).is_integer():
        return combined(call, "multiply", x, int(op.scale))
    if op == Power(exponent=2.0):
        return combined(call, "multiply", x, x)
    if op == Relu():
        return combined(call, "maximum", x, 0)
    if isinstance(op, Clip):
        for name, bound in (("maximum", op.low), ("minimum", op.high)):
            x = x if bound is None else combined(call, name, x, int(bound))
        return x
    return None


def negated(call: LayerCall, x: Value) -> Value:
    """The other truth value everywhere."""
    return call.add(Not(), [cast(call, x, "bool")], call.axes(x), dtypes=("bool",)).result
