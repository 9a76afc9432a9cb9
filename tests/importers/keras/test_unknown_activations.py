"""Functions that only the model's author knows: an error in a layer that kerasir computes."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from crafted import CONFIG, model_file

import kerasir
from kerasir.errors import ConfigError


def with_activation(path: Path, name: str) -> Path:
    config = copy.deepcopy(CONFIG)
    config["config"][1]["config"]["activation"] = name  # type: ignore[index]
    return model_file(path, config=config, keras_version=b"2.2.4", backend=b"tensorflow")


def test_unknown_activation_is_refused_by_name(tmp_path: Path) -> None:
    source = with_activation(tmp_path / "m.h5", "of_my_own")
    with pytest.raises(ConfigError, match="dense: 'of_my_own' is no activation of Keras"):
        kerasir.load(source)


def test_unknown_activation_that_may_pass_keeps_its_name(tmp_path: Path) -> None:
    source = with_activation(tmp_path / "m.h5", "of_my_own")
    model = kerasir.load(source, allow_keys=["Dense.activation"])
    assert [event.level for event in model.report if event.code == "KE402"] == ["warning"]
    assert "of_my_own" in {getattr(node.op, "layer_class", "") for node in model.graph.nodes}
