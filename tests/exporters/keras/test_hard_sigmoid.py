"""Gates whose function has another slope in the target: the same numbers, from scaled weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import kerasir
from genuine import fixture_cases

NEW = [c for c in fixture_cases() if c.era.startswith("keras3") and "rnn_stack" in c.case]
"""Genuine files of Keras 3 with LSTM layers whose gates are hard_sigmoid: clip(x / 6 + 0.5)."""


@pytest.mark.parametrize("case", NEW, ids=lambda case: case.id)
def test_the_slope_of_keras_3_in_keras_2(case, tmp_path: Path) -> None:
    target = tmp_path / "model.h5"
    found = kerasir.convert(
        case.model, target, expect=str(case.folder / "data.npz"), tolerance=1e-5
    )
    codes = [event.code for event in found.report.events]
    assert "KN304" in codes
    assert "KN301" in codes
    old, new = kerasir.load(case.model), kerasir.load(target)
    name = next(e.layer for e in found.report.events if e.code == "KN304")
    before, after = (
        next(w for w in model.graph.weights() if w.name.startswith(name) and "/bias" in w.name)
        for model in (old, new)
    )
    numbers = [np.empty(weight.count, np.float32) for weight in (before, after)]
    for weight, out in zip((before, after), numbers, strict=True):
        weight.sources[0].read_into(0, out)
    gates = [out.reshape(4, -1) for out in numbers]
    np.testing.assert_array_equal(gates[1][2], gates[0][2])  # the candidate has its own function
    for gate in (0, 1, 3):
        np.testing.assert_allclose(gates[1][gate], gates[0][gate] * 5 / 6, rtol=1e-6)
