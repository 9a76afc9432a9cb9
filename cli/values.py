"""What the value of an option has to be, and what is said of one that is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import click

from ..errors import UsageError


class OneOf(click.ParamType):  # type: ignore[type-arg]
    """A word out of a few.

    Args:
        words: Those allowed.
        synonyms: What others call them, for the message.
    """

    name = "word"

    def __init__(self, *words: str, synonyms: Mapping[str, str] | None = None) -> None:
        self.words, self.synonyms = words, synonyms or {}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word, if it is one.

        Raises:
            UsageError: It is none.
        """
        if value in self.words:
            return str(value)
        meant = self.synonyms.get(str(value).lower())
        others = [word for word in self.words if word != meant]
        if meant:
            hint = f"{meant} means that; or {', '.join(others)}"
        else:
            hint = near(str(value), self.words) or f"one of {', '.join(self.words)}"
        raise UsageError(f"no {value!r}", where=param.opts[0] if param else "", hint=hint)


class Written(click.ParamType):  # type: ignore[type-arg]
    """A value that is written in a form of its own, such as `OLD=NEW`.

    Attributes:
        what: What the message calls it.
        hint: How it is written.
    """

    what: ClassVar[str]
    hint: ClassVar[str]

    def parsed(self, text: str) -> Any:
        """What is meant; None if it is written otherwise."""
        raise NotImplementedError

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """What is meant.

        Raises:
            UsageError: It is written otherwise.
        """
        found = value if isinstance(value, tuple) else self.parsed(str(value))
        if found is None:
            where = param.opts[0] if param else ""
            raise UsageError(f"no {self.what} {value!r}", where=where, hint=self.hint)
        return found


class FeatureMap(Written):
    """A layer and the feature map that is flattened before it: `LAYER=C,H,W`."""

    name = "map"
    what = "feature map"
    hint = "write LAYER=C,H,W, such as fc1=512,7,7"

    def parsed(self, text: str) -> tuple[str, tuple[int, ...]] | None:
        """The layer's name; channels, height and width."""
        found = _named_extents(text)
        return found if found is not None and len(found[1]) == 3 else None


class InputShape(Written):
    """An input and its whole shape: `NAME=1,224,224,3`."""

    name = "shape"
    what = "shape"
    hint = "write NAME=N,…, such as input_1=1,224,224,3"

    def parsed(self, text: str) -> tuple[str, tuple[int, ...]] | None:
        """The input's name; its extents."""
        return _named_extents(text)


class Formula(Written):
    """A layer and what it computes: `NAME=EXPR`."""

    name = "formula"
    what = "formula"
    hint = 'write NAME=EXPR, such as lambda_1="x / 127.5 - 1"'

    def parsed(self, text: str) -> tuple[str, str] | None:
        """The layer's name; the expression, which is looked at when the layer is there."""
        name, _, formula = text.partition("=")
        return (name, formula) if name and formula.strip() else None


class BatchSize(Written):
    """The size of a batch, or what one of open size is called."""

    name = what = "batch"
    hint = "a number from 1, or a name"

    def parsed(self, text: str) -> int | str | None:
        """The size; or the name."""
        if text.isdecimal() and int(text):
            return int(text)
        return text if text.isidentifier() else None


class NewName(Written):
    """A name and what is to stand in its place: `OLD=NEW`."""

    name = "names"
    what = "pair of names"
    hint = "write OLD=NEW"

    def parsed(self, text: str) -> tuple[str, str] | None:
        """Both names."""
        old, _, new = text.partition("=")
        return (old, new) if old and new else None


def _named_extents(text: str) -> tuple[str, tuple[int, ...]] | None:
    """A name, which may hold `=` itself, and extents behind the last one."""
    name, _, extents = text.rpartition("=")
    parts = extents.split(",")
    return (name, tuple(map(int, parts))) if name and all(p.isdecimal() for p in parts) else None


def near(name: str, known: Sequence[str]) -> str:
    """A question for the one of these that may have been meant; "" if none is like it."""
    import difflib

    found = difflib.get_close_matches(name, known, 1, 0.7)
    return f"did you mean {found[0]}?" if found else ""
