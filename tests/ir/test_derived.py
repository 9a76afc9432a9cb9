"""Weights computed from others, against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from kerasir.errors import LayoutError
from kerasir.ir.derived import scaled, scaled_along, widened
from kerasir.ir.layout import Axis, Labelled, Layout, Reversed, fuse
from kerasir.ir.source import ArraySource
from kerasir.ir.tensor import Param, Stored, Weight

RNG = np.random.default_rng(11)
FACTORS = {"i": 2.0, "f": 0.5, "o": -3.0}


def numbers(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def test_every_number_times_one() -> None:
    array = numbers(3, 4)
    axes = Axis("I", 3), Axis("O", 4)
    weight = scaled(Weight("w", (ArraySource(array),)), 0.25)
    found = Param(weight, (Stored(Layout(axes)),)).numpy(Layout(axes[::-1]))
    np.testing.assert_array_equal(found, array.T * np.float32(0.25))


@pytest.mark.parametrize("order", [("i", "f", "c", "o"), ("o", "c", "i", "f")])
def test_gates_of_one_array_each_by_its_own_factor(order: tuple[str, ...]) -> None:
    rows, units, gates = Axis("I", 3), Axis("U", 5), Axis("G", 4)
    array = numbers(3, 20)
    layout = Layout((rows, fuse((Labelled(gates, order), units))))
    param = Param(Weight("w", (ArraySource(array),)), (Stored(layout),))
    made = scaled_along(param, gates, FACTORS)
    found = Param(made, param.stored).numpy(layout)
    blocks = array.reshape(3, 4, 5)
    for number, gate in enumerate(order):
        wanted = blocks[:, number] * np.float32(FACTORS.get(gate, 1.0))
        np.testing.assert_array_equal(found.reshape(3, 4, 5)[:, number], wanted)


def test_a_part_read_from_the_middle_has_the_factors_of_its_places() -> None:
    gates, units = Axis("G", 2), Axis("U", 3)
    param = Param(
        Weight("w", (ArraySource(np.ones((4, 6), np.float32)),)),
        (Stored(Layout((Axis("I", 4), fuse((Labelled(gates, ("a", "b")), units))))),),
    )
    (source,) = scaled_along(param, gates, {"b": 7.0}).sources
    out = np.empty(5, np.float32)
    source.read_into(10, out)
    assert out.tolist() == [7, 7, 1, 1, 1]


def test_gates_of_an_array_each() -> None:
    rows, units, gates = Axis("I", 2), Axis("U", 3), Axis("G", 2)
    arrays = [numbers(2, 3), numbers(2, 3)]
    one = Layout((rows, units))
    stored = (Stored(one, {gates: "i"}), Stored(one, {gates: "c"}))
    param = Param(Weight("w", tuple(map(ArraySource, arrays))), stored)
    made = Param(scaled_along(param, gates, FACTORS), stored)
    wanted = Layout((Labelled(gates, ("c", "i")), rows, units))
    np.testing.assert_array_equal(made.numpy(wanted), [arrays[1], arrays[0] * np.float32(2)])


def test_an_array_without_the_axis_is_told() -> None:
    param = Param(Weight("w", (ArraySource(numbers(3)),)), (Stored(Layout((Axis("U", 3),))),))
    with pytest.raises(LayoutError, match="no axis"):
        scaled_along(param, Axis("G", 4), FACTORS)


def test_zeros_around_an_axis_stand_where_its_positions_are_counted() -> None:
    height, width, rows = Axis("H", 2), Axis("W", 3), Axis("I", 4)
    array = numbers(2, 3, 4)
    layout = Layout((Reversed(height), width, rows))
    param = Param(Weight("w", (ArraySource(array),)), (Stored(layout),))
    wide, grown = widened(param, {height: (1, 0), width: (0, 2)})
    found = wide.numpy(Layout((grown[height], rows, grown[width])))
    assert found.shape == (3, 4, 5)
    wanted = np.zeros((3, 5, 4), np.float32)
    wanted[1:, :3] = array[::-1]
    np.testing.assert_array_equal(found, wanted.swapaxes(1, 2))
