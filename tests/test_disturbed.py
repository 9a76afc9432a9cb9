"""Configurations that no Keras has written: converted or refused by name, and never anything else.

More of them: `KERASIR_DISTURBED=5000 KERASIR_DISTURBED_SEED=7 pytest tests/test_disturbed.py`.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from crafted import outline
from disturbed import disturb, disturbed

import kerasir
from genuine import case_of, fixture_cases
from kerasir.errors import ConfigError, ExportError, KerasirError, WeightError
from kerasir.importers.keras.archive import read_archive

COUNT = int(os.environ.get("KERASIR_DISTURBED", "160"))
SEED = int(os.environ.get("KERASIR_DISTURBED_SEED", "0"))
ROUNDS = 8
TARGETS = (".h5", ".keras", ".onnx", ".kerasir")


@pytest.mark.parametrize("part", range(ROUNDS))
def test_a_disturbed_configuration_is_read_or_refused(part: int, tmp_path: Path) -> None:
    cases = fixture_cases()
    rnd = random.Random(SEED * ROUNDS + part)
    converted = refused = 0
    for number in range(COUNT // ROUNDS):
        case, trained = rnd.choice(cases), rnd.random() < 0.1
        path, arch = disturbed(
            case, tmp_path / f"{number}", lambda config: disturb(config, rnd), trained=trained
        )
        target = tmp_path / f"{number}_to{rnd.choice(TARGETS)}"
        try:
            kerasir.convert(path, target, arch=arch)
            converted += 1
        except KerasirError:
            refused += 1
            assert not target.exists()
        except Exception as error:
            error.add_note(f"{case.id}, seed {SEED}, part {part}, number {number}: {target.name}")
            raise
    assert converted
    assert refused


def first(config: Any, class_name: str) -> Any:
    return next(one for one in config["config"]["layers"] if one["class_name"] == class_name)


def set_in(class_name: str, key: str, value: Any) -> Callable[[Any], None]:
    def change(config: Any) -> None:
        first(config, class_name)["config"][key] = value

    return change


ENCODING = "keras3.15.1-jax/m_encoding_tf"
MASKS = "keras3.15.1-jax/m_masks_tf"
CONVOLUTIONS = "keras3.15.1-jax/depthsep_tf"


def no_tensor_as_mask(config: Any) -> None:
    call = first(config, "LSTM")["inbound_nodes"][0]
    call["kwargs"]["mask"] = {"class_name": "__keras_tensor__", "config": "x"}


def list_as_mask(config: Any) -> None:
    first(config, "LSTM")["inbound_nodes"][0]["kwargs"]["mask"] = [[True, False]]


@pytest.mark.parametrize(
    ("case", "change", "said"),
    [
        (ENCODING, set_in("Discretization", "bin_boundaries", [[1.0]]), "that are no numbers"),
        (MASKS, no_tensor_as_mask, "is not [layer, call, tensor]"),
        (MASKS, list_as_mask, "a mask that is no tensor"),
        (
            CONVOLUTIONS,
            set_in("InputLayer", "batch_shape", [None, 7, 2**63, 3]),
            "of more numbers than can be",
        ),
    ],
)
def test_what_is_wrong_is_named(
    case: str, change: Callable[[Any], None], said: str, tmp_path: Path
) -> None:
    path, _ = disturbed(case_of(case), tmp_path / "model", change)
    with pytest.raises(ConfigError, match=said.replace("[", r"\[")):
        kerasir.convert(path, tmp_path / "new.keras")


def test_words_that_nothing_is_called_are_not_taken_over(tmp_path: Path) -> None:
    """A list for a name in the configuration: the layer is called as its entry is."""
    path, _ = disturbed(
        case_of(CONVOLUTIONS), tmp_path / "model", set_in("DepthwiseConv2D", "name", ["x"])
    )
    kerasir.convert(path, tmp_path / "new.keras")
    assert kerasir.load(tmp_path / "new.keras")


def test_weights_of_a_layer_called_as_one_of_keras_stay_in_their_places(tmp_path: Path) -> None:
    """A module that is none makes it an author's: kept as it is, its weights in place."""

    def authored(config: Any) -> None:
        first(config, "MultiHeadAttention")["module"] = True

    case = case_of("keras3.15.1-jax/m_attention_tf")
    path, _ = disturbed(case, tmp_path / "model", authored)
    kerasir.convert(path, tmp_path / "new.keras")
    inside = [outline(read_archive(each)) for each in (path, tmp_path / "new.keras")]
    assert inside[0] == inside[1]


def test_numbers_that_no_place_is_for(tmp_path: Path) -> None:
    change = set_in("Conv2DTranspose", "strides", [10**19, 1])
    path, _ = disturbed(case_of("keras2.2.4-theano/deconv_th"), tmp_path / "model", change)
    with pytest.raises(ExportError, match="beyond 64 bits"):
        kerasir.convert(path, tmp_path / "new.kerasir")


def test_merges_without_models(tmp_path: Path) -> None:
    def change(config: Any) -> None:
        config["config"][0]["config"] = ["x"]

    path, _ = disturbed(case_of("keras1.2.2-theano/merge_sequential_th"), tmp_path / "m", change)
    with pytest.raises(ConfigError, match="a Merge without models"):
        kerasir.load(path)


@pytest.mark.parametrize("name", [["Sequential"], {"a": 1}])
def test_branches_called_as_nothing_is(name: Any, tmp_path: Path) -> None:
    def change(config: Any) -> None:
        merge = next(one for one in config["layers"] if one["name"] == "Merge")
        merge["layers"][0]["name"] = name

    case = next(
        case
        for case in fixture_cases()
        if case.arch is not None and '"name": "Merge"' in case.arch.read_text()
    )
    path, arch = disturbed(case, tmp_path / "model", change)
    with pytest.raises(ConfigError, match="without name"):
        kerasir.load(path, arch=arch)


GRAPH = "keras0.3.3-theano/graph_net_th"


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("input_config", True, "no list of entries"),
        ("input_config", [{"input_shape": [3]}], "an entry without name"),
        ("input_config", [{"name": "x", "input_shape": 3}], "no list of extents"),
        ("node_config", [{"name": ["x"]}], "an entry without name"),
        ("node_config", [{"name": "d1", "inputs": 3}], "no list of names of nodes"),
        ("node_config", [{"name": "d1", "inputs": [["y"]]}], "which is not there"),
        ("output_config", "x", "no list of entries"),
        ("nodes", 3, "a layer without name"),
    ],
)
def test_graphs_that_are_none(key: str, value: Any, said: str, tmp_path: Path) -> None:
    def change(config: Any) -> None:
        config[key] = value

    path, arch = disturbed(case_of(GRAPH), tmp_path / "model", change)
    with pytest.raises(ConfigError, match=said):
        kerasir.load(path, arch=arch)


@pytest.mark.parametrize(("key", "to"), [("beta_1", ".keras"), ("schedule_decay", ".h5")])
def test_momentums_that_are_no_numbers(key: str, to: str, tmp_path: Path) -> None:
    def change(config: Any) -> None:
        config["optimizer_config"]["config"][key] = ["x"]

    case = case_of("keras1.2.2-tensorflow/two_flat_concat_tf")
    path, _ = disturbed(case, tmp_path / "model", change, trained=True)
    done = kerasir.convert(path, tmp_path / f"new{to}")
    assert f"its {key} is no number" in "".join(event.message for event in done.report.events)


def test_rows_without_number_are_not_written_one_by_one(tmp_path: Path) -> None:
    config = set_in("MaxPooling3D", "pool_size", [10**9, 10**9, 10**9])
    path, _ = disturbed(case_of("keras2.0.8-theano/g_pools3d_same_tf"), tmp_path / "model", config)
    with pytest.raises(ExportError, match="row by row"):
        kerasir.convert(path, tmp_path / "new.keras")


@pytest.mark.parametrize("implementation", [2, 3])
def test_places_that_no_kernel_is_for_are_not_counted(implementation: int, tmp_path: Path) -> None:
    def change(config: Any) -> None:
        for one in config["config"]["layers"]:
            one = one["config"]
            if "batch_input_shape" in one:
                one["batch_input_shape"][1] = 10**12
            if "kernel_size" in one:
                one["implementation"] = implementation

    path, _ = disturbed(case_of("keras2.2.4-theano/local1d_net_tf"), tmp_path / "model", change)
    with pytest.raises(WeightError, match="does not fit"):
        kerasir.load(path)


def test_as_many_unknown_words_as_nobody_has_are_no_list(tmp_path: Path) -> None:
    change = set_in("IntegerLookup", "num_oov_indices", 10**12)
    path, _ = disturbed(case_of(ENCODING), tmp_path / "model", change)
    assert kerasir.load(path)
