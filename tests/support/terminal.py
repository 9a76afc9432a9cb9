"""A stream that says of itself what a terminal, or a pipe, would say."""

from __future__ import annotations

import io


class Stream(io.StringIO):
    """Text that is kept, with a terminal's answers."""

    def __init__(self, terminal: bool = True, encoding: str = "utf-8") -> None:
        super().__init__()
        self._terminal, self._encoding = terminal, encoding

    def isatty(self) -> bool:
        return self._terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding
