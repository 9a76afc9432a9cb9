"""Repeating rows are said once."""

from __future__ import annotations

from kerasir.cli.folding import LONGEST, Fold, folds


def test_a_short_list_is_whole() -> None:
    assert folds("a" * LONGEST) == []


def test_equal_neighbours() -> None:
    assert folds("x" + "a" * 70 + "y") == [Fold(2, 71, 1, 69)]


def test_blocks_of_several_rows() -> None:
    keys = ["in", *["conv", "bn", "relu"] * 25, "out"]
    assert folds(keys) == [Fold(4, 76, 3, 24)]


def test_nothing_repeats() -> None:
    assert folds(range(500)) == []
