"""Running the command line: in this process, with its streams and its exit code."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from kerasir.cli.main import main


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
        return Ran(code, captured.out, captured.err)

    return run
