"""Operations that choose, repeat and regroup numbers by their position.

One function for each kind, of its operands and its other arguments, which are called as Keras 3
calls them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ..call import LayerCall
from ..constants import MOST, number
from . import arrangement, tensors
from .merge import joined
from .operands import Arguments, Kind, Operation, exactly, kind, listed, numbers, tensor, whole
from .slicing import ELLIPSIS, sliced


def _concatenate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    axis = whole(arguments.get("axis"), 0)
    return joined(call, listed(operands, "concatenate"), axis)


def _append(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    return joined(call, [*exactly(operands, 2, "append")], whole(arguments.get("axis"), 0))


def _stack(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    return arrangement.stacked(call, listed(operands, "stack"), whole(arguments.get("axis"), 0))


def _split(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> tuple[Value, ...]:
    """Keras 3 states a number or positions, TensorFlow a number or sizes."""
    x, axis = tensor(operands), whole(arguments.get("axis"), 0)
    sizes, stated = arguments.get("sizes"), arguments.get("indices_or_sections")
    count = sizes if isinstance(sizes, int) else stated
    if isinstance(count, int):
        place = arrangement.place_of(call, x, axis)
        size = arrangement.known(call.axes(x)[place])
        if count < 1 or size % count:
            raise ConfigError(f"{count} equal parts of {size}")
        return arrangement.parts(call, x, axis, range(size // count, size, size // count))
    if sizes is not None:
        given = numbers(sizes)
        return arrangement.parts(
            call, x, axis, [sum(given[: n + 1]) for n in range(len(given) - 1)]
        )
    return arrangement.parts(call, x, axis, numbers(stated, ()))


def _unstack(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> tuple[Value, ...]:
    return arrangement.unstacked(call, tensor(operands), whole(arguments.get("axis"), 0))


def _reshape(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    return tensors.reshaped_whole(
        call, tensor(operands), arguments.get("newshape", arguments.get("shape"))
    )


def _transpose(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x = tensor(operands)
    order = numbers(arguments.get("axes", arguments.get("perm")))
    order = order or tuple(reversed(range(len(call.axes(x)))))
    order = tuple(n % len(call.axes(x)) for n in order)
    if sorted(order) != list(range(len(call.axes(x)))) or order[0] != 0:
        raise ConfigError(f"a transposition by {order} of an input {x.layout}")
    return tensors.permuted(call, x, order[1:])


def _sized(translate: Callable[[LayerCall, Value, Sequence[int]], Value]) -> Operation:
    def of_axes(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        x, axes = tensor(operands), numbers(arguments.get("axis"))
        if axes is None:
            raise ConfigError("an operation that does not say its axis")
        return translate(call, x, axes)

    return of_axes


def _take(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x, indices = exactly(operands, 2, "take")
    axis, batched = arguments.get("axis"), whole(arguments.get("batch_dims"), 0)
    if not isinstance(x, Value):
        return tensors.looked_up(call, x, indices, whole(axis, 0))
    return arrangement.gathered(call, x, indices, whole(axis, 0), batched)


def _pad(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x, *value = operands
    mode = str(arguments.get("mode") or "constant").lower()
    stated = value[0] if value else arguments.get("constant_values")
    fill = 0.0 if stated is None else number(stated)
    if fill is None or mode not in {"constant", "reflect", "symmetric"}:
        raise ConfigError(f"padding in mode {mode!r:.80}")
    return arrangement.padded(call, tensor([x]), arguments.get("pad_width"), mode, fill)


def _like(value: float | None) -> Operation:
    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        x, *rest = operands
        found = number(rest[0]) if value is None and rest else value
        if found is None or not isinstance(x, Value):
            raise ConfigError("a tensor full of something else than a number")
        stated = arguments.get("dtype")
        dtype = x.dtype if stated is None else tensors.dtype_of(stated)
        return arrangement.filled(call, x, found, dtype)

    return translate


def _one_hot(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x, axis = tensor(operands), arguments.get("axis")
    one, other = arguments.get("on_value"), arguments.get("off_value")
    if one not in (None, 1) or other not in (None, 0):
        raise ConfigError("one_hot of other numbers than one and zero")
    stated = arguments.get("dtype")
    dtype = "float32" if stated is None else tensors.dtype_of(stated)
    classes = whole(arguments.get("num_classes"))
    if classes is None or not 1 <= classes <= MOST:
        raise ConfigError(f"one_hot of {classes} classes")
    hot = arrangement.one_hot(call, x, classes, dtype)
    last = len(call.axes(hot)) - 1
    place = last if axis is None else whole(axis) % (last + 1)
    return hot if place == last else arrangement.moved(call, hot, (last,), (place,))


def _get_item(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x, key = exactly([*operands, *arguments.values()], 2, "get_item")
    if not isinstance(x, Value):
        raise ConfigError("a part of a constant")
    return tensors.part_of_shape(call, x, key) or sliced(call, x, key)


def _shape(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    dtype = tensors.dtype_of(arguments.get("dtype") or "int32")
    return tensors.shape_of(call, tensor(operands), dtype)


def _slice(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """A block that begins somewhere and has a shape."""
    x, start = exactly(operands, 2, "slice")
    sizes, starts = numbers(arguments.get("shape"), ()), numbers(start, ())
    if not isinstance(x, Value) or len(sizes) != len(starts):
        raise ConfigError("a slice that does not say where it begins, or how long it is")
    key = [
        {"start": a, "stop": None if n == -1 else a + n, "step": None}
        for a, n in zip(starts, sizes, strict=True)
    ]
    key[0] = {"start": None, "stop": None, "step": None} if starts[0] == 0 else key[0]
    return sliced(call, x, key)


MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")


def _strided_slice(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """A key in numbers, whose bits say what they mean (TensorFlow `StridedSlice`)."""
    x, begin, end, *rest = operands
    starts, stops = numbers(begin, ()), numbers(end, ())
    steps = numbers(rest[0], ()) if rest else (1,) * len(starts)
    if not len(starts) == len(stops) == len(steps):
        raise ConfigError(f"a slice from {starts} to {stops} by {steps}")
    masks = [whole(arguments.get(name), 0) for name in MASKS]
    key: list[Any] = []
    for place, (start, stop, step) in enumerate(zip(starts, stops, steps, strict=True)):
        no_start, no_stop, ellipsis, new, one = (mask >> place & 1 for mask in masks)
        if ellipsis or new:
            key.append({"class_name": ELLIPSIS} if ellipsis else None)
        elif one:
            key.append(start)
        else:
            key.append({
                "start": None if no_start else start, "stop": None if no_stop else stop,
                "step": step,
            })  # fmt: skip
    return _get_item(call, [x, key], {})


def _band_part(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """What is on and on one side of a diagonal (`tf.linalg.band_part`)."""
    x, lower, upper = exactly(operands, 3, "band_part")
    below, above = whole(lower, 0), whole(upper, 0)
    if (below < 0) == (above < 0):
        raise ConfigError(f"a band of {below} below the diagonal and {above} above")
    if below < 0:
        return arrangement.triangle(call, tensor([x]), above, upper=False)
    return arrangement.triangle(call, tensor([x]), -below, upper=True)


OF_PLACES: Mapping[str, Kind] = {
    "concatenate": kind(_concatenate, "axis"),
    "append": kind(_append, "axis"),
    "hstack": kind(lambda call, operands, _: joined(call, listed(operands, "hstack"), 1)),
    "stack": kind(_stack, "axis"),
    "split": kind(_split, "axis", "indices_or_sections", "sizes"),
    "unstack": kind(_unstack, "axis", "num"),
    "reshape": kind(_reshape, "newshape", "shape"),
    "transpose": kind(_transpose, "axes", "perm"),
    "expand_dims": kind(_sized(tensors.expanded), "axis"),
    "squeeze": kind(_sized(tensors.squeezed), "axis"),
    "get_item": kind(_get_item, "slice_spec"),
    "shape": kind(_shape, "dtype", "optimize"),
    "slice": kind(_slice, "shape"),
    "strided_slice": kind(_strided_slice, *MASKS),
    "band_part": kind(_band_part),
    "flip": kind(
        lambda call, operands, given: arrangement.flipped(
            call, tensor(operands), numbers(given.get("axis"))
        ),
        "axis",
    ),
    "roll": kind(
        lambda call, operands, given: arrangement.rolled(
            call, tensor(operands), numbers(given.get("shift"), ()), numbers(given.get("axis"), ())
        ),
        "shift",
        "axis",
    ),
    "repeat": kind(
        lambda call, operands, given: arrangement.repeated(
            call, tensor(operands), numbers(given.get("repeats"), ()), whole(given.get("axis"), 0)
        ),
        "repeats",
        "axis",
    ),
    "tile": kind(
        lambda call, operands, given: arrangement.tiled(
            call, tensor(operands), numbers(given.get("repeats"), ())
        ),
        "repeats",
    ),
    "pad": kind(_pad, "pad_width", "mode", "constant_values"),
    "swapaxes": kind(
        lambda call, operands, given: arrangement.swapped(
            call, tensor(operands), whole(given.get("axis1"), 0), whole(given.get("axis2"), 0)
        ),
        "axis1",
        "axis2",
    ),
    "moveaxis": kind(
        lambda call, operands, given: arrangement.moved(
            call,
            tensor(operands),
            numbers(given.get("source"), ()),
            numbers(given.get("destination"), ()),
        ),
        "source",
        "destination",
    ),
    "broadcast_to": kind(
        lambda call, operands, given: arrangement.broadcast(
            call, tensor(operands), tensors.extents(call, given.get("shape"))
        ),
        "shape",
    ),
    "take": kind(_take, "axis", "batch_dims", "validate_indices"),
    "zeros_like": kind(_like(0.0), "dtype"),
    "ones_like": kind(_like(1.0), "dtype"),
    "full_like": kind(_like(None), "dtype"),
    "one_hot": kind(_one_hot, "num_classes", "axis", "dtype", "on_value", "off_value"),
    "top_k": kind(
        lambda call, operands, given: arrangement.largest(
            call, tensor(operands), whole(given.get("k"), 1)
        ),
        "k",
        "sorted",
    ),
    "sort": kind(
        lambda call, operands, given: arrangement.sorted_along(
            call, tensor(operands), whole(given.get("axis"), -1), places=False
        ),
        "axis",
    ),
    "argsort": kind(
        lambda call, operands, given: arrangement.sorted_along(
            call, tensor(operands), whole(given.get("axis"), -1), places=True
        ),
        "axis",
    ),
    "tril": kind(
        lambda call, operands, given: arrangement.triangle(
            call, tensor(operands), whole(given.get("k"), 0), upper=False
        ),
        "k",
    ),
    "triu": kind(
        lambda call, operands, given: arrangement.triangle(
            call, tensor(operands), whole(given.get("k"), 0), upper=True
        ),
        "k",
    ),
}
"""By the name that the tables of `eras` use."""
