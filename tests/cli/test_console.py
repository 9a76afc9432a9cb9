"""Colour, width, symbols, tables."""

from __future__ import annotations

import pytest
from terminal import Stream

from kerasir.cli.console import Console, cut, unpainted, width_of, wrapped


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "60")


@pytest.mark.parametrize(
    ("when", "terminal", "env", "colored"),
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("auto", True, {"NO_COLOR": "0"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", False, {"FORCE_COLOR": "1"}, True),
        ("auto", False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("auto", True, {"TERM": "dumb"}, False),
        ("always", False, {"NO_COLOR": "1", "TERM": "dumb"}, True),
        ("never", True, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_who_decides_on_colour(monkeypatch, when, terminal, env, colored: bool) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert Console(Stream(terminal), when).color is colored


def test_styles_nest() -> None:
    console = Console(Stream())
    text = console.paint("a" + console.paint("b", "red") + "c", "bold")
    assert text == "\x1b[1ma\x1b[31mb\x1b[39mc\x1b[22m"
    assert unpainted(text) == "abc"


def test_a_layout_is_cyan_and_what_is_reversed_or_fused_magenta() -> None:
    console = Console(Stream())
    assert console.tag("O:4 ~H:3 (C H)") == (
        "\x1b[36mO:4 \x1b[39m\x1b[35m~H:3\x1b[39m\x1b[36m \x1b[39m\x1b[35m(\x1b[39m"
        "\x1b[36mC H\x1b[39m\x1b[35m)\x1b[39m"
    )
    assert Console(Stream(False)).tag("O ~H") == "O ~H"


def test_symbols_have_words_where_the_stream_is_not_utf8() -> None:
    stream = Stream(encoding="ascii")
    Console(stream).print("✓ ✗ → · \N{MULTIPLICATION SIGN} … — ▇▇|   ")
    assert stream.getvalue() == "ok FAIL -> - x ... - |\n"


def test_a_table_lines_up_whatever_is_painted() -> None:
    stream = Stream(terminal=False)
    console = Console(stream, "always")
    console.table(
        [
            ["layer", "params"],
            ["a remark that runs across all of the columns"],
            [console.paint("fc1", "bold"), "12"],
            ["\u6f22\u5b57", "1,234"],
        ],
        right=(1,),
    )
    assert unpainted(stream.getvalue()).splitlines() == [
        "  layer  params",
        "  a remark that runs across all of the columns",
        "  fc1        12",
        "  \u6f22\u5b57    1,234",
    ]


def test_only_a_terminal_cuts() -> None:
    rows = [["name", "x" * 80]]
    for terminal, length in ((True, 60), (False, 88)):
        stream = Stream(terminal)
        Console(stream).table(rows, cut_last=True)
        assert len(stream.getvalue()) == length + 1


def test_width_counts_cells() -> None:
    assert width_of("\x1b[1mab\x1b[22m") == 2
    assert width_of("\u6f22") == 2
    assert width_of("e\u0301") == 1


def test_cut_and_wrapped() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdef", 4) == "abc…"
    assert wrapped("one two three", 9, first=5) == ["one", "two three"]
    assert wrapped("one two", None) == ["one two"]
    assert wrapped("unbreakable", 4) == ["unbreakable"]


def test_a_stand_in_for_a_stream_is_no_terminal() -> None:
    class Bare:
        def write(self, text: str) -> None: ...

    console = Console(Bare())  # type: ignore[arg-type]
    assert (console.terminal, console.color, console.width, console.unicode) == (
        False,
        False,
        None,
        False,
    )
