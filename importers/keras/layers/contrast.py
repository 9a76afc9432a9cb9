"""Contrast of images: by their darkest and brightest places, or by how often each level comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....errors import ConfigError
from ....ir.graph import Value
from ....ir.layout import size_of
from .. import computed
from ..call import LayerCall
from ..registry import Config, translates
from .arithmetic import cast, chosen, combined
from .arrangement import cumulated, one_hot, padded, taken
from .scaling import affine
from .tensors import permuted, reduced, reshaped

LEVELS = 256
"""Levels of brightness that are counted."""


class ContrastConfig(Config, frozen=True, kw_only=True):
    """What AutoContrast reads."""

    value_range: tuple[float, float] = (0, 255)
    data_format: str | None = None
    bounding_box_format: Any = None
    factor: Any = None


class ClaheConfig(Config, frozen=True, kw_only=True):
    """What ContrastLimitedAdaptiveHistogramEqualization reads."""

    value_range: tuple[float, float] = (0, 255)
    clip_limit: float = 4.0
    tile_grid_size: tuple[int, int] = (8, 8)
    data_format: str | None = None
    bounding_box_format: Any = None
    factor: Any = None


def _between(call: LayerCall, x: Value, have: Sequence[float], want: Sequence[float]) -> Value:
    """Numbers of one range in another.

    Source: Keras 3.15 `base_image_preprocessing_layer.py` (`_transform_value_range`).
    """
    if tuple(have) == tuple(want):
        return x
    if have[0] == have[1]:
        raise ConfigError(f"a value_range of {tuple(have)}")
    scale = (want[1] - want[0]) / (have[1] - have[0])
    return affine(call, x, scale, want[0] - have[0] * scale)


def _clipped(call: LayerCall, x: Value, most: float) -> Value:
    """Numbers from 0 to so many."""
    return combined(call, "minimum", combined(call, "maximum", x, 0.0), most)


@translates("AutoContrast", config=ContrastConfig)
def auto_contrast(call: LayerCall, x: Value) -> Value:
    """AutoContrast: each image's least number becomes the least of the range, its largest that.

    Along the second and third axis, whatever they are; where all are alike they stay.
    Source: Keras 3.15 `image_preprocessing/auto_contrast.py` (`transform_images`).
    """
    config: ContrastConfig = call.config  # type: ignore[assignment]
    if call.batch != 1 or len(call.axes(x)) != 4:
        raise ConfigError(f"AutoContrast of an input {x.layout}")
    low, high = sorted(config.value_range)
    x = cast(call, x, "float32")
    seen = _between(call, x, (low, high), (0, LEVELS - 1))
    least, most = (reduced(call, seen, kind, (1, 2), keepdims=True, part=kind)
                   for kind in ("min", "max"))  # fmt: skip
    alike = combined(call, "equal", least, most)
    span = chosen(call, alike, 1.0, combined(call, "subtract", most, least))
    scale = combined(call, "divide", float(LEVELS - 1), span)
    raised = combined(call, "multiply", combined(call, "subtract", seen, least), scale)
    clipped = _clipped(call, raised, LEVELS - 1.0)
    return chosen(call, alike, x, _between(call, clipped, (0, LEVELS - 1), (low, high)))


@translates("ContrastLimitedAdaptiveHistogramEqualization", config=ClaheConfig)
def clahe(call: LayerCall, x: Value) -> Value:
    """Levels by how often darker ones come in the tiles around; no level counts above a limit.

    Source: Keras 3.15 `image_preprocessing/clahe.py` (`_clahe`).
    """
    config: ClaheConfig = call.config  # type: ignore[assignment]
    axes = call.axes(x)
    if call.batch != 1 or len(axes) != 4:
        raise ConfigError(f"{call.class_name} of an input {x.layout}")
    first = call.era.data_format(config.data_format) == "channels_first"
    x = cast(call, x, "float32")
    if first:
        x = permuted(call, x, (2, 3, 1), part="channels_last")
    height, width = (size_of(term) for term in call.axes(x)[1:3])
    if height is None or width is None or min(config.tile_grid_size) < 1:
        raise ConfigError("equalization of images of unknown size", hint="give the input a shape")
    tiles = [
        -(-n // count) for n, count in zip((height, width), config.tile_grid_size, strict=True)
    ]
    shades = _between(call, x, config.value_range, (0, LEVELS - 1))
    whole = [[0, count * tile - n] for n, count, tile in
             zip((height, width), config.tile_grid_size, tiles, strict=True)]  # fmt: skip
    wide = (
        padded(call, shades, [[0, 0], *whole, [0, 0]], "symmetric")
        if any(map(any, whole))
        else shades
    )
    level = cast(call, _clipped(call, wide, LEVELS - 1.0), "int32", part="level")
    shares = _shares(call, level, config, tiles)
    y = _interpolated(call, one_hot(call, level, LEVELS), shares, config.tile_grid_size, tiles)
    for axis, size in ((1, height), (2, width)):
        if size_of(call.axes(y)[axis]) != size:
            y = taken(call, y, axis, range(size))
    y = _between(call, y, (0, LEVELS - 1), config.value_range)
    return permuted(call, y, (3, 1, 2), part="channels_first") if first else y


def _shares(call: LayerCall, level: Value, config: ClaheConfig, tiles: Sequence[int]) -> Value:
    """What each level becomes in each tile: rows of tiles, tiles, channels, levels."""
    (rows, columns), (tall, wide) = config.tile_grid_size, tiles
    channels = size_of(call.axes(level)[3])
    if channels is None:
        raise ConfigError("equalization of images with unknown channels")
    cut = reshaped(call, level, (rows, tall, columns, wide, channels), part="tiles")
    cut = permuted(call, cut, (1, 3, 5, 2, 4), part="tile_by_tile")
    cut = reshaped(call, cut, (rows, columns, channels, tall * wide), part="pixels")
    counts = reduced(call, one_hot(call, cut, LEVELS), "sum", (4,), keepdims=False, part="count")
    if config.clip_limit > 0:
        limit = computed.single(config.clip_limit * tall * wide / LEVELS)
        kept = _clipped(call, counts, limit)
        beyond = combined(call, "subtract", counts, kept)
        beyond = reduced(call, beyond, "sum", (4,), keepdims=True, part="beyond")
        counts = combined(call, "add", kept, combined(call, "multiply", beyond, 1 / LEVELS))
    below = cumulated(call, counts, 4)
    least = reduced(call, below, "min", (4,), keepdims=True, part="least")
    rest = combined(call, "subtract", float(tall * wide), least)
    rest = chosen(call, combined(call, "equal", rest, 0.0), 1.0, rest)
    above = combined(call, "multiply", combined(call, "subtract", below, least), LEVELS - 1.0)
    return _clipped(call, combined(call, "divide", above, rest), LEVELS - 1.0)


def _interpolated(
    call: LayerCall, hot: Value, shares: Value, grid: Sequence[int], tiles: Sequence[int]
) -> Value:
    """At each place the means of what the four tiles around it say, by their nearness."""
    by_axis = [computed.around(count, tile) for count, tile in zip(grid, tiles, strict=True)]
    (upper, lower, down), (left, right, across) = by_axis
    sides = []
    for rows in (upper, lower):
        found = taken(call, shares, 1, rows)
        ends = []
        for columns in (left, right):
            each = combined(call, "multiply", hot, taken(call, found, 2, columns))
            ends.append(reduced(call, each, "sum", (4,), keepdims=False, part="level"))
        sides.append(_mixed(call, ends, [[[[share] for share in one]] for one in across]))
    return _mixed(call, sides, [[[[share]] for share in one] for one in down])


def _mixed(call: LayerCall, pair: Sequence[Value], shares: Sequence[Any]) -> Value:
    first, second = (
        combined(call, "multiply", one, share) for one, share in zip(pair, shares, strict=True)
    )
    return combined(call, "add", first, second)
