"""What every test shares: the genuine files, hypothesis' settings, a time limit per test."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

PROJECT = Path(__file__).parent.parent
DATA = PROJECT / "tests" / "data" / "fixtures"
SHARED = PROJECT.parent / "shared"
TIME_LIMIT = 120
"""Seconds one test may take; `@pytest.mark.time_limit(seconds)` says otherwise."""

settings.register_profile("dev", deadline=None)
settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


class FixtureCase(NamedTuple):
    """One genuine model: where it lies and which era wrote it."""

    era: str
    case: str
    folder: Path

    @property
    def id(self) -> str:
        return f"{self.era}/{self.case}"

    @property
    def model(self) -> Path:
        """The file of the whole model, or, of an era that had none, the weights."""
        names = ("model.h5", "model.keras", "weights.h5")
        return next(self.folder / name for name in names if (self.folder / name).exists())

    @property
    def arch(self) -> Path | None:
        """The architecture beside the weights, where the model file does not hold it."""
        return self.folder / "arch.json" if self.model.name == "weights.h5" else None

    @property
    def meta(self) -> dict[str, Any]:
        return _meta(self.folder)

    def data(self) -> dict[str, np.ndarray]:
        """The arrays of data.npz, in the axis order of the file: `in_0`, ..., `out_0`, ..."""
        with np.load(self.folder / "data.npz") as arrays:
            return dict(arrays)

    def inputs(self) -> list[np.ndarray]:
        return _numbered(self.data(), "in_")

    def outputs(self) -> list[np.ndarray]:
        return _numbered(self.data(), "out_")


@cache
def _meta(folder: Path) -> dict[str, Any]:
    meta: dict[str, Any] = json.loads((folder / "meta.json").read_text())
    return meta


def _numbered(arrays: dict[str, np.ndarray], prefix: str) -> list[np.ndarray]:
    return [arrays[f"{prefix}{i}"] for i in range(len(arrays)) if f"{prefix}{i}" in arrays]


@cache
def fixture_cases() -> tuple[FixtureCase, ...]:
    """Every genuine model at hand: those of tests/data, and the complete set where it is."""
    found = {
        f"{meta.parts[-3]}/{meta.parts[-2]}": FixtureCase(
            meta.parts[-3], meta.parts[-2], meta.parent
        )
        for root in (SHARED / "fixtures", DATA)
        for meta in root.glob("*/*/meta.json")
    }
    return tuple(found[key] for key in sorted(found))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `fixture_case` runs once for every genuine model.

    `@pytest.mark.fixture_cases(eras=("keras2.2.4-theano", ...), where=predicate)` narrows them.
    """
    if "fixture_case" not in metafunc.fixturenames:
        return
    cases = fixture_cases()
    for mark in metafunc.definition.iter_markers("fixture_cases"):
        eras, where = mark.kwargs.get("eras"), mark.kwargs.get("where")
        cases = tuple(
            case for case in cases if (not eras or case.era in eras) and (not where or where(case))
        )
    assert cases, f"{metafunc.definition.nodeid} would run on no genuine file at all"
    metafunc.parametrize("fixture_case", cases, ids=[case.id for case in cases])


@pytest.fixture
def genuine() -> Callable[[str], FixtureCase]:
    """Find one genuine model by its id, `era/case`."""
    by_id = {case.id: case for case in fixture_cases()}
    return by_id.__getitem__


@pytest.fixture
def shared_dir() -> Path:
    """The reference material beside the checkout; a test that needs it skips without it."""
    if not SHARED.is_dir():
        pytest.skip("needs the reference material in ../shared, which is not here")
    return SHARED


def pytest_configure(config: pytest.Config) -> None:
    for line in (
        "fixture_cases(eras=None, where=None): which genuine files a test runs on",
        "time_limit(seconds): how long this one test may take",
    ):
        config.addinivalue_line("markers", line)


@contextmanager
def _time_limit(item: pytest.Item) -> Generator[None, None, None]:
    """Fail what hangs, where the system has an alarm: a hung suite tells nobody anything."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return
    mark = item.get_closest_marker("time_limit")
    seconds = int(mark.args[0]) if mark else TIME_LIMIT

    def ring(_signal: int, _frame: FrameType | None) -> None:
        pytest.fail(f"still running after {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    with _time_limit(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    with _time_limit(item):
        return (yield)
