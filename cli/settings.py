"""What every command is told: how much to print, in which form, in colour or not."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from .. import __version__
from .console import Console, When


class Settings:
    """The options that every command takes, before or after its name.

    Attributes:
        quiet: Only errors.
        verbose: 0, or more for each layer and each weight.
        json: One JSON document on stdout in place of text.
        color: When to colour.
        debug: Show where an error arose.
    """

    def __init__(self) -> None:
        self.quiet = self.json = self.debug = False
        self.verbose = 0
        self.color: When = "auto"

    @cached_property
    def out(self) -> Console:
        """stdout: answers."""
        return Console(sys.stdout, self.color)

    @cached_property
    def err(self) -> Console:
        """stderr: everything else."""
        return Console(sys.stderr, self.color)

    def document(self, schema: str, ok: bool, body: Mapping[str, Any]) -> None:
        """Print one JSON document: indented on a terminal, one line elsewhere.

        Everything beyond ASCII is escaped, as names in files may hold what terminals obey.
        """
        indent = 2 if self.out.terminal else None
        self.out.stream.write(document(schema, ok, body, indent=indent) + "\n")


def document(schema: str, ok: bool, body: Mapping[str, Any], *, indent: int | None = None) -> str:
    """A JSON document that begins as all of them do."""
    import json

    whole = {"schema": f"kerasir.{schema}", "kerasir": __version__, "ok": ok, **body}
    text = json.dumps(_plain(whole), indent=indent, allow_nan=False)
    return text.replace("\x7f", "\\u007f")


def _plain(value: Any) -> Any:
    """Numbers that JSON lacks as texts, tuples as lists."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value
