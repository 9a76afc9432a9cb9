"""Learning rates that are functions of the step: what they are called, and where they begin.

Source: Keras 3.15 and tf-keras 2.21 `optimizers/schedules/learning_rate_schedule.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

FIRST_OF = ("initial_learning_rate", "values")
"""Keys that say the rate at the first step; of a list its first number."""


class Schedule(NamedTuple):
    """What a file says of a schedule.

    Attributes:
        name: Its class; "" if nothing says.
        initial: The rate before the first step; None if nothing says.
        decay: The `decay` of Keras 1 and 2 that lowers the rate alike, r / (1 + decay * steps);
            None if there is none.
    """

    name: str
    initial: float | None
    decay: float | None


def read_schedule(stated: Mapping[str, object]) -> Schedule:
    """Read a schedule as it stands in an optimizer's configuration; it may hold anything."""
    name = str(stated.get("class_name") or "").rsplit(">", 1)[-1]
    held = stated.get("config")
    config = held if isinstance(held, Mapping) else {}
    firsts = (_number(config.get(key)) for key in FIRST_OF)
    initial = next((first for first in firsts if first is not None), None)
    rate, steps = _number(config.get("decay_rate")), _number(config.get("decay_steps"))
    inverse = name == "InverseTimeDecay" and not config.get("staircase")
    decay = rate / steps if inverse and rate is not None and steps else None
    return Schedule(name, initial, decay)


def _number(value: object) -> float | None:
    if isinstance(value, list) and value:
        return _number(value[0]) if not isinstance(value[0], list) else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if math.isfinite(value) else None
