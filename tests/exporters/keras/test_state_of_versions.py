"""An optimizer's state in files for Keras 2: each version reads its own order of the arrays."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

import kerasir
from genuine import FixtureCase, fixture_cases
from kerasir.ir.plan import Policy
from kerasir.ir.report import Event
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

CASES = {case.id: case for case in fixture_cases()}
MODERN = [case for case in CASES.values() if case.era.startswith(("keras3", "tf-keras"))]


def state(path: Path) -> list[np.ndarray]:
    with h5py.File(path) as file:
        group = file["optimizer_weights"]
        return [group[name][()] for name in group.attrs["weight_names"]]


def rewritten(case: FixtureCase, target: Path, to: str = "keras2") -> list[Event]:
    """The file in the order of axes, and for the backend, that it has already."""
    kept = {"data_format": "keep", "io_layout": "keep", "target_backend": case.backend}
    return list(kerasir.convert(case.model, target, to=to, **kept).report.events)


@pytest.mark.parametrize("name", ["inception_th", "flat_bn_dense_th"])
def test_keras_2_3_finds_its_step_count_first(name: str, tmp_path: Path) -> None:
    """RMSprop and Adadelta of 2.3.1, whose state comes out array for array."""
    case = CASES[f"keras2.3.1-theano/{name}"]
    events = rewritten(case, tmp_path / "out.h5")
    before, after = state(case.model), state(tmp_path / "out.h5")
    assert before[0].shape == ()
    assert before[0] > 0
    for one, other in zip(before, after, strict=True):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)
    assert "KX410" in {event.code for event in events}


@pytest.mark.parametrize("name", ["inception_th", "flat_bn_dense_th"])
def test_a_step_count_that_the_target_does_not_store_is_told(name: str, tmp_path: Path) -> None:
    events = rewritten(CASES[f"keras2.3.1-theano/{name}"], tmp_path / "out.h5", "keras2.0")
    (told,) = [event for event in events if event.code == "KT202"]
    assert told.kind == "lost"
    assert "steps" in told.message
    assert all(array.shape for array in state(tmp_path / "out.h5"))
    (carried,) = [event for event in events if event.code == "KT101"]
    assert "step" not in carried.message.replace("steps", "")


def nadam_of_keras_2_3(path: Path) -> None:
    """A file of 2.2.4 with its optimizer and state made those of 2.3.1 by hand."""
    with h5py.File(path, "r+") as file:
        record = json.loads(file.attrs["training_config"])
        settings = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "schedule_decay": 0.004}
        config = {"learning_rate": 0.002, **settings}
        record["optimizer_config"] = {"class_name": "Nadam", "config": config}
        file.attrs["training_config"] = json.dumps(record).encode()
        for place in (file, file["model_weights"]):
            place.attrs["keras_version"] = b"2.3.1"
        group = file["optimizer_weights"]
        names = list(group.attrs["weight_names"])
        product = 1.0
        for step in range(1, int(group[names[0]][()]) + 1):
            product *= 0.9 * (1 - 0.5 * 0.96 ** (0.004 * step))
        group["m_schedule"] = np.float32(product)
        group.attrs["weight_names"] = [names[0], b"m_schedule", *names[1:]]


def test_nadam_of_keras_2_3_has_its_product_of_momentums(tmp_path: Path) -> None:
    source, target = tmp_path / "in.h5", tmp_path / "out.h5"
    source.write_bytes(CASES["keras2.2.4-theano/flat_chain_th"].model.read_bytes())
    nadam_of_keras_2_3(source)
    kept = {"data_format": "keep", "io_layout": "keep", "target_backend": "theano"}
    kerasir.convert(source, target, to="keras2", **kept)
    before, after = state(source), state(target)
    assert before[1] < 1
    for one, other in zip(before, after, strict=True):
        assert np.allclose(one, other, rtol=1e-6, atol=0)


@pytest.mark.parametrize("case", MODERN, ids=lambda case: case.id)
def test_what_compile_was_told_is_carried_or_told(case: FixtureCase, tmp_path: Path) -> None:
    before = kerasir.load(case.model).training
    if before is None or not before.compiled.get("loss"):
        return
    try:
        events = kerasir.convert(case.model, tmp_path / "out.h5", to="keras2").report.events
    except kerasir.KerasirError:
        return
    after = kerasir.load(tmp_path / "out.h5").training
    lost = " ".join(event.message for event in events if event.code in {"KT201", "KT202"})
    if after is None:
        assert "loss" in lost
        return
    assert after.compiled["loss"] == before.compiled["loss"]
    assert after.iterations == before.iterations or "step" in lost or "the state" in lost
    assert "ema_momentum" not in lost  # no average is taken


BILINEAR = [case for case in MODERN if case.case.startswith(("m_upsampling", "upsample_crop"))]


@pytest.mark.parametrize("case", BILINEAR, ids=lambda case: case.id)
def test_bilinear_up_sampling_is_read_again_as_it_was_written(
    case: FixtureCase, tmp_path: Path
) -> None:
    """The file states a version of tf.keras, under which a bilinear up-sampling takes centres."""
    target = tmp_path / "out.h5"
    told = kerasir.convert(case.model, target, to="keras2", io_layout="keep").report.events
    assert "KN302" in [event.code for event in told]
    found = evaluate(solve(kerasir.load(target).graph, Policy()), case.inputs())
    for array, want in zip(found, case.outputs(), strict=True):
        assert np.abs(array - want).max() <= 1e-5 * np.abs(want).max()


def scheduled(path: Path, schedule: object, **more: object) -> None:
    """A file of tf-keras whose rate is said to be a schedule."""
    path.write_bytes(CASES["tf-keras2.21.0-tensorflow/rnn_stack_tf"].model.read_bytes())
    with h5py.File(path, "r+") as file:
        record = json.loads(file.attrs["training_config"])
        record["optimizer_config"]["config"] |= {"learning_rate": schedule, **more}
        file.attrs["training_config"] = json.dumps(record)


def optimizer_of(path: Path) -> dict[str, object]:
    training = kerasir.load(path).training
    assert training is not None
    return dict(training.config)


def test_a_schedule_that_is_a_decay_becomes_one(tmp_path: Path) -> None:
    """R / (1 + rate * step / steps): `decay` of Keras 2.2.4 `optimizers.py`."""
    config = {"initial_learning_rate": 0.1, "decay_steps": 50, "decay_rate": 2.0}
    schedule = {"class_name": "InverseTimeDecay", "config": {**config, "staircase": False}}
    source, target = tmp_path / "in.h5", tmp_path / "out.h5"
    scheduled(source, schedule, decay=0.0)
    events = kerasir.convert(source, target, to="keras2").report.events
    assert "KT103" in [event.code for event in events]
    found = optimizer_of(target)
    assert (found["lr"], found["decay"]) == (0.1, 0.04)
    kerasir.convert(target, tmp_path / "again.keras")
    again = optimizer_of(tmp_path / "again.keras")["learning_rate"]
    assert again["config"] == {
        "initial_learning_rate": 0.1, "decay_steps": 1, "decay_rate": 0.04,
    }  # fmt: skip


UNSAYABLE = {
    "another": ({"class_name": "ExponentialDecay", "config": {"initial_learning_rate": 0.1}}, 0.1),
    "by values": ({"class_name": "PiecewiseConstantDecay", "config": {"values": [0.2, 1]}}, 0.2),
    "custom": ({"class_name": "Mine>Own", "config": {}}, None),
    "no class": ({"class_name": None, "config": [1]}, None),
    "two of them": (
        {
            "class_name": "InverseTimeDecay",
            "config": {"initial_learning_rate": 0.1, "decay_steps": 0, "decay_rate": 1},
        },
        0.1,
    ),
}


@pytest.mark.parametrize(("schedule", "first"), UNSAYABLE.values(), ids=UNSAYABLE)
def test_a_schedule_that_the_target_lacks_is_told(
    schedule: object, first: float | None, tmp_path: Path
) -> None:
    source, target = tmp_path / "in.h5", tmp_path / "out.h5"
    scheduled(source, schedule)
    events = kerasir.convert(source, target, to="keras2").report.events
    (told,) = [event for event in events if "no schedule" in event.message]
    assert (told.code, told.level) == ("KT201", "warning")
    assert optimizer_of(target).get("lr") == first


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_custom_schedule_for_keras_3_is_told_and_no_traceback(
    suffix: str, tmp_path: Path
) -> None:
    source = tmp_path / "in.h5"
    scheduled(source, {"class_name": "Mine>Own", "config": {}}, decay=0.1)
    conversion = kerasir.convert(source, tmp_path / f"out{suffix}", to="keras3")
    lost = [event.message for event in conversion.report.events if event.code == "KT201"]
    assert any("Own" in message for message in lost)
    assert any("decay = 0.1" in message for message in lost)
    assert any("the state of Adam" in message for message in lost)


@pytest.mark.parametrize(
    ("said", "pace"),
    [
        ({"is_legacy_optimizer": False}, 1.0),
        ({"decay": 0.25}, 0.25),
        ({"schedule_decay": 0.5}, 0.5),
    ],
)
def test_nadam_keeps_the_pace_of_its_momentum(
    said: dict[str, object], pace: float, tmp_path: Path
) -> None:
    """Keras 2.3.1 `Nadam.get_updates`; legacy tf-keras calls the pace `decay`, others have one."""
    source, target = tmp_path / "in.h5", tmp_path / "out.h5"
    source.write_bytes(CASES["tf-keras2.21.0-tensorflow/two_flat_concat_tf"].model.read_bytes())
    with h5py.File(source, "r+") as file:
        record = json.loads(file.attrs["training_config"])
        record["optimizer_config"]["config"].pop("is_legacy_optimizer", None)
        record["optimizer_config"]["config"] |= said
        file.attrs["training_config"] = json.dumps(record)
    events = kerasir.convert(source, target, to="keras2").report.events
    assert optimizer_of(target)["schedule_decay"] == pace
    assert not [e for e in events if e.code == "KT201" and "decay =" in e.message]


@pytest.mark.parametrize("name", ["inception_tf", "flat_dense_tf"])
def test_an_epsilon_in_another_place_is_told(name: str, tmp_path: Path) -> None:
    """RMSprop and Adagrad of tf-keras from 2.11 on add it under the root."""
    case = CASES[f"tf-keras2.21.0-tensorflow/{name}"]
    events = kerasir.convert(case.model, tmp_path / "out.h5", to="keras2").report.events
    (told,) = [event for event in events if event.code == "KT102"]
    assert "epsilon" in told.message
    classic = CASES["keras2.3.1-theano/inception_th"]
    assert "KT102" not in [event.code for event in rewritten(classic, tmp_path / "same.h5")]


def test_a_product_of_momentums_that_is_not_stored_is_told(tmp_path: Path) -> None:
    """Keras 2.2.4 does not store it, so its own files lose nothing; those of Keras 3 do."""
    case = CASES["keras3.15.1-jax/two_flat_concat_tf"]
    events = kerasir.convert(case.model, tmp_path / "out.h5", to="keras2").report.events
    (told,) = [event for event in events if event.code == "KT202"]
    assert told.level == "warning"
    assert "product" in told.message
    kerasir.convert(tmp_path / "out.h5", tmp_path / "again.h5", to="keras2")
    again = kerasir.convert(tmp_path / "again.h5", tmp_path / "more.h5", to="keras2")
    assert "KT202" not in [event.code for event in again.report.events]


@pytest.mark.parametrize("name", ["even_same_th", "pool_same_tf"])
@pytest.mark.parametrize("to", ["keras1", "keras2.0", "keras2"])
def test_sgd_without_momentum_keeps_its_steps(name: str, to: str, tmp_path: Path) -> None:
    """Keras 1 and 2 keep a momentum for each weight all the same; times zero it is forgotten."""
    case = CASES[f"keras3.15.1-jax/{name}"]
    before = kerasir.load(case.model).training
    assert before is not None
    assert not before.slots
    events = kerasir.convert(case.model, tmp_path / "out.h5", to=to).report.events
    assert "KT201" not in [event.code for event in events if "state" in event.message]
    count, *moments = state(tmp_path / "out.h5")
    assert count == before.iterations == 2
    assert moments
    assert not any(moment.any() for moment in moments)


@pytest.mark.parametrize("target", ["out.h5", "out.keras"])
def test_a_model_that_is_compiled_and_not_yet_trained_loses_nothing(
    target: str, tmp_path: Path
) -> None:
    """tf-keras 2.21 and Keras 3 store the number of steps alone then: slots come with the first."""
    source = tmp_path / "model.h5"
    source.write_bytes(CASES["tf-keras2.21.0-tensorflow/vgg_tf"].model.read_bytes())
    with h5py.File(source, "r+") as file:
        group = file["optimizer_weights"]
        group["iteration:0"][...] = 0
        group.attrs["weight_names"] = group.attrs["weight_names"][:1]
    events = kerasir.convert(source, tmp_path / target).report.events
    assert not [event for event in events if event.kind == "lost"]
    (carried,) = [event for event in events if event.code == "KT101"]
    assert "SGD before its first step" in carried.message
