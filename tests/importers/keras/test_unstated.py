"""Files that do not say the shape of their input, as genuine ones of Keras 2.2 do not.

A Sequential that begins with an InputLayer is stored without it (seen in runs of Keras 2.2.4 on
TensorFlow and 2.3.1 on Theano); here the shape is taken out of genuine files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from disturbed import disturbed

import kerasir
from genuine import case_of
from kerasir.cli.main import main
from kerasir.errors import ConfigError, UsageError


def without_shape(case_id: str, folder: Path) -> tuple[Path, str, list[int]]:
    """The file without its input's shape; what the input is called, and its shape."""
    found: dict[str, Any] = {}

    def change(config: Any) -> None:
        first = config["config"]["layers"][0]["config"]
        found.update(name=first["name"], shape=first.pop("batch_input_shape"))

    path = disturbed(case_of(case_id), folder / "model", change).path
    return path, f"{found['name']}_input", found["shape"]


def codes(model: Any) -> set[str]:
    return {event.code for event in model.report}


def test_weights_tell_features(tmp_path: Path) -> None:
    path, _, _ = without_shape("keras2.2.4-theano/rnn_stack_tf", tmp_path)
    model = kerasir.load(path)
    assert model.graph.inputs[0].layout.shape == (None, None, 4)
    assert "KE211" in codes(model)
    kerasir.convert(path, tmp_path / "new.keras")
    assert kerasir.load(tmp_path / "new.keras").graph.inputs[0].layout.shape == (None, None, 4)


def test_behind_a_flatten_the_whole_shape_is_asked_for(tmp_path: Path) -> None:
    path, name, _ = without_shape("keras2.2.4-theano/flat_bn_dense_th", tmp_path)
    with pytest.raises(ConfigError, match=f"--shape {name}=1"):
        kerasir.load(path)


@pytest.mark.parametrize("target", [".h5", ".keras", ".onnx"])
def test_the_caller_tells_the_shape(target: str, tmp_path: Path) -> None:
    path, name, shape = without_shape("keras2.2.4-theano/flat_bn_dense_th", tmp_path)
    said = {name: (1, *shape[1:])}
    done = kerasir.convert(path, tmp_path / f"new{target}", shapes=said, verify=True)
    assert "KE212" in {event.code for event in done.report.events}


def test_a_shape_that_the_file_says_is_not_said_again(tmp_path: Path) -> None:
    case = case_of("keras2.2.4-theano/flat_bn_dense_th")
    name = kerasir.load(case.model).graph.inputs[0].name
    with pytest.raises(UsageError, match="--shape with --to keras2"):
        kerasir.convert(case.model, tmp_path / "new.h5", shapes={name: (1, 3, 9, 7)})


@pytest.mark.parametrize("command", [["inspect"], ["inspect", "--lint"]])
def test_every_command_that_reads_takes_the_shape(command: list[str], tmp_path: Path) -> None:
    path, name, shape = without_shape("keras2.2.4-theano/flat_bn_dense_th", tmp_path)
    said = ["--shape", f"{name}={','.join(map(str, (1, *shape[1:])))}"]
    assert main([*command, str(path)]) == 1
    assert main([*command, str(path), *said]) == 0
