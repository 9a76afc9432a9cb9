"""What the documents say holds: code runs, outputs are those printed, links lead somewhere."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documents import Block, Command, blocks, commands

from kerasir.cli.main import COMMANDS, commands as program
from sources import PROJECT, package_files

DOCUMENTS = sorted([
    *PROJECT.glob("*.md"),
    *(PROJECT / "docs").glob("*.md"),
    *(PROJECT / "examples").glob("*.md"),
])
RUNNER = PROJECT / "tests" / "support" / "documents.py"

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"\bK[A-Z]\d{3}\b")
VARIES = re.compile(r"\bin \d+(\.\d+)? s\b|\b\d\.\de-\d\d( at \w+)?")
"""How long something took, and how sums were rounded: these differ from machine to machine."""


def named(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def found(language: str, excerpt: bool = False) -> list[tuple[Path, Block]]:
    """Every block in a language: excerpts of files, or code of the document's own."""
    return [
        (path, block)
        for path in DOCUMENTS
        for block in blocks(path.read_text())
        if block.language == language and bool(block.source) == excerpt
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder with the examples in it, as a reader of the documents has them."""
    shutil.copytree(PROJECT / "examples", tmp_path / "examples")
    return tmp_path


def test_there_are_documents_and_code_in_them() -> None:
    assert len(DOCUMENTS) > 8
    assert NOTEBOOKS
    assert len(found("python")) > 5
    assert len(found("python", excerpt=True)) > 5
    assert found("console")


NOTEBOOKS = sorted((PROJECT / "examples").glob("*.ipynb"))


@pytest.mark.parametrize(
    "path", sorted({path for path, _ in found("python")} | {*NOTEBOOKS}), ids=lambda path: path.stem
)
def test_python_runs(path: Path, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(RUNNER), str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "path", sorted({path for path, _ in found("console")}), ids=lambda path: path.stem
)
def test_commands_print_what_is_written(path: Path, folder: Path) -> None:
    """One after the other in one folder, as a reader would run them."""
    ran = 0
    for document, block in found("console"):
        if document != path:
            continue
        for command in commands(block):
            assert printed(command, folder) == VARIES.sub("…", command.output)
            ran += 1
    assert ran


def printed(command: Command, folder: Path) -> str:
    """What a `kerasir` command prints, standard error included; that it succeeds."""
    program, *arguments = shlex.split(command.text)
    assert program == "kerasir", command.text
    done = subprocess.run(
        [sys.executable, "-m", "kerasir", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stdout
    return VARIES.sub("…", done.stdout).rstrip()


@pytest.mark.parametrize(
    ("path", "block"),
    found("python", excerpt=True),
    ids=lambda each: each.stem if isinstance(each, Path) else f"{each.source}-{each.line}",
)
def test_excerpts_are_in_the_files_that_they_come_from(path: Path, block: Block) -> None:
    assert block.text in (PROJECT / block.source).read_text(), f"{named(path)}:{block.line}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for target in LINK.findall(path.read_text()):
        file, _, anchor = target.partition("#")
        if file.startswith(("http://", "https://")):
            continue
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert not broken


def anchors(path: Path) -> set[str]:
    """What headings can be linked by, as GitHub makes it."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.M)
    bare = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in bare}


def test_every_document_is_linked_from_the_readme() -> None:
    linked = set(LINK.findall((PROJECT / "README.md").read_text()))
    documents = {named(path) for path in (PROJECT / "docs").glob("*.md")}
    assert documents <= linked


def test_every_code_of_the_report_is_documented_once() -> None:
    used = {code for path in package_files() for code in CODE.findall((PROJECT / path).read_text())}
    rows = re.findall(r"^\| (K[A-Z]\d{3}) \|", (PROJECT / "docs/report-codes.md").read_text(), re.M)
    assert len(used) > 20
    assert sorted(rows) == sorted(used)


def spoken() -> list[tuple[Path, str]]:
    """Every command line in a document, run or not: in blocks, and between backticks."""
    pattern = re.compile(rf"kerasir (?:(?:{'|'.join(COMMANDS)}) |--)[^`\n]*")
    every = [(path, line) for path in DOCUMENTS for line in pattern.findall(path.read_text())]
    return [(path, line) for path, line in every if "…" not in line and " | " not in line]


def test_options_that_documents_name_exist() -> None:
    """Values may be stand-ins, such as FILE."""
    found = spoken()
    assert len(found) > 30
    shared = {name for param in program().params for name in param.opts}
    for path, line in found:
        _, *words = shlex.split(line.partition("    ")[0].partition(" > ")[0])
        params = COMMANDS[words[0]].load().params if words[0] in COMMANDS else []
        known = shared | {name for param in params for name in param.opts}
        unknown = {word for word in words if word.startswith("--")} - known
        assert not unknown, f"{named(path)}: {line}"
