"""What the nodes of an RNN over several cells are called: as parts of its layer."""

from __future__ import annotations

TURNED_MASK = "turned_mask"
"""A mask in the order that the cells behind the first walk."""

FILLED = "filled"
"""What the last cell gives, and the first one's state where a step is absent."""

_CELL = "cell_"


def of_half(half: str, part: str) -> str:
    """A part, of one half of a Bidirectional if one is named."""
    return f"{half}_{part}" if half else part


def cell_part(index: int, half: str = "") -> str:
    """The node of one cell."""
    return of_half(half, f"{_CELL}{index}")


def cell_number(part: str) -> int | None:
    """Which cell a node is, of whichever half; None if it is none."""
    *_, number = part.rpartition("_")
    is_cell = number.isdecimal() and part.removesuffix(number).endswith(_CELL)
    return int(number) if is_cell else None


def is_between(part: str) -> bool:
    """Whether a node turns a mask for the cells of a half, or fills what they leave out."""
    return part.endswith((TURNED_MASK, FILLED))
