"""What every test shares: the genuine files, hypothesis' settings, a time limit per test."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import HealthCheck, settings

from genuine import SHARED, FixtureCase, fixture_cases

TIME_LIMIT = 120
"""Seconds one test may take; `@pytest.mark.time_limit(seconds)` says otherwise."""

# A shell starts what runs in the background deaf to interrupts, and its children then are as well.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("dev", deadline=None)
settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


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
