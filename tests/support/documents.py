"""Documents and the code in them. As a script: runs the code of one, in its own process.

python documents.py DOCUMENT.md|NOTEBOOK.ipynb
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import io
import json
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


def run_notebook(text: str) -> int:
    """Run a notebook's code cells in order; how many gave something else than what they show."""
    names: dict[str, Any] = {}
    wrong = 0
    for cell in json.loads(text)["cells"]:
        if cell["cell_type"] != "code":
            continue
        shown = "".join(map(_shown, cell["outputs"]))
        given = _given("".join(cell["source"]), names)
        if given != shown:
            print(f"shown:\n{shown}\ngiven:\n{given}")
            wrong += 1
    return wrong


def _shown(output: dict[str, Any]) -> str:
    return "".join(output["text"] if "text" in output else output["data"]["text/plain"])


def _given(source: str, names: dict[str, Any]) -> str:
    """What a cell prints, and its last expression as it shows itself."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(tree, "cell", "exec"), names)
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None
    return printed.getvalue() + ("" if value is None else repr(value))


if __name__ == "__main__":
    content = Path(sys.argv[1]).read_text(encoding="utf-8")
    notebook = sys.argv[1].endswith(".ipynb")
    sys.exit((run_notebook(content) if notebook else run(sys.argv[1], content)) > 0)
