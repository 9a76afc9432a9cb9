"""Operations of Keras 3 that are a formula of others, and go by the places of numbers.

One function for each kind, of its operands and its other arguments, which are called as Keras 3
calls them. Source of each formula: Keras 3.15 `ops/numpy.py`, `ops/image.py`, `ops/nn.py` and
`backend/tensorflow`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import size_of
from ....ir.ops.activation import Softmax
from ..call import LayerCall
from ..constants import MOST, number
from . import contraction, tensors
from .activation import along
from .arithmetic import FLOATING, cast, chosen, combined
from .arrangement import one_hot, padded, place_of, sorted_along
from .encoding import digitized
from .operands import Arguments, Kind, Operation, exactly, kind, numbers, tensor, whole
from .resampling import cropped, resampled
from .scaling import affine
from .slicing import ALL, sliced

FURTHEST = -3.0e38
"""What a score is where a mask leaves it out: nothing of it is left behind a softmax."""


OFTEN = 64
"""How often differences of differences are taken."""


def table(rows: int, columns: int, cell: Callable[[int, int], float]) -> list[list[float]]:
    """A constant by row and column.

    Raises:
        ConfigError: It would be too large.
    """
    if rows * columns > MOST:
        raise ConfigError(f"a constant of {rows * columns:,} numbers")
    return [[cell(row, column) for column in range(columns)] for row in range(rows)]


def floating(call: LayerCall, x: Any) -> Any:
    """An operand in floating point numbers; a constant as it is."""
    whole_numbers = isinstance(x, Value) and not x.dtype.startswith(FLOATING)
    return cast(call, x, "float32") if whole_numbers else x


def _median(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """The middle of the sorted numbers along an axis, or the mean of the two in the middle."""
    x, axes = floating(call, tensor(operands)), numbers(arguments.get("axis"))
    if axes is None or len(axes) != 1:
        raise ConfigError("a median along several axes")
    place = place_of(call, x, axes[0])
    count = size_of(call.axes(x)[place])
    if count is None:
        raise ConfigError("a median of an unknown count")
    ranked = sorted_along(call, x, place, places=False)
    middle = {"start": (count - 1) // 2, "stop": count // 2 + 1, "step": None}
    found = sliced(call, ranked, [*([ALL] * place), middle])
    keep = bool(arguments.get("keepdims"))
    return tensors.reduced(call, found, "mean", [place], keepdims=keep, part="median")


def _many_hot(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x, classes = tensor(operands), whole(arguments.get("num_classes", arguments.get("num_tokens")))
    if arguments.get("axis") not in (None, -1) or classes is None or classes < 1:
        raise ConfigError(f"multi_hot of {classes} classes, or along another axis than the last")
    if classes > MOST:
        raise ConfigError(f"multi_hot of {classes:,} classes, more than {MOST:,}")
    hot = one_hot(call, x, classes)
    return tensors.reduced(call, hot, "max", [1], keepdims=False, part="multi_hot")


def _differences(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    x, times = tensor(operands), whole(arguments.get("n"), 1)
    place = place_of(call, x, whole(arguments.get("axis"), -1))
    if not 0 <= times <= OFTEN:
        raise ConfigError(f"differences taken {times:,} times")
    for _ in range(times):
        later = sliced(call, x, [*([ALL] * place), {**ALL, "start": 1}])
        sooner = sliced(call, x, [*([ALL] * place), {**ALL, "stop": -1}])
        x = combined(call, "subtract", later, sooner)
    return x


def _diagonal(*, summed: bool) -> Operation:
    """The diagonal of the last two axes: all but it is nothing, and summed away."""

    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        x = floating(call, tensor(operands))
        axes = [place_of(call, x, whole(arguments.get(f"axis{n}"), n - 1)) for n in (1, 2)]
        rank = len(call.axes(x))
        rows, columns = (size_of(term) for term in call.axes(x)[-2:])
        if axes != [rank - 2, rank - 1] or rows is None or columns is None:
            raise ConfigError("a diagonal of other than the last two axes, or of unknown extents")
        if rows != columns:
            rows = min(rows, columns)
            x = sliced(call, x, [*([ALL] * (rank - 2)), *([{**ALL, "stop": rows}] * 2)])
        if whole(arguments.get("offset"), 0):
            raise ConfigError("a diagonal beside the middle one")
        kept = table(rows, rows, lambda row, column: float(row == column))
        alone = combined(call, "multiply", x, kept)
        gone = [rank - 2, rank - 1] if summed else [rank - 2]
        return tensors.reduced(call, alone, "sum", gone, keepdims=False, part="diagonal")

    return translate


def _digitized(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """How many bounds are not above each number."""
    x, bounds = tensor(operands[:1]), operands[1] if len(operands) > 1 else arguments.get("bins")
    if not isinstance(bounds, list):
        raise ConfigError("digitize by bounds that are no list")
    return digitized(call, floating(call, x), bounds, "int32")


# ---- images --------------------------------------------------------------------------------------


def _resize(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """`ops.image.resize`, of the whole image."""
    x, size = tensor(operands), numbers(arguments.get("size"))
    if any(arguments.get(f"{way}_to_aspect_ratio") for way in ("crop", "pad")):
        raise ConfigError("an image resized to another aspect ratio by an operation")
    ports = call.spatial(x, arguments.get("data_format") or "channels_last", 2)
    method = str(arguments.get("interpolation") or "bilinear")
    return resampled(call, x, size, method, ports, antialias=bool(arguments.get("antialias")))


def _edge(extent: int, stated: Sequence[Any], what: str) -> tuple[int, int]:
    """Rows cut off, or added, before and behind; one of these may follow from the size wanted."""
    first, last, target = map(whole, stated)
    rest = 0 if target is None else abs(extent - target)
    first = rest - (last or 0) if first is None else first
    last = rest - first if last is None else last
    if min(first, last) < 0:
        raise ConfigError(f"an image with {what} of {first} and {last}")
    return first, last


def _fitted(what: str) -> Operation:
    """An image without some rows and columns at its edges, or with more."""

    def translate(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
        x = tensor(operands)
        ports = call.spatial(x, arguments.get("data_format") or "channels_last", 2)
        height, width = (size_of(term) for term in ports.space)
        if height is None or width is None:
            raise ConfigError(f"{what} of an image of unknown size")
        edges = [
            _edge(extent, [arguments.get(key) for key in keys], what)
            for extent, keys in (
                (height, (f"top_{what}", f"bottom_{what}", "target_height")),
                (width, (f"left_{what}", f"right_{what}", "target_width")),
            )
        ]
        if what == "cropping":
            return cropped(call, x, edges, ports, "")
        around = [(0, 0), *edges] if ports.channels_first else [*edges, (0, 0)]
        return padded(call, x, [(0, 0), *around])

    return translate


# ---- attention -----------------------------------------------------------------------------------


def _attended(call: LayerCall, operands: Sequence[Any], arguments: Arguments) -> Value:
    """`ops.dot_product_attention`: batch, positions, heads, features, each of as many heads."""
    query, key, value = exactly(operands[:3], 3, "dot_product_attention")
    told = {**arguments, **dict(zip(("bias", "mask", "scale"), operands[3:], strict=False))}
    if not all(isinstance(x, Value) and len(call.axes(x)) == 4 for x in (query, key, value)):
        raise ConfigError("an attention of tensors that are not of four axes")
    if size_of(call.axes(query)[2]) != size_of(call.axes(key)[2]):
        raise ConfigError("an attention whose queries and keys are of different heads")
    stated = number(told.get("scale"))
    scale = 1 / math.sqrt(size_of(call.axes(query)[3]) or 1) if stated is None else stated
    scores = contraction.einsum(call, "btnh,bsnh->bnts", [query, key])
    scores = affine(call, scores, scale, 0.0)
    if told.get("bias") is not None:
        scores = combined(call, "add", scores, told["bias"])
    masks = [] if told.get("mask") is None else [told["mask"]]
    if told.get("is_causal"):
        rows, columns = (size_of(term) for term in call.axes(scores)[2:])
        if rows is None or columns is None:
            raise ConfigError("a causal attention over positions of unknown count")
        masks.append(table(rows, columns, lambda row, column: column <= row))
    for mask in masks:
        scores = chosen(call, mask, scores, FURTHEST)
    weights = along(call, scores, Softmax(), (-1,))
    return contraction.einsum(call, "bnts,bsnh->btnh", [weights, value])


_SIDES, _EDGES = ("top", "bottom", "left", "right"), ("target_height", "target_width")

COMPOSED_PLACES: Mapping[str, Kind] = {
    "median": kind(_median, "axis", "keepdims"),
    "multi_hot": kind(_many_hot, "num_classes", "num_tokens", "axis"),
    "diff": kind(_differences, "n", "axis"),
    "diagonal": kind(_diagonal(summed=False), "offset", "axis1", "axis2"),
    "trace": kind(_diagonal(summed=True), "offset", "axis1", "axis2"),
    "digitize": kind(_digitized, "bins"),
    "crop_images": kind(
        _fitted("cropping"), *(f"{side}_cropping" for side in _SIDES), *_EDGES, "data_format"
    ),
    "pad_images": kind(
        _fitted("padding"), *(f"{side}_padding" for side in _SIDES), *_EDGES, "data_format"
    ),
    "image_resize": kind(
        _resize, "size", "interpolation", "antialias", "data_format", "crop_to_aspect_ratio",
        "pad_to_aspect_ratio", "fill_mode", "fill_value",
    ),
    "dot_product_attention": kind(
        _attended, "bias", "mask", "scale", "is_causal", "flash_attention"
    ),
}  # fmt: skip
"""By the name that the tables of `eras` use."""
