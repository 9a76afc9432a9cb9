"""`kerasir inspect --lint`: findings, one a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import show
from . import words
from .console import Console, wrapped

if TYPE_CHECKING:
    from ..inspection import Note

LEVELS = {"warning": ("!", "yellow"), "note": ("·", "dim")}


def print_findings(console: Console, path: str, notes: Sequence[Note], layers: int) -> None:
    """All of them; in a pipe one line each."""
    name = words.file(path)
    places = [show(note.layer, 60) or "file" for note in notes]
    wide = max(map(len, places), default=0)
    for note, place in zip(notes, places, strict=True):
        message, fix = show(note.message, 600), show(note.fix, 300)
        code = console.paint(note.code, "cyan")
        if not console.terminal:
            more = f" (fix: {fix})" if fix else ""
            console.print(f"{name}: {place}: {note.code} {note.level}: {message}{more}")
            continue
        mark, color = LEVELS[note.level]
        head = f"{console.paint(f'{name}: {place}', 'bold')}{' ' * (wide - len(place))}  {code} "
        indent = len(name) + 2 + wide + 2 + len(note.code) + 1
        room = None if console.width is None else max(30, console.width - indent - 2)
        first, *rest = wrapped(message, room)
        console.print(f"{head}{console.paint(mark, color)} {first}")
        for line in [*rest, *(wrapped(f"fix: {fix}", room) if fix else [])]:
            console.print(" " * (indent + 2) + console.paint(line, "dim"))
    if console.terminal and notes:
        console.print()
    console.print(_count(console, notes, layers))


def _count(console: Console, notes: Sequence[Note], layers: int) -> str:
    if not notes:
        return console.paint("✓ no findings", "green") + f" in {words.count(layers, 'layer')}"
    count = Counter[str](note.level for note in notes)
    kinds = [
        words.count(count[level], noun)
        for level, noun in (("warning", "warning"), ("note", "note"))
        if count[level]
    ]
    text = f"{words.count(len(notes), 'finding')}: {', '.join(kinds)}, "
    text += f"in {words.count(layers, 'layer')}"
    return console.paint(text, "yellow") if count["warning"] else text
