"""An axis of one holds no order of numbers, but it is a part of the shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from crafted import operation

import kerasir
from kerasir.errors import VerifyError
from kerasir.ir.plan import Policy
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate
from kerasir.verification import verify_conversion


@pytest.mark.parametrize("target", ["model.h5", "model.keras", "model.onnx"])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last", "keep"])
def test_it_moves_where_the_model_moves_it(target: str, data_format: str, tmp_path: Path) -> None:
    source = operation(tmp_path / "source.keras", "Transpose", (4, 5, 1), axes=[0, 3, 1, 2])
    said = {} if target.endswith(".onnx") else {"data_format": data_format, "io_layout": "keep"}
    kerasir.convert(source, tmp_path / target, verify=True, **said)
    if target.endswith(".onnx"):
        return
    x = np.random.default_rng(0).normal(size=(2, 4, 5, 1)).astype("float32")
    model = kerasir.load(tmp_path / target)
    (y,) = evaluate(solve(model.graph, Policy()), [x])
    np.testing.assert_array_equal(y, x.transpose(0, 3, 1, 2))


def test_a_file_of_another_shape_is_not_what_was_planned(tmp_path: Path) -> None:
    """Its numbers come in the same order all the same."""
    source = operation(tmp_path / "source.keras", "Transpose", (4, 5, 1), axes=[0, 3, 1, 2])
    other = operation(tmp_path / "other.keras", "Identity", (4, 5, 1))
    model = kerasir.load(source)
    with pytest.raises(VerifyError, match="another shape than was planned"):
        verify_conversion(model, solve(model.graph, Policy()), str(other))
