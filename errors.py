"""What kerasir raises on purpose: one class per thing a caller would handle differently."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Self


def show(text: str, limit: int = 200) -> str:
    """Text from a file, made fit for a message: unprintable characters escaped, cut if long."""
    if text.isprintable() and len(text) <= limit:
        return text
    head = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:limit])
    return head if len(text) <= limit else f"{head}..."


class KerasirError(Exception):
    """Base of every error kerasir raises on purpose.

    Args:
        what: What is wrong, one sentence with the values expected and found.
        file: The file it happened in; "" when not known yet.
        where: A layer, `layer/weight` or a path inside the file; "" when not known yet.
        hint: What the reader can do about it: an imperative or an option.
        details: Further lines, one fact each, printed indented below the message.
    """

    def __init__(
        self,
        what: str,
        *,
        file: str = "",
        where: str = "",
        hint: str = "",
        details: Iterable[str] = (),
    ) -> None:
        super().__init__(what)
        self.what, self.file, self.where, self.hint = what, file, where, hint
        self.details = tuple(details)

    def at(self, where: str = "", *, file: str = "") -> Self:
        """Add the place as the error climbs (weight, layer, file); what is set already stays."""
        self.where = self.where or where
        self.file = self.file or file
        return self

    def __str__(self) -> str:
        head = ": ".join(part for part in (self.file, self.where, self.what) if part)
        hint = f" ({self.hint})" if self.hint else ""
        return head + hint + "".join(f"\n  {line}" for line in self.details)


class FormatError(KerasirError):
    """A file that is no Keras file, is damaged, or breaks a limit."""


class CrashError(FormatError):
    """The process that read a file died or ran out of its allowance."""


class ConfigError(KerasirError):
    """A model configuration that says something kerasir cannot honour."""


class UnsupportedLayerError(KerasirError):
    """Layers without a translator; all of them are named at once."""


class WeightError(KerasirError):
    """A stored weight that does not fit what its layer's configuration implies."""


class LayoutError(KerasirError):
    """Layouts that disagree, or a layout text that cannot be read."""


class CheckError(LayoutError):
    """The checker found a graph whose layouts do not agree."""


class PassError(KerasirError):
    """A pass that is unknown, misused, or broke what it promised."""


class ExportError(KerasirError):
    """A model that the target cannot express."""


class VerifyError(KerasirError):
    """Two models that should compute the same do not."""


class PluginError(KerasirError):
    """A plugin that cannot be loaded, or claims a name that is taken."""


class UsageError(KerasirError):
    """A request that cannot be carried out as it was put (exit code 2)."""


class ExistsError(UsageError):
    """A target that is there and may not be replaced (exit code 1: the next run may succeed)."""


def no_such_file(path: str) -> FormatError:
    """The error for a file that is not there; one of almost its name is asked about."""
    import difflib

    folder, name = os.path.split(path)
    hint = ""
    if path == "-":
        hint = "standard input is no file: a model is read from many places at once"
    elif folder and not os.path.isdir(folder):
        hint = f"there is no folder {folder} either"
    elif near := difflib.get_close_matches(name, names_in(folder), 1, 0.8):
        hint = f"did you mean {os.path.join(folder, near[0])}?"
    return FormatError("there is no such file", file=path, hint=hint)


def names_in(folder: str) -> list[str]:
    """What is in a folder, "" for this one; nothing where that cannot be seen."""
    try:
        return os.listdir(folder or ".")
    except OSError:  # one that may be entered and not listed
        return []
