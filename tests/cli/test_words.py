"""How numbers, sizes, times and names are written."""

from __future__ import annotations

import math

import pytest

from kerasir.cli import words


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 bytes"), (1, "1 byte"), (133, "133 bytes"), (1024, "1.0 KiB"), (34_372, "33.6 KiB"),
     (17_955_288, "17.1 MiB"), (5 << 40, "5.0 TiB"), (5 << 60, "5242880.0 TiB")],
)  # fmt: skip
def test_sizes(number: int, text: str) -> None:
    assert words.size(number) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.3e-7, "3.3e-07"), (0.0, "0"), (0.8412, "0.84"), (1.5, "1.5"), (math.nan, "-"),
     (math.inf, "inf"), (12345.0, "1.2e+04"), (0.0009, "9.0e-04")],
)  # fmt: skip
def test_errors(value: float, text: str) -> None:
    assert words.error(value) == text


def test_times() -> None:
    assert [words.duration(s) for s in (0.04, 59.94, 250.4)] == ["0.0 s", "59.9 s", "4 min 10 s"]


def test_counts() -> None:
    assert words.count(2_239_914) == "2,239,914"
    assert [words.count(n, "kernel") for n in (0, 1, 5)] == ["0 kernels", "1 kernel", "5 kernels"]
    assert words.count(2, "axis", "axes") == "2 axes"


def test_lists_of_names_show_three() -> None:
    assert words.names(["a"]) == "a"
    assert words.names(["a", "b", "c"]) == "a, b, c"
    assert words.names(["a", "b", "c", "d\x1b", "e"]) == "a, b, c and 2 more"
    assert words.names(["\x1b[31m"]) == "\\x1b[31m"


def test_paths_are_quoted_if_they_hold_blanks() -> None:
    assert words.file("a.h5") == "a.h5"
    assert words.file("my model.h5") == '"my model.h5"'


def test_settings_show_what_was_meant_by_float32() -> None:
    assert words.number(0.009999999776482582) == "0.01"
