"""Files that do not say which backend wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import kerasir
from kerasir.errors import ConfigError


def test_backend_that_nothing_tells_and_a_function_depends_on(tmp_path: Path) -> None:
    """Keras 0.3 names no weight, and Theano clips the left branch of an SReLU."""
    layers = [{"name": "Dense", "input_shape": [3], "output_dim": 3}, {"name": "SReLU"}]
    said = {"name": "Sequential", "layers": layers}
    (tmp_path / "arch.json").write_text(json.dumps(said))
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["nb_layers"] = 2
        for number, shapes in enumerate([[(3, 3), (3,)], [(3,)] * 4]):
            group = file.create_group(f"layer_{number}")
            group.attrs["nb_params"] = len(shapes)
            for place, shape in enumerate(shapes):
                group[f"param_{place}"] = np.full(shape, -0.5, "f4")
    given: dict[str, Any] = {"arch": tmp_path / "arch.json"}
    with pytest.raises(ConfigError, match="cannot tell Theano from TensorFlow, and 1 layers"):
        kerasir.load(tmp_path / "w.h5", **given)
    assert kerasir.load(tmp_path / "w.h5", backend="theano", **given)
