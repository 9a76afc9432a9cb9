"""How numbers, sizes, times and names are written."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..errors import show

UNITS = ("KiB", "MiB", "GiB", "TiB")
NAMED = 3


def count(number: int, noun: str = "", plural: str = "") -> str:
    """Such as `2,239,914`, or with a noun `1 kernel`, `5 kernels`."""
    text = f"{number:,}"
    if not noun:
        return text
    return f"{text} {noun if number == 1 else plural or noun + 's'}"


def size(number: int) -> str:
    """Bytes: `133 bytes`, `33.6 KiB`, `17.1 MiB`."""
    if number < 1024:
        return count(number, "byte")
    power = min((number.bit_length() - 1) // 10, len(UNITS))
    return f"{number / (1 << 10 * power):.1f} {UNITS[power - 1]}"


def duration(seconds: float) -> str:
    """Such as `0.2 s`, `4 min 10 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def error(value: float) -> str:
    """A relative error in two digits; what is no number has none."""
    if math.isnan(value):
        return "-"
    if value == 0 or 0.01 <= value < 100:
        return f"{value:.2g}"
    return f"{value:.1e}"


def names(found: Sequence[str]) -> str:
    """Up to three names, then how many more."""
    shown = ", ".join(show(name, 60) for name in found[:NAMED])
    more = len(found) - NAMED
    return f"{shown} and {more:,} more" if more > 0 else shown


def file(path: str) -> str:
    """A path as typed; quoted if it holds blanks."""
    text = show(path)
    return f'"{text}"' if " " in text else text


def number(value: float) -> str:
    """A setting: `0.01` where a file's float32 says 0.009999999776."""
    return f"{value:.6g}"
