"""Running the command line in this process, and comparing what it prints with whole texts."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from described import conforms

from genuine import FixtureCase
from kerasir.cli.main import main

TEXTS = Path(__file__).parent / "texts"
TIMES = re.compile(r"(?<= in )\d+\.\d s")


class Ran(NamedTuple):
    """What came of a run."""

    code: int
    out: str
    err: str


Kerasir = Callable[..., Ran]


@pytest.fixture
def kerasir(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Kerasir:
    """Run `kerasir` with arguments, its streams being no terminal."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM"):
        monkeypatch.delenv(name, raising=False)

    def run(*args: object) -> Ran:
        code = main([str(arg) for arg in args])
        captured = capsys.readouterr()
        if "--json" in args and captured.out:
            conforms(captured.out)
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def beside(
    genuine: Callable[[str], FixtureCase], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], FixtureCase]:
    """Find a genuine model by its id and work in its folder, so that paths are short."""

    def enter(name: str) -> FixtureCase:
        case = genuine(name)
        monkeypatch.chdir(case.folder)
        return case

    return enter


@pytest.fixture
def same_text() -> Callable[[str, str], None]:
    """Compare a whole text with `texts/NAME.txt`; `KERASIR_WRITE_TEXTS=1` writes it instead.

    Times vary, so `in 0.2 s` is compared as `in ? s`.
    """

    def compare(name: str, text: str) -> None:
        path = TEXTS / f"{name}.txt"
        shown = TIMES.sub("? s", text)
        if os.environ.get("KERASIR_WRITE_TEXTS"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(shown, encoding="utf-8")
        assert shown == path.read_text(encoding="utf-8")

    return compare
