"""Operations whose formula grows with a number of the configuration: refused before it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from crafted import operation

import kerasir
from kerasir.errors import ConfigError, KerasirError

WIDE = 200_000


@pytest.mark.parametrize(
    ("name", "shape", "count", "told", "said"),
    [
        ("Diff", [8], 1, {"n": 10**12, "axis": 1}, "differences taken"),
        ("Diff", [8], 1, {"n": -1, "axis": 1}, "differences taken"),
        ("Diagonal", [WIDE, WIDE], 1, {"axis1": 1, "axis2": 2}, "a constant of"),
        ("Trace", [WIDE, WIDE], 1, {"axis1": 1, "axis2": 2}, "a constant of"),
        ("DotProductAttention", [WIDE, 2, 3], 3, {"is_causal": True}, "a constant of"),
        ("Tile", [8], 1, {"repeats": [1, 10**12]}, "positions along"),
        ("Repeat", [8], 1, {"repeats": 10**12, "axis": 1}, "positions along"),
        ("Roll", [10**12], 1, {"shift": 1, "axis": 1}, "positions along"),
        ("Flip", [10**12], 1, {"axis": 1}, "positions along"),
    ],
)
def test_what_would_grow_without_bound_is_refused(
    name: str, shape: list[int], count: int, told: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = operation(tmp_path / "model.keras", name, shape, count, **told)
    with pytest.raises(ConfigError, match=said):
        kerasir.load(path)


@pytest.mark.parametrize(
    ("name", "count"),
    [(name, count) for name in ("Select", "Isclose", "DotProductAttention") for count in (0, 1)]
    + [("Digitize", 0), ("Digitize", 1)],
)
def test_operands_that_are_not_there(name: str, count: int, tmp_path: Path) -> None:
    path = operation(tmp_path / "model.keras", name, [4, 2, 3], count)
    with pytest.raises(KerasirError):
        kerasir.load(path)


def test_what_does_not_is_read(tmp_path: Path) -> None:
    path = operation(tmp_path / "model.keras", "Diff", [8], n=2, axis=1)
    assert [value.layout.shape for value in kerasir.load(path).graph.outputs] == [(None, 6)]
