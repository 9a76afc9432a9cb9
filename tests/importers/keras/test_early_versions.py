"""The first releases of Keras 1 compute some layers otherwise, and their files hardly say so."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

import kerasir
from genuine import FixtureCase, fixture_cases
from kerasir.eras.normalization import NOW, statistics
from kerasir.eras.padding import conv_rule, counts_padding
from kerasir.ir.plan import Policy
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

CASES = {case.id: case for case in fixture_cases() if case.era.startswith(("keras1.0", "keras1.1"))}
NORM = CASES["keras1.0.0-theano/g_early_norm_th"]
CLOSE = 1e-5


def off(case: FixtureCase, model: kerasir.Model) -> float:
    """How far the model's result is from the genuine one, relative to that."""
    (found,), (want,) = evaluate(solve(model.graph, Policy()), case.inputs()), case.outputs()
    return float(np.abs(found - want).max() / np.abs(want).max())


@pytest.mark.parametrize("name", CASES)
def test_a_file_computes_what_its_release_did(name: str) -> None:
    case = CASES[name]
    assert off(case, kerasir.load(case.model, arch=case.arch)) < CLOSE


@pytest.mark.parametrize("version", ["1.0.4", "1.0.6", "1.0.7", "1.2.2"])
def test_the_stated_version_decides(version: str, tmp_path: Path) -> None:
    """Each adds epsilon elsewhere, or takes the last array for something else."""
    assert NORM.arch is not None
    arch = tmp_path / "arch.json"
    arch.write_text(json.dumps({**json.loads(NORM.arch.read_text()), "keras_version": version}))
    model = kerasir.load(NORM.model, arch=arch)
    assert not [event for event in model.report.events if event.code == "KN105"]
    assert (off(NORM, model) < CLOSE) == (version == "1.0.4")


def test_an_architecture_without_version_is_read_as_an_early_one(tmp_path: Path) -> None:
    """And told; not if a normalization has a key that came later."""
    assert NORM.arch is not None
    model = kerasir.load(NORM.model, arch=NORM.arch)
    assert [event.level for event in model.report.events if event.code == "KN105"] == ["warning"]
    later = json.loads(NORM.arch.read_text())
    for layer in later["config"]:
        if layer["class_name"] == "BatchNormalization":
            layer["config"]["gamma_regularizer"] = None
    arch = tmp_path / "arch.json"
    arch.write_text(json.dumps(later))
    model = kerasir.load(NORM.model, arch=arch)
    assert not [event for event in model.report.events if event.code == "KN105"]
    assert off(NORM, model) > CLOSE


def test_backends_went_apart_for_two_releases() -> None:
    assert statistics("1.0.6", "theano").deviation
    assert statistics("1.0.6", "tensorflow") == NOW
    assert statistics("1.0.5", "tensorflow").deviation
    assert statistics("1.0.7", "theano").beside
    assert statistics("1.0.7", "tensorflow") == NOW
    assert statistics("1.0.8", "theano") == statistics(None, "theano") == NOW


@pytest.mark.parametrize(
    ("version", "rank", "pads"),
    [("1.1.0", 3, (1, 2)), ("1.1.1", 3, (2, 1)), ("1.1.0", 2, (2, 1)), (None, 3, (2, 1))],
)
def test_even_kernels_of_three_dimensions(
    version: str | None, rank: int, pads: tuple[int, int]
) -> None:
    assert conv_rule("theano", version, rank)(7, 4, 1, 1) == pads


def test_mode_2_with_epsilon_beside_the_deviation_is_refused(tmp_path: Path) -> None:
    """Keras 1.0.4 to 1.0.7 on Theano: only a tiny epsilon may be taken for one under the root."""
    assert NORM.arch is not None
    told = {**json.loads(NORM.arch.read_text()), "keras_version": "1.0.5"}
    for layer in told["config"]:
        if layer["config"].get("mode") == 1:
            layer["config"]["mode"] = 2
    arch = tmp_path / "arch.json"
    arch.write_text(json.dumps(told))
    with pytest.raises(kerasir.KerasirError, match=r"mode 2 of Keras 1\.0\.5"):
        kerasir.load(NORM.model, arch=arch)


@pytest.mark.parametrize(
    ("version", "counts"),
    [("1.2.2", False), ("2.0.3", False), ("2.0.4", True), ("2.1.4", True), ("2.1.5", False)],
)
def test_average_pools_of_theano_counted_their_padding_for_some_releases(
    version: str, counts: bool
) -> None:
    assert counts_padding("theano", version, 2) == counts


def gru_file(path: Path, version: str, arrays: dict[str, np.ndarray], **said: object) -> None:
    """A model of one GRU as Keras 2.0 wrote it."""
    units = arrays["recurrent_kernel"].shape[0]
    config = {"name": "g", "units": units, "batch_input_shape": [None, 5, 3], **said}
    with h5py.File(path, "w") as file:
        file.attrs.update({"keras_version": version, "backend": "theano"})
        entry = {"class_name": "GRU", "config": config}
        told = {"class_name": "Sequential", "config": [entry]}
        file.attrs["model_config"] = json.dumps(told)
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([b"g"])
        layer = group.create_group("g")
        layer.attrs["weight_names"] = np.array([f"g/{name}".encode() for name in arrays])
        for name, array in arrays.items():
            layer[f"g/{name}"] = array


@pytest.mark.parametrize("version", ["2.0.0", "2.0.1", "2.0.2"])
@pytest.mark.parametrize("implementation", [0, 1])
def test_a_gru_whose_candidate_reads_the_reset_gate(
    version: str, implementation: int, tmp_path: Path
) -> None:
    """By the formula of Keras 2.0.0 `GRU.step`, and in the first target that can say it."""
    random = np.random.default_rng(1)
    shapes = {"kernel": (3, 12), "recurrent_kernel": (4, 12), "bias": (12,)}
    arrays = {name: random.normal(size=s).astype(np.float32) for name, s in shapes.items()}
    path, again = tmp_path / "a.h5", tmp_path / "b.h5"
    gru_file(path, version, arrays, implementation=implementation, activation="softmax")
    x = random.normal(size=(2, 5, 3))
    wrong = implementation == 1 and version != "2.0.2"
    h = np.zeros((2, 4))
    for t in range(5):
        zrh = x[:, t] @ arrays["kernel"] + arrays["bias"]
        z, r, c = zrh[:, :4], zrh[:, 4:8], zrh[:, 8:]
        c = r + arrays["bias"][8:] if wrong else c
        z, r = (
            np.clip(0.2 * (gate + h @ arrays["recurrent_kernel"][:, n : n + 4]) + 0.5, 0, 1)
            for gate, n in ((z, 0), (r, 4))
        )
        e = np.exp(c + (r * h) @ arrays["recurrent_kernel"][:, 8:])
        h = z * h + (1 - z) * e / e.sum(1, keepdims=True)
    kerasir.convert(path, again, to="keras2.0", target_backend="theano")
    for file in (path, again):
        model = kerasir.load(file)
        (found,) = evaluate(solve(model.graph, Policy()), [x])
        np.testing.assert_allclose(found, h, atol=1e-6)
    model = kerasir.load(path)
    assert any(event.code == "KN106" for event in model.report.events) == wrong
