"""How a designed case is declared: a function that builds it, in few words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .builder import Keras, Tensor
from .example import Example

FIRST: dict[str, Any] = {"data_format": "channels_first"}
LAST: dict[str, Any] = {"data_format": "channels_last"}

CASES: dict[str, Callable[[], Example]] = {}
"""What builds a case, by its name."""


def case(build: Callable[[Keras], Example]) -> Callable[[Keras], Example]:
    """Register a case; it is given a session whose layers are channels_first by default."""
    name = build.__name__

    def named() -> Example:
        return build(Keras("channels_first"))._replace(name=name)

    assert name not in CASES, name
    CASES[name] = named
    return build


def conv(k: Keras, x: Tensor, filters: int, size: int = 2, **config: Any) -> Tensor:
    return k("Conv2D", x, filters=filters, kernel_size=size, **config)


def dense(k: Keras, x: Tensor, units: int) -> Tensor:
    return k("Dense", x, units=units)
