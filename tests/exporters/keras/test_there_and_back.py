"""Through another dialect and back: what an author said is there, or the report says it is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import pytest

import kerasir
from genuine import case_of

KEPT: dict[str, Any] = {"io_layout": "keep"}


def layers(path: Path) -> dict[str, dict[str, Any]]:
    with h5py.File(path) as file:
        text = file.attrs["model_config"]
    config = json.loads(text)["config"]
    found = config if isinstance(config, list) else config["layers"]
    return {layer["config"]["name"]: layer["config"] for layer in found}


@pytest.mark.parametrize(
    ("name", "layer", "keys"),
    [
        ("keras2.2.4-theano/lambda_layer_tf", "lambda_1",
         ("function", "function_type", "output_shape", "output_shape_type", "arguments")),
        ("keras2.2.4-theano/custom_layer_tf", "activation_20", ("activation",)),
        ("keras2.2.4-theano/custom_layer_tf", "scale_shift_1", ("axis", "trainable")),
    ],
)  # fmt: skip
def test_an_authors_functions_come_back(
    name: str, layer: str, keys: tuple[str, ...], tmp_path: Path
) -> None:
    """Code of a Lambda, an activation and a layer of the author's own, by way of Keras 3."""
    case = case_of(name)
    there, back = tmp_path / "there.keras", tmp_path / "back.h5"
    kerasir.convert(case.model, there, data_format=case.ordering, **KEPT)
    backend = {"target_backend": case.backend}
    kerasir.convert(there, back, data_format=case.ordering, **backend, **KEPT)
    before, after = layers(case.model)[layer], layers(back)[layer]
    assert {key: after[key] for key in keys} == {key: before[key] for key in keys}


@pytest.mark.parametrize("to", ["keras2", "keras3"])
def test_what_training_leaves_alone_is_frozen(to: str, tmp_path: Path) -> None:
    """A Rescaling by channel, a Normalization: as BatchNormalization they are not to be trained."""
    case = case_of("tf-keras2.21.0-tensorflow/m_scaling_tf")
    target = tmp_path / "target.h5"
    done = kerasir.convert(case.model, target, to=to, verify=True)
    found = layers(target)
    for name in ("rescaling_1", "normalization", "normalization_1"):
        assert found[name]["trainable"] is False
        assert ("KX102", name) in {(event.code, event.layer) for event in done.report}
    assert found["conv2d"]["trainable"] is True
