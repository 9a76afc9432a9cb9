"""Output streams: colour, width, symbols, tables. Nothing here knows what is printed."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TextIO

TIMES = "\N{MULTIPLICATION SIGN}"
When = Literal["auto", "always", "never"]
Row = Sequence[str]

STYLES: Mapping[str, tuple[int, int]] = {
    "bold": (1, 22),
    "dim": (2, 22),
    "red": (31, 39),
    "green": (32, 39),
    "yellow": (33, 39),
    "magenta": (35, 39),
    "cyan": (36, 39),
}
"""Sixteen-colour ANSI codes, on and off, so that a terminal's own theme holds."""

ASCII: Mapping[int, str] = str.maketrans({
    "✓": "ok", "✗": "FAIL", "→": "->", "·": "-", TIMES: "x", "…": "...", "—": "-", "━": "=",
    "≠": "!=", "▇": "",
})  # fmt: skip
"""What symbols become on a stream that is not UTF-8."""

_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_TERM = re.compile(r"~[\w.']+(?::[\d?]+)?|[(){}|]")
GAP = "  "


class Console:
    """One stream.

    Attributes:
        stream: Where text goes.
        terminal: Whether a person looks at it as it is.
        moves: Whether its lines can be drawn anew, which a dumb terminal cannot.
        color: Whether it takes colour.
        width: Columns; None for a stream that is no terminal, where nothing is cut.
        unicode: Whether it can show symbols.
    """

    def __init__(self, stream: TextIO, when: When = "auto") -> None:
        self.stream = stream
        self.terminal = _is_terminal(stream)
        self.moves = self.terminal and os.environ.get("TERM") != "dumb"
        self.color = _wants_color(when, self.terminal)
        self.width = _columns(stream) if self.terminal else None
        self.unicode = (getattr(stream, "encoding", None) or "").lower().replace("-", "") == "utf8"

    def print(self, line: str = "") -> None:
        """Write a line; trailing blanks are left out."""
        self.stream.write(self.plain(line.rstrip(" ")) + "\n")

    def plain(self, text: str) -> str:
        """The text with the symbols that the stream can show."""
        return text if self.unicode else text.translate(ASCII)

    def paint(self, text: str, *styles: str) -> str:
        """The text in these styles, where the stream takes colour."""
        if not self.color or not text:
            return text
        for style in styles:
            on, off = STYLES[style]
            text = f"\x1b[{on}m{text}\x1b[{off}m"
        return text

    def tag(self, text: str) -> str:
        """A layout: cyan, with what is reversed or fused in magenta."""
        if not self.color:
            return text
        pieces, at = [], 0
        for match in _TERM.finditer(text):
            pieces += [self.paint(text[at : match.start()], "cyan")]
            pieces += [self.paint(match[0], "magenta")]
            at = match.end()
        return "".join([*pieces, self.paint(text[at:], "cyan")])

    def table(
        self,
        rows: Iterable[Row],
        *,
        indent: str = GAP,
        right: Iterable[int] = (),
        cut_last: bool = False,
    ) -> None:
        """Write columns separated by two blanks, each as wide as its widest cell.

        Args:
            rows: Cells, painted or not; short rows leave their last columns empty. A row of one
                cell is a remark: it runs across the columns.
            indent: Before each row.
            right: Columns aligned at their right ends.
            cut_last: Shorten the last cell of a row that is too wide for the terminal; where it is
                cut, it loses its styles.
        """
        listed = [[self.plain(cell) for cell in row] for row in rows]
        if not listed:
            return
        ends = set(right)
        columns = max(map(len, listed))
        full = [row for row in listed if len(row) > 1]
        widths = [
            max((width_of(r[c]) for r in full if c < len(r)), default=0) for c in range(columns)
        ]
        for row in listed:
            cells = [_padded(cell, widths[c], c in ends) for c, cell in enumerate(row)]
            line = indent + GAP.join(cells)
            if cut_last and self.width is not None and width_of(line.rstrip()) > self.width:
                head = indent + GAP.join([*cells[:-1], ""])
                line = head + cut(
                    unpainted(cells[-1]).rstrip(), max(1, self.width - width_of(head))
                )
            self.print(line)


def unpainted(text: str) -> str:
    """A text without its styles."""
    return _ESCAPE.sub("", text)


def width_of(text: str) -> int:
    """Columns that a text takes on a terminal."""
    bare = unpainted(text)
    if bare.isascii():
        return len(bare)
    wide = sum(unicodedata.east_asian_width(c) in {"W", "F"} for c in bare)
    combining = sum(unicodedata.combining(c) > 0 for c in bare)
    return len(bare) + wide - combining


def cut(text: str, width: int) -> str:
    """An unpainted text, shortened to a width with `…` at its end."""
    if width_of(text) <= width:
        return text
    while text and width_of(text) > width - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"


def wrapped(text: str, width: int | None, first: int = 0) -> list[str]:
    """An unpainted text in lines of a width, words whole; the first has `first` columns less."""
    if width is None:
        return [text]
    lines, line, room = [], "", width - first
    for word in text.split(" "):
        candidate = f"{line} {word}" if line else word
        if line and width_of(candidate) > room:
            lines.append(line)
            line, room = word, width
        else:
            line = candidate
    return [*lines, line]


def _padded(cell: str, width: int, right: bool) -> str:
    blanks = " " * (width - width_of(cell))
    return blanks + cell if right else cell + blanks


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # closed, or a stand-in
        return False


def _columns(stream: TextIO) -> int:
    """The width of a terminal; COLUMNS overrules it."""
    said = os.environ.get("COLUMNS", "")
    try:
        return (
            int(said)
            if said.isdecimal() and int(said)
            else os.get_terminal_size(stream.fileno()).columns or 100
        )
    except (OSError, ValueError):
        return 100


def _wants_color(when: When, terminal: bool) -> bool:
    """In order of trust: --color, NO_COLOR, FORCE_COLOR, TERM=dumb, the terminal."""
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return terminal and os.environ.get("TERM") != "dumb"
