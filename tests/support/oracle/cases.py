"""Designed corner cases: small models, each of which breaks some plausible shortcut about layouts.

`CASES` maps a name to a function that builds the case, `examples()` builds them all. Sizes are
unequal wherever the case allows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from . import (  # ruff: ignore[unused-import] - each registers its cases
    cases_axes,
    cases_features,
    cases_layers,
    cases_sharing,
)
from .designed import CASES
from .example import Example

__all__ = ["CASES", "examples"]


def examples() -> Iterator[Example]:
    """Every case, built."""
    return (build() for build in CASES.values())
