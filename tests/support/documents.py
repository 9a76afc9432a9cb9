"""Documents and the code in them. As a script: runs the Python blocks of one, in its own process.

python documents.py DOCUMENT
"""

from __future__ import annotations

import doctest
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

_FENCE = re.compile(
    r"(?:^<!-- in (?P<source>\S+) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)


class Block(NamedTuple):
    """A fenced block.

    Attributes:
        line: Where it begins.
        language: What follows the fence: `python`, `console`.
        text: What is in it.
        source: The file that it is an excerpt of; "" for none.
    """

    line: int
    language: str
    text: str
    source: str


class Command(NamedTuple):
    """A line of a console block, and what it prints."""

    text: str
    output: str


def blocks(text: str) -> Iterator[Block]:
    """Every fenced block of a document that names its language."""
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start("text"))
        yield Block(line, found["language"], found["text"], found["source"] or "")


def commands(block: Block) -> Iterator[Command]:
    """The commands of a console block: lines that begin with `$`, each with its output."""
    for part in re.split(r"^\$ ", block.text, flags=re.M)[1:]:
        line, _, output = part.partition("\n")
        yield Command(line, output.rstrip())


def run(name: str, text: str) -> int:
    """Run the Python blocks of a document, one after the other in one namespace.

    Returns:
        How many of their examples failed.
    """
    names: dict[str, Any] = {}
    runner = doctest.DocTestRunner()
    for block in blocks(text):
        if block.language != "python" or block.source:
            continue
        if ">>>" in block.text:
            parsed = doctest.DocTestParser().get_doctest(block.text, names, name, name, block.line)
            runner.run(parsed, clear_globs=False)
            names = parsed.globs
        else:
            exec(compile("\n" * block.line + block.text, name, "exec"), names)
    return runner.summarize(verbose=False).failed


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], Path(sys.argv[1]).read_text(encoding="utf-8")) > 0)
