"""A file of its own dialect, in which nothing is changed, says the same to the last word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from crafted import numbers
from said import differences, said

import kerasir
from genuine import FixtureCase, fixture_cases

OWN = {"keras3.15.1-jax": "keras3", "tf-keras2.21.0-tensorflow": "tf-keras"}
"""By era of the files: the dialect that is theirs."""

CASES = [case for case in fixture_cases() if case.era in OWN]


def again(source: Path, target: Path, to: str, **options: Any) -> Path:
    """The file, converted to what it is."""
    kerasir.convert(source, target, to=to, data_format="keep", io_layout="keep", **options)
    return target


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_word_and_every_number_comes_out_again(case: FixtureCase, tmp_path: Path) -> None:
    first = again(case.model, tmp_path / f"first{case.model.suffix}", OWN[case.era])
    assert list(differences(said(case.model), said(first))) == []
    second = again(first, tmp_path / f"second{case.model.suffix}", OWN[case.era])
    assert second.read_bytes() == first.read_bytes()


def vgg() -> Path:
    return next(case.model for case in CASES if case.id == "keras3.15.1-jax/vgg_tf")


@pytest.mark.parametrize(
    "options",
    [
        {"data_format": "channels_first"},
        {"passes": ["drop_training_ops", "fold_batchnorm", "fuse_activation", "dead_code"]},
    ],
    ids=["another order", "passes"],
)
def test_what_is_changed_is_not_said_as_it_was(options: dict[str, Any], tmp_path: Path) -> None:
    chosen = {"data_format": "keep", "io_layout": "keep", **options}
    done = kerasir.convert(vgg(), tmp_path / "new.keras", **chosen, verify=True)
    assert "KX410" not in {event.code for event in done.report}


def test_what_nothing_reads_is_carried_along(tmp_path: Path) -> None:
    """Numbers of two opaque bytes, those that no layer asks for, and an author's own attribute."""
    made = again(vgg(), tmp_path / "weights.weights.h5", "keras3")
    with h5py.File(made, "r+") as file:
        count = file["layers/conv2d/vars/1"].size
        del file["layers/conv2d/vars/1"]
        file["layers/conv2d/vars/1"] = np.frombuffer(b"\x80\x3f" * count, "V2")
        file["layers/conv2d/vars/1"].attrs["dtype"] = "bfloat16"
        file["layers/flatten/seed_generator/vars/0"] = numbers(2)
    done = again(made, tmp_path / "again.weights.h5", "keras3", arch=vgg())
    assert list(differences(said(made), said(done))) == []
