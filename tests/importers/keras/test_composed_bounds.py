"""Operations whose formula grows with a number of the configuration: refused before it does."""

from __future__ import annotations

import re
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
        ("MultiHot", [8], 1, {"num_classes": 10**12}, "classes, more than"),
        ("OneHot", [8], 1, {"num_classes": 10**12}, "one_hot of 1000000000000 classes"),
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
    ("name", "shape", "count", "told", "said"),
    [
        ("Softmax", [8], 1, {"axis": []}, "along no axis"),
        ("Rot90", [8, 8], 1, {"axes": []}, "takes no such arguments: axes=[]"),
        ("Repeat", [8], 1, {"axis": 1}, "takes no such"),
        ("Norm", [8], 1, {"ord": [1]}, "takes no such arguments: ord=[1]"),
        ("Conv", [8, 8, 3], 0, {}, "is given nothing"),
        ("SobelEdges", [8, 8, 3], 1, {"data_format": [0]}, "data_format is [0]"),
    ],
)
def test_arguments_of_another_type_are_no_fault_of_the_program(
    name: str, shape: list[int], count: int, told: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = operation(tmp_path / "model.keras", name, shape, count, **told)
    with pytest.raises(ConfigError, match=re.escape(said)):
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
