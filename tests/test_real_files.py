"""Other people's files, where they are at hand, and a twin of each among our own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import kerasir
from genuine import FixtureCase

TWINS = {
    "dl4j-conv2d_theano_2": "keras2.2.4-theano/atrous_tf",
    "dl4j-batch_to_conv2d_theano_2": "keras2.2.4-theano/generator_tf",
    "bigdl-mlp_sequence": "keras1.2.2-theano/flat_dense_th",
    "blackboxchallenge-my_model_weights": "keras0.3.3-theano/highway_maxout_th",
    "dl4j-ELU_0_model": "keras2.2.4-theano/adv_act_tf",
}
"""What is seen in each: reversed kernels in channels_last; the same behind a Reshape; weights that
no backend is named for; numbered arrays without names; an activation layer."""

TOLERANCE = 1e-4
"""The answers are float32, some of large numbers."""


def right(model: Path, answers: Path, arch: Path | None, backend: str | None) -> bool:
    said = {"arch": arch, "backend": backend}
    given = {key: value for key, value in said.items() if value is not None}
    return kerasir.verify(str(model), expect=str(answers), tolerance=TOLERANCE, **given).equal


@pytest.mark.parametrize("name", TWINS)
def test_a_file_from_elsewhere(name: str, shared_dir: Path) -> None:
    folder = shared_dir / "realfiles" / "files" / name
    if not folder.exists():
        pytest.skip(f"{name} is not at hand: it is its author's, and not in this repository")
    model = next(folder / file for file in ("model.h5", "weights.h5") if (folder / file).exists())
    arch = folder / "arch.json" if model.name == "weights.h5" else None
    answers = max(folder.glob("data*.npz"), key=lambda p: ("WRONG" not in p.name, len(p.name)))
    assert right(model, answers, arch, None)


@pytest.mark.parametrize("twin", TWINS.values())
def test_its_twin(twin: str, genuine: Callable[[str], FixtureCase]) -> None:
    case = genuine(twin)
    backend = case.backend if case.arch else None
    assert right(case.model, case.folder / "data.npz", case.arch, backend)


def test_one_layer_in_two_wrappers(genuine: Callable[[str], FixtureCase], tmp_path: Path) -> None:
    """Each wrapper stores it; the two have names of their own (so does a file of kipoi's)."""
    case = genuine("keras2.2.4-theano/g_distributed_twice_tf")
    names = set(kerasir.load(case.model).tensors)
    assert {name.partition("/")[0] for name in names} == {
        "time_distributed_1",
        "time_distributed_2",
    }
    kerasir.convert(case.model, tmp_path / "weights.npz")
