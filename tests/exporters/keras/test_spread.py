"""Matrices that are mostly zeros: none is written that a few words of a file would make huge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import kerasir
from genuine import FixtureCase
from kerasir.errors import ExportError
from kerasir.exporters.keras.layers import convolution, reversal

Genuine = Callable[[str], FixtureCase]


@pytest.mark.parametrize(
    ("case", "to", "writer", "said"),
    [
        ("theano/depthwise_tf", "keras1", convolution, "of all channels it would hold"),
        ("tensorflow/g_stacked_directions_tf", "keras2.0", reversal, "too many for a SimpleRNN"),
    ],
)
def test_what_would_grow_without_bound_is_refused(
    case: str,
    to: str,
    writer: ModuleType,
    said: str,
    genuine: Genuine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, target = genuine(f"keras2.2.4-{case}").model, tmp_path / "model.h5"
    kerasir.convert(source, target, to=to)
    monkeypatch.setattr(writer, "MOST_SPREAD", 3)
    with pytest.raises(ExportError, match=said):
        kerasir.convert(source, target, to=to, overwrite=True)
