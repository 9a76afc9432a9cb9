"""How records are shown by `print` and in notebooks: said by whoever can, asked for here.

A model is at the bottom of the tree, what draws it at the top; this table is where they meet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TEXTS: dict[str, Callable[[Any], str]] = {}
"""What `str` gives, by the name of a class."""

CARDS: dict[str, Callable[[Any], str]] = {}
"""HTML for notebooks, by the name of a class."""


class Shown:
    """A record that `print` and notebooks show as the command line does, once that is at hand."""

    __slots__ = ()

    def __str__(self) -> str:
        show = TEXTS.get(type(self).__name__)
        return repr(self) if show is None else show(self)

    def _repr_html_(self) -> str | None:
        """A card for notebooks; reads no number of a weight."""
        show = CARDS.get(type(self).__name__)
        return None if show is None else show(self)
