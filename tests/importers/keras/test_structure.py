"""Architectures that no Keras wrote: what is wrong, at which layer."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from crafted import CONFIG, model_file

import kerasir
from kerasir.errors import ConfigError

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a name that HDF5 cannot store": ({"name": "den\0se"}, "a NUL in a layer's name"),
    "a name that is no text": ({"name": 7}, "without a name"),
}


@pytest.mark.parametrize("case", WRONG)
def test_layers_of_no_keras_are_refused(case: str, tmp_path: Path) -> None:
    said, message = WRONG[case]
    config: Any = copy.deepcopy(CONFIG)
    config["config"][1]["config"] |= said
    path = model_file(tmp_path / "m.h5", config=config, keras_version=b"2.2.4")
    with pytest.raises(ConfigError, match=message):
        kerasir.load(path)
