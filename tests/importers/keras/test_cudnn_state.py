"""State of an optimizer of CuDNNLSTM and CuDNNGRU, whose arrays are not those of LSTM and GRU.

No machine without a GPU trains these layers, so the lists are made here, as Keras 2.2.4
`optimizers.py` (`Adam.get_updates`) orders them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest

import kerasir
from genuine import fixture_cases

CUDNN = next(case for case in fixture_cases() if case.case == "g_cudnn_tf")

Shape = tuple[int, ...]


def weights(file: h5py.File) -> list[Shape]:
    """The shapes of the arrays in the order in which Keras lists them."""
    group = file["model_weights"]
    layers = [group[name] for name in group.attrs["layer_names"]]
    return [layer[name].shape for layer in layers for name in layer.attrs["weight_names"]]


def with_state(path: Path, shapes: Sequence[Shape], optimizer: str = "Adam") -> Path:
    with h5py.File(path, "r+") as file:
        record = {"optimizer_config": {"class_name": optimizer, "config": {"lr": 0.1}}}
        record |= {"loss": "mse", "metrics": ["mae"], "sample_weight_mode": None}
        file.attrs["training_config"] = json.dumps({**record, "loss_weights": None}).encode()
        group = file.require_group("optimizer_weights")
        names = [f"slot_{number}".encode() for number in range(len(shapes) + 1)]
        group["slot_0"] = np.int64(3)
        for name, shape in zip(names[1:], shapes, strict=True):
            group[name] = np.ones(shape, np.float32)
        group.attrs["weight_names"] = names
    return path


LISTS = {
    "all": lambda shapes: [*shapes, *shapes, *[(1,)] * len(shapes)],
    "one missing": lambda shapes: [*shapes, *shapes[1:]],
    "half as long biases": lambda shapes: [
        *((s if len(s) == 2 else (s[0] // 2,)) for s in [*shapes, *shapes]),
    ],
    "turned": lambda shapes: [s[::-1] for s in [*shapes, *shapes]],
    "one of each gate": lambda shapes: [(4, 4)] * 3 * len(shapes),
    "of other ranks": lambda shapes: [(1, *s) for s in [*shapes, *shapes]],
    "none of the weights": lambda _: [],
}


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("listed", LISTS)
def test_a_list_that_does_not_match_is_dropped_whole_and_told(
    listed: str, suffix: str, tmp_path: Path
) -> None:
    source = Path(shutil.copy(CUDNN.model, tmp_path / "in.h5"))
    with h5py.File(source) as file:
        shapes = weights(file)
    with_state(source, LISTS[listed](shapes))
    conversion = kerasir.convert(source, tmp_path / f"out{suffix}")
    lost = [event for event in conversion.report.events if event.code == "KT201"]
    assert [event.level for event in lost] == ["warning"]
    assert lost[0].message.startswith("the state of Adam: its ")
    training = kerasir.load(tmp_path / f"out{suffix}").training
    assert training is not None
    assert (training.optimizer, training.slots) == ("Adam", ())
    assert training.compiled["loss"] in {"mse", "mean_squared_error"}


def test_the_state_of_sgd_is_dropped_alike(tmp_path: Path) -> None:
    source = Path(shutil.copy(CUDNN.model, tmp_path / "in.h5"))
    with h5py.File(source) as file:
        shapes = weights(file)
    with_state(source, shapes, "SGD")
    events = kerasir.convert(source, tmp_path / "out.h5").report.events
    assert "KT201" in [event.code for event in events]
