"""Operations of Keras 3 over numbers that may be NaN, and by their ranks, as formulas.

One function for each kind, of its operands and its other arguments, which are called as Keras 3
calls them. Source of each formula: Keras 3.15 `ops/numpy.py`, `ops/math.py` and
`backend/numpy/numpy.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.ops.activation import Linear, Power
from ....ir.ops.maths import Function
from ..call import LayerCall
from ..constants import number
from . import tensors
from .arithmetic import cast, chosen, combined
from .arrangement import (
    cumulated,
    filled,
    known,
    place_of,
    sorted_along,
)
from .composed_places import floating
from .operands import Arguments, Kind, Operation, exactly, kind, numbers, tensor, whole
from .scaling import affine
from .slicing import ALL, sliced

LARGEST = 3.4028234663852886e38
"""Of the numbers of single precision."""

# ---- of each number by itself --------------------------------------------------------------------


def is_nan(call: LayerCall, x: Value) -> Value:
    """Where a tensor is not a number."""
    op = Function(function="isnan")
    return call.add(op, [x], call.axes(x), dtypes=("bool",), part="lost").result


def _wave(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """`sinc`: the sine of pi x over pi x, 1 in the middle."""
    x = affine(call, floating(call, tensor(operands)), math.pi, 0.0)
    middle = combined(call, "equal", x, 0)
    sine = call.add(Function(function="sin"), [x], call.axes(x)).result
    return chosen(call, middle, 1.0, combined(call, "divide", sine, chosen(call, middle, 1.0, x)))


def _known_of(side: str) -> Operation:
    """`fmax`, `fmin`: the number where the other operand is none."""

    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        a, b = (floating(call, x) for x in exactly(operands, 2, side))
        found = combined(call, side, a, b)
        for one, other in ((a, b), (b, a)):
            if isinstance(one, Value):
                found = chosen(call, is_nan(call, one), other, found)
        return found

    return translate


def _negative(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """`signbit`: zero has a sign too."""
    x = floating(call, tensor(operands))
    below = combined(call, "less", combined(call, "divide", 1.0, x), 0)
    return combined(call, "logical_or", combined(call, "less", x, 0), below)


def _shifted(name: str) -> Operation:
    """A number by a power of two."""

    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        x, places = exactly(operands, 2, name)
        if isinstance(places, Value):
            places = cast(call, places, "float32") if name == "multiply" else places
            return combined(call, name, x, combined(call, "power", 2, places))
        if isinstance(places, bool) or not isinstance(places, int) or not 0 <= places < 64:
            raise ConfigError(f"a shift by {places!r:.80}")
        return combined(call, name, x, 2**places)

    return translate


def _all_real(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x = tensor(operands)
    return call.add(Linear(), [x], call.axes(x)).result


def _nothing(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x = tensor(operands)
    return filled(call, x, 0.0, x.dtype)


def _one_of(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """`isin`, of a list that is stated."""
    x, stated = exactly(operands, 2, "isin")
    if not isinstance(x, Value) or not isinstance(stated, list):
        raise ConfigError("isin of other than a tensor and a list")
    wide = tensors.expanded(call, x, [len(call.axes(x))], part="wide")
    same = combined(call, "not_equal" if arguments.get("invert") else "equal", wide, stated)
    how = "all" if arguments.get("invert") else "any"
    return tensors.reduced(call, same, how, [len(call.axes(same)) - 1], keepdims=False)


# ---- reductions ----------------------------------------------------------------------------------


def _without_nan(name: str) -> Operation:
    """`nansum`, `nanmean` and so on: of the numbers that are some."""
    plain: Mapping[str, float] = {"prod": 1.0, "max": -LARGEST, "min": LARGEST}

    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        x = floating(call, tensor(operands))
        axes, keep = numbers(arguments.get("axis")), bool(arguments.get("keepdims"))
        lost = is_nan(call, x)
        held = chosen(call, lost, plain.get(name, 0.0), x)

        def over(y: Value, how: str, part: str, *, wide: bool = keep) -> Value:
            return tensors.reduced(call, y, how, axes, keepdims=wide, part=part)

        if name in {"sum", "prod"}:
            return over(held, name, "")
        if name in {"max", "min"}:
            return chosen(
                call, over(lost, "all", "none"), over(x, "sum", ""), over(held, name, "most")
            )
        there = chosen(call, lost, 0.0, filled(call, x, 1.0, x.dtype))
        count = over(there, "sum", "count")
        if name == "mean":
            return combined(call, "divide", over(held, "sum", "total"), count)
        wide = (over(y, "sum", part, wide=True) for y, part in ((held, "total"), (there, "many")))
        apart = combined(call, "subtract", x, combined(call, "divide", *wide))
        square = chosen(call, lost, 0.0, combined(call, "multiply", apart, apart))
        found = combined(call, "divide", over(square, "sum", "squares"), count)
        if name == "var":
            return found
        return call.add(Power(exponent=0.5), [found], call.axes(found)).result

    return translate


def _cumulated_numbers(*, product: bool) -> Operation:
    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        x = floating(call, tensor(operands))
        held = chosen(call, is_nan(call, x), 1.0 if product else 0.0, x)
        return cumulated(call, held, whole(arguments.get("axis")), product=product)

    return translate


BETWEEN: Mapping[str, Callable[[float], float]] = {
    "linear": lambda share: share,
    "lower": lambda share: 0.0,
    "higher": lambda share: float(share > 0),
    "nearest": lambda share: float(round(share)),
    "midpoint": lambda share: 0.5 * (share > 0),
}
"""How far a quantile is from the number below it to the one above, by method."""


def _quantile(scale: float, *, told: bool) -> Operation:
    """The number below which a share of all are, along one axis.

    A node of `quantile` is not told its method and takes the linear one (Keras 3.15 `ops/numpy.py`,
    `Quantile.call`; a genuine run).
    """

    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        x, *stated = operands
        share = stated[0] if stated else arguments.get("q")
        method, axes = (
            (told and arguments.get("method")) or "linear",
            numbers(arguments.get("axis")),
        )
        single = number(share)
        if not isinstance(x, Value) or single is None or isinstance(share, list):
            raise ConfigError("a quantile of other than one share that is stated")
        if axes is None or len(axes) != 1 or method not in BETWEEN or not 0 <= single <= scale:
            raise ConfigError("a quantile over several axes, or by an unknown method")
        place = place_of(call, x, axes[0])
        ranked = sorted_along(call, floating(call, x), place, places=False)
        at = single / scale * (known(call.axes(ranked)[place]) - 1)
        low = math.floor(at)
        if method == "nearest":
            return _at(call, ranked, place, round(at), arguments)
        first = _at(call, ranked, place, low, arguments)
        between = BETWEEN[str(method)](at - low)
        if not between:
            return first
        second = _at(call, ranked, place, low + 1, arguments)
        step = affine(call, combined(call, "subtract", second, first), between, 0.0)
        return combined(call, "add", first, step)

    return translate


def _at(call: LayerCall, x: Value, place: int, index: int, arguments: Arguments) -> Value:
    """What is at one place along an axis."""
    keep = bool(arguments.get("keepdims"))
    item: Any = {**ALL, "start": index, "stop": index + 1} if keep else index
    return sliced(call, x, [*([ALL] * place), item])


def _area(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """`trapezoid`, over steps of one length."""
    (y,) = exactly([one for one in operands if one is not None], 1, "trapezoid")
    step = number(arguments.get("dx"))
    if arguments.get("x") is not None or not isinstance(y, Value):
        raise ConfigError("trapezoid over places that are given")
    place = place_of(call, y, whole(arguments.get("axis"), -1))
    sides = (
        sliced(call, floating(call, y), [*([ALL] * place), side])
        for side in ({**ALL, "start": 1}, {**ALL, "stop": -1})
    )
    total = tensors.reduced(call, combined(call, "add", *sides), "sum", [place], keepdims=False)
    return affine(call, total, 0.5 * (1.0 if step is None else step), 0.0)


def _searched(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """`searchsorted`, in a list that is stated: how many of it are below each number."""
    bounds, x = exactly(operands, 2, "searchsorted")
    if not isinstance(x, Value) or not isinstance(bounds, list):
        raise ConfigError("searchsorted in other than a list that is stated")
    wide = tensors.expanded(call, floating(call, x), [len(call.axes(x))], part="wide")
    name = "greater_equal" if arguments.get("side") == "right" else "greater"
    above = cast(call, combined(call, name, wide, bounds), "int32", part="above")
    return tensors.reduced(call, above, "sum", [len(call.axes(above)) - 1], keepdims=False)


_NAN = ("sum", "mean", "max", "min", "prod", "var", "std")

COMPOSED_RANKS: Mapping[str, Kind] = {
    "sinc": kind(_wave),
    "fmax": kind(_known_of("maximum")),
    "fmin": kind(_known_of("minimum")),
    "signbit": kind(_negative),
    "shift_left": kind(_shifted("multiply")),
    "shift_right": kind(_shifted("floor_divide")),
    "real": kind(_all_real),
    "imag": kind(_nothing),
    "isin": kind(_one_of, "assume_unique", "invert"),
    **{f"nan{name}": kind(_without_nan(name), "axis", "keepdims") for name in _NAN},
    "nancumsum": kind(_cumulated_numbers(product=False), "axis"),
    "nancumprod": kind(_cumulated_numbers(product=True), "axis"),
    "quantile": kind(_quantile(1.0, told=False), "q", "axis", "method", "keepdims"),
    "percentile": kind(_quantile(100.0, told=True), "q", "axis", "method", "keepdims"),
    "trapezoid": kind(_area, "x", "dx", "axis"),
    "searchsorted": kind(_searched, "side"),
}
"""By the name that the tables of `eras` use."""
