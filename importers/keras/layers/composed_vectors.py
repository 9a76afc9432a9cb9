"""Operations of Keras 3 that choose places along axes, and of vectors, as formulas.

One function for each kind, of its operands and its other arguments, which are called as Keras 3
calls them. Source of each formula: Keras 3.15 `ops/numpy.py`, `ops/math.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import size_of
from ..call import LayerCall
from . import contraction, tensors
from .arithmetic import chosen, combined
from .arrangement import flipped, known, parts, place_of, stacked, swapped
from .composed_places import floating, table
from .merge import joined
from .operands import Arguments, Kind, Operation, exactly, kind, listed, numbers, tensor, whole
from .slicing import ALL, sliced


def _taken_along(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """`take_along_axis`: at each place the number along an axis that its index names."""
    x, indices = exactly(operands, 2, "take_along_axis")
    axis = whole(arguments.get("axis"))
    if not isinstance(x, Value) or not isinstance(indices, Value) or axis is None:
        raise ConfigError("take_along_axis of a constant, or of no axis")
    place = place_of(call, x, axis)
    count = known(call.axes(x)[place])
    before = combined(call, "less", indices, 0)
    indices = chosen(call, before, combined(call, "add", indices, count), indices)
    behind = len(call.axes(x)) - place - 1
    places: Any = list(range(count))
    for _ in range(behind):
        places = [[one] for one in places] if not isinstance(places[0], list) else _deeper(places)
    named = tensors.expanded(call, indices, [place + 1], part="named")
    found = combined(call, "equal", named, places)
    spread = tensors.expanded(call, x, [place], part="spread")
    alone = chosen(call, found, spread, 0)
    return tensors.reduced(call, alone, "sum", [place + 1], keepdims=False, part="taken")


def _deeper(places: list[Any]) -> list[Any]:
    return [[one] if not isinstance(one, list) else _deeper(one) for one in places]


def _cross(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """The cross product of vectors of three, along the last axis."""
    pair = exactly(operands, 2, "cross")
    stated = [arguments.get(key) for key in ("axisa", "axisb", "axisc", "axis")]
    if any(axis not in (None, -1) for axis in stated) or not all(
        isinstance(x, Value) and size_of(call.axes(x)[-1]) == 3 for x in pair
    ):
        raise ConfigError("cross of other than two tensors of three numbers along the last axis")
    last = len(call.axes(pair[0])) - 1
    a, b = ([sliced(call, floating(call, x), [*([ALL] * last), n]) for n in range(3)] for x in pair)
    found = [
        combined(
            call,
            "subtract",
            combined(call, "multiply", a[i], b[j]),
            combined(call, "multiply", a[j], b[i]),
        )
        for i, j in ((1, 2), (2, 0), (0, 1))
    ]
    return stacked(call, found, last)


def _side_by_side(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """`dstack`: along the third axis."""
    values = listed(operands, "dstack")
    if any(len(call.axes(x)) < 2 for x in values):
        raise ConfigError("dstack of tensors of one axis")
    wide = [x if len(call.axes(x)) > 2 else tensors.expanded(call, x, [2]) for x in values]
    return joined(call, wide, 2)


def _cut(axis: int | None, *, even: bool = True) -> Operation:
    """`hsplit`, `dsplit` and `array_split`, whose first parts may be longer by one."""

    def translate(
        call: LayerCall, operands: Sequence[Any], arguments: Arguments
    ) -> tuple[Value, ...]:
        x, stated = tensor(operands), arguments.get("indices_or_sections")
        place = place_of(call, x, whole(arguments.get("axis"), 0) if axis is None else axis)
        if not isinstance(stated, int):
            return parts(call, x, place, numbers(stated, ()))
        size = known(call.axes(x)[place])
        if stated < 1 or (even and size % stated):
            raise ConfigError(f"{stated} parts of {size}")
        each, more = divmod(size, stated)
        cuts = [n * each + min(n, more) for n in range(1, stated)]
        return parts(call, x, place, cuts)

    return translate


def _turned(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """`rot90`, by quarters from the first axis to the second."""
    x, quarters = tensor(operands), whole(arguments.get("k"), 1) % 4
    a, b = (place_of(call, x, n) for n in numbers(arguments.get("axes"), (0, 1)))
    if quarters == 2:
        return flipped(call, x, [a, b])
    if quarters == 1:
        return swapped(call, flipped(call, x, [b]), a, b)
    return flipped(call, swapped(call, x, a, b), [b]) if quarters else x


# ---- Fourier transforms --------------------------------------------------------------------------


def _wheel(rows: int, columns: int, turn: Callable[[float], float]) -> list[list[float]]:
    """A function of every angle `2 pi row column / rows`."""
    circle = 2 * math.pi / rows
    return table(rows, columns, lambda row, column: turn(circle * (row * column % rows)))


def _transform_of_reals(
    call: LayerCall, operands: Sequence[Any], arguments: Arguments
) -> tuple[Value, ...]:
    """`rfft`: real and imaginary parts of half of all frequencies."""
    x, stated = floating(call, tensor(operands)), whole(arguments.get("fft_length"))
    count = known(call.axes(x)[-1])
    if stated not in (None, count):
        raise ConfigError(f"a transform of {stated} numbers out of {count}")
    half = count // 2 + 1
    real = contraction.matmul(call, x, _wheel(count, half, math.cos))
    return real, contraction.matmul(call, x, _wheel(count, half, lambda angle: -math.sin(angle)))


def _transform(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> tuple[Value, ...]:
    """`fft`, of a pair of real and imaginary parts."""
    values = operands[0] if len(operands) == 1 else operands
    if not isinstance(values, list) or len(values) != 2:
        raise ConfigError("a transform of other than a real and an imaginary part")
    real, imaginary = (floating(call, one) for one in values)
    count = known(call.axes(real)[-1])
    cosines, sines = _wheel(count, count, math.cos), _wheel(count, count, math.sin)

    def turned(x: Value, by: list[list[float]]) -> Value:
        return contraction.matmul(call, x, by)

    return (
        combined(call, "add", turned(real, cosines), turned(imaginary, sines)),
        combined(call, "subtract", turned(imaginary, cosines), turned(real, sines)),
    )


COMPOSED_VECTORS: Mapping[str, Kind] = {
    "take_along_axis": kind(_taken_along, "axis"),
    "cross": kind(_cross, "axisa", "axisb", "axisc", "axis"),
    "dstack": kind(_side_by_side),
    "hsplit": kind(_cut(1), "indices_or_sections"),
    "dsplit": kind(_cut(2), "indices_or_sections"),
    "array_split": kind(_cut(None, even=False), "indices_or_sections", "axis"),
    "fliplr": kind(lambda call, operands, _: flipped(call, tensor(operands), [1])),
    "rot90": kind(_turned, "k", "axes", "array"),
    "rfft": kind(_transform_of_reals, "fft_length"),
    "fft": kind(_transform),
}
"""By the name that the tables of `eras` use."""
