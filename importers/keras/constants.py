"""Numbers that stand in a configuration, not among the weights: scales, offsets, operands."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import ConfigError
from ...ir.source import Array, ArraySource, Source

MOST = 1 << 20
"""Numbers that one constant may hold; a weight would not be written as text."""


def number(value: Any) -> float | None:
    """A single number, as such or alone in lists; None for anything else."""
    while isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value)


def array(value: Any, dtype: str = "float32") -> ArraySource:
    """Numbers in lists within lists, in single precision as every era computes with them.

    Args:
        value: As the configuration has it.
        dtype: Another one, for whole numbers and truth values.

    Raises:
        ConfigError: They are ragged, too many, or no numbers.
    """
    try:
        with np.errstate(over="ignore"):  # what single precision cannot hold is refused below
            found = np.asarray(value, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigError("a constant that is no array of numbers") from error
    if found.size > MOST or not np.isfinite(found).all():
        raise ConfigError(f"a constant of {found.size:,} numbers, or one that is not finite")
    return ArraySource(found, "a constant of the configuration")


def held_numbers(source: Source) -> Array:
    """A few stored numbers, which operations are told.

    Raises:
        ConfigError: They are too many.
    """
    count = math.prod(source.shape)
    if not 0 < count <= MOST:
        raise ConfigError(f"{count:,} numbers where 1 to {MOST:,} are expected")
    held = np.empty(count, source.dtype)
    source.read_into(0, held)
    return held


def learnt_boundaries(summary: Source, bins: int) -> list[float]:
    """The boundaries between bins that hold alike many, by a summary of what was adapted to.

    Source: tf-keras 2.21 `discretization.py` (`get_bin_boundaries`, `_compress_summary_numpy`).

    Raises:
        ConfigError: It is no summary.
    """
    if len(summary.shape) != 2 or summary.shape[0] != 2:
        raise ConfigError(f"a Discretization with a summary of shape {summary.shape}")
    numbers, counts = held_numbers(summary).reshape(2, -1)
    share = 1.0 / bins
    if len(numbers) * share >= 1:
        places = share + np.arange(0.0, 1.0, share)
        reached = counts.cumsum()
        numbers = np.interp(places, reached / reached[-1], numbers).astype("float32")
    return [float(number) for number in numbers[:-1]]
