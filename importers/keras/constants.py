"""Numbers that stand in a configuration, not among the weights: scales, offsets, operands."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ConfigError
from ...ir.source import ArraySource

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
        found = np.asarray(value, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigError("a constant that is no array of numbers") from error
    if found.size > MOST or not np.isfinite(found).all():
        raise ConfigError(f"a constant of {found.size:,} numbers, or one that is not finite")
    return ArraySource(found, "a constant of the configuration")
