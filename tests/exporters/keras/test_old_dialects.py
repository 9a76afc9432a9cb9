"""Files for Keras 1.2 and 2.0: what their own era wrote comes out again, value for value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from crafted import model_file, numbers

from genuine import FixtureCase, fixture_cases
from kerasir.api import convert
from kerasir.errors import ExportError
from kerasir.ir.plan import Policy
from kerasir.loading import load
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

CLOSE = 1e-5
"""Largest difference allowed, relative to the largest output."""

NATIVE = {"keras1.2.2-theano": "keras1", "keras1.2.2-tensorflow": "keras1"}
NATIVE["keras2.0.8-theano"] = "keras2.0"

MENDED = ("/shared_axes", "/input_layers")
"""What Keras 1.2.2 gets wrong in its own files, so that it cannot load them: PReLU and SReLU do not
say their shared axes, and a linear Activation stands in for the model's input."""

REWRITTEN = {"g_chain_of_models_tf"}
"""Models inside a Sequential that is a list have no name that it could be given again."""

STEPS = {"tensorflow": "optimizer_weights"}
"""Optimizer variables of TensorFlow are numbered through the process that made them; Keras reads
them by order."""

CASES = [case for case in fixture_cases() if case.era in NATIVE]


def written(case: FixtureCase, folder: Path) -> Path:
    """The file in the dialect, order and backend that it has already."""
    target = folder / "out.h5"
    convert(
        case.model,
        target,
        to=NATIVE[case.era],
        data_format="keep",
        target_backend=case.backend,
        io_layout="keep",
    )
    return target


def test_what_comes_out_goes_in_again_byte_for_byte(tmp_path: Path) -> None:
    for number, case in enumerate(CASES):
        folder = tmp_path / str(number)
        folder.mkdir()
        first = written(case, folder)
        kept = {"data_format": "keep", "io_layout": "keep", "target_backend": case.backend}
        reading = {"backend": case.backend} if NATIVE[case.era] == "keras1" else {}
        convert(first, folder / "second.h5", to=NATIVE[case.era], **kept, **reading)
        assert (folder / "second.h5").read_bytes() == first.read_bytes(), case.id


def differences(before: Any, after: Any, where: str = "") -> Iterator[str]:
    """Where two configurations say different things."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            if key in before and key in after:
                yield from differences(before[key], after[key], f"{where}/{key}")
            else:
                yield f"{where}/{key}"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            yield from differences(one, other, where)
    elif before != after:
        yield f"{where}: {before} {after}"


def text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def arrays(file: h5py.File, group: str) -> dict[str, np.ndarray]:
    """The arrays of each layer in their order, by name."""
    found: dict[str, np.ndarray] = {}
    for layer in file[group].attrs["layer_names"]:
        held = file[group][text(layer)]
        for name in held.attrs["weight_names"]:
            found[f"{text(layer)}/{text(name)}"] = held[text(name)][()]
    return found


def same(before: np.ndarray, after: np.ndarray) -> bool:
    return before.dtype == after.dtype and np.array_equal(before, after)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_its_own_era_wrote_comes_out_again(case: FixtureCase, tmp_path: Path) -> None:
    if case.case in REWRITTEN:
        pytest.skip("names that are in no configuration")
    with h5py.File(case.model) as before, h5py.File(written(case, tmp_path)) as after:
        assert list(before.attrs) == list(after.attrs)
        for name in before.attrs:
            one, other = text(before.attrs[name]), text(after.attrs[name])
            if not name.endswith("_config"):
                assert one == other
                continue
            found = list(differences(json.loads(one), json.loads(other)))
            assert not [f for f in found if not any(part in f for part in MENDED)]
        one, other = (arrays(file, "model_weights") for file in (before, after))
        assert list(one) == list(other)
        assert all(same(one[name], other[name]) for name in one)
        if "optimizer_weights" in before:
            lists = [file["optimizer_weights"].attrs["weight_names"] for file in (before, after)]
            assert case.backend == "tensorflow" or list(lists[0]) == list(lists[1])
            for name, again in zip(*lists, strict=True):
                held = before["optimizer_weights"][text(name)][()]
                assert same(held, after["optimizer_weights"][text(again)][()])
        else:
            assert "optimizer_weights" not in after


TARGETS = [
    (to, backend, data_format)
    for to in ("keras1", "keras2.0", "keras2.2")
    for backend in ("theano", "tensorflow")
    for data_format in ("channels_first", "channels_last")
]
WIDE = [case for case in fixture_cases() if case.case.partition("_t")[0] in {
    "vgg", "rnn_stack", "inception", "deconv", "even_same", "pool_same", "nested_seq", "siamese",
    "embed_mask_lstm", "conv1d_causal", "convlstm",
}]  # fmt: skip


@pytest.mark.parametrize("case", WIDE, ids=lambda case: case.id)
def test_any_era_goes_to_the_old_dialects(case: FixtureCase, tmp_path: Path) -> None:
    """The new file is read again and computes what the genuine Keras predicted."""
    number = fixture_cases().index(case)
    to, backend, data_format = TARGETS[number % len(TARGETS)]
    target = tmp_path / "out.h5"
    silent = case.era.startswith("keras0")
    reading = {
        "arch": case.arch,
        "backend": case.backend if silent else None,
        "source_data_format": case.ordering,
    }
    options = {"to": to, "target_backend": backend, "data_format": data_format}
    try:
        convert(case.model, target, io_layout="keep", **reading, **options)
    except ExportError as error:
        # a ConvLSTM's state under an even kernel; cuDNN's GRU
        refused = [part for part in ("padding", "resets a GRU") if part in str(error)]
    else:
        refused = []
    if refused:
        assert not target.exists()
        return
    again = load(target, backend=backend, data_format=data_format)
    found = evaluate(solve(again.graph, Policy()), case.inputs())
    for array, want in zip(found, case.outputs(), strict=True):
        assert np.abs(array - want).max() / np.abs(want).max() < CLOSE


def config_of(path: Path) -> Any:
    with h5py.File(path) as file:
        return json.loads(text(file.attrs["model_config"]))


def model(era: str, case: str) -> Path:
    return next(c.model for c in fixture_cases() if (c.era, c.case) == (era, case))


def test_keras2_for_keras1(tmp_path: Path) -> None:
    """Class names, keys and arrays that Keras 1.2.2 has in its own files of such layers."""
    target = tmp_path / "out.h5"
    convert(
        model("keras2.0.8-theano", "vgg_th"),
        target,
        to="keras1",
        target_backend="theano",
        data_format="channels_first",
    )
    with h5py.File(target) as file:
        assert text(file.attrs["keras_version"]) == "1.2.2"
        assert "backend" not in file.attrs
        names = list(arrays(file, "model_weights"))
    assert names[:2] == ["conv1_1/conv1_1_W", "conv1_1/conv1_1_b"]
    genuine = config_of(model("keras1.2.2-theano", "vgg_th"))
    mine = config_of(target)
    assert [entry["class_name"] for entry in mine["config"]] == [
        entry["class_name"] for entry in genuine["config"]
    ]
    for one, other in zip(mine["config"], genuine["config"], strict=True):
        assert set(one["config"]) <= set(other["config"]) | {"dim_ordering"}


@pytest.mark.parametrize(
    ("era", "case", "to", "backend", "message"),
    [
        ("keras2.2.4-theano", "gru_reset_after_th", "keras2.0", "theano", "resets a GRU's state"),
        ("keras2.2.4-theano", "acts_all_th", "keras1", "theano", "has neither a name nor a layer"),
        ("keras2.2.4-theano", "gru_reset_after_th", "keras1", "theano", "resets a GRU's state"),
    ],
)
def test_what_an_old_keras_lacks_is_refused_by_name(
    era: str, case: str, to: str, backend: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match=message):
        convert(model(era, case), tmp_path / "out.h5", to=to, target_backend=backend)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("case", ["depthwise_th", "separable_even_1_tf", "separable_tf"])
@pytest.mark.parametrize("to", ["keras1", "keras2.0"])
def test_channels_by_themselves_are_a_convolution_of_all(
    case: str, to: str, tmp_path: Path
) -> None:
    """On Theano, where neither has a layer for it; loaded by both in runs."""
    known = next(c for c in fixture_cases() if c.id == f"keras2.2.4-theano/{case}")
    target = tmp_path / "out.h5"
    said = {"to": to, "target_backend": "theano", "data_format": "keep", "io_layout": "keep"}
    done = convert(known.model, target, **said)
    assert {"KX102"} <= {event.code for event in done.report}
    again = load(target, backend="theano", data_format=known.ordering)
    assert "DepthwiseConv" not in {node.op.kind for node in again.graph.nodes}
    found = evaluate(solve(again.graph, Policy()), known.inputs())
    for array, want in zip(found, known.outputs(), strict=True):
        assert np.abs(array - want).max() / np.abs(want).max() < CLOSE


def test_a_list_of_names_too_long_for_an_old_keras_is_refused() -> None:
    """It reads lists of names from one attribute alone."""
    from kerasir.exporters.keras.dialects import DIALECTS

    assert not DIALECTS["keras1"].chunked
    assert not DIALECTS["keras2.0"].chunked


def test_slots_of_single_gates_follow_their_gates(tmp_path: Path) -> None:
    """Keras 1 sorts an LSTM's slots by name (b_c, b_f, b_i, ...): each is found with its gate."""
    case = next(c for c in CASES if c.id == "keras1.2.2-theano/rnn_stack_th")
    training = load(case.model).training
    assert training is not None
    with h5py.File(case.model) as file:
        held = [file["optimizer_weights"][f"param_{i}"][()] for i in range(73)]
        names = sorted(name.rpartition("/")[2] for name in arrays(file, "model_weights"))
    for slot in training.slots:
        place = {"momentum": 1, "velocity": 1 + len(names)}[slot.kind]
        for name, source in zip(slot.weight.stored_names, slot.sources, strict=True):
            numbers = np.empty(source.shape, source.dtype)
            source.read_into(0, numbers.reshape(-1))
            assert np.array_equal(numbers, held[place + names.index(name)])


def test_slots_are_laid_out_as_their_weights(tmp_path: Path) -> None:
    """Adam of Keras 1.2.2 on Theano for Keras 2 on TensorFlow, by hand in NumPy."""
    source, target = model("keras1.2.2-theano", "td_dense_conv_th"), tmp_path / "out.h5"
    convert(source, target, to="keras2")
    with h5py.File(source) as file:
        names = sorted(name.rpartition("/")[2] for name in arrays(file, "model_weights"))
        held = [file["optimizer_weights"][f"param_{i}"][()] for i in range(1 + 2 * len(names))]
    with h5py.File(target) as file:
        written = [
            file["optimizer_weights"][text(name)][()]
            for name in file["optimizer_weights"].attrs["weight_names"]
        ]
    assert written[0] == held[0]
    moments = dict(zip(names, held[1:], strict=False))
    squares = dict(zip(names, held[1 + len(names) :], strict=True))
    wanted = [*by_hand(moments), *by_hand(squares)]
    assert len(written) == 1 + len(wanted) + len(wanted) // 2  # and those of amsgrad, unused
    for mine, want in zip(written[1:], wanted, strict=False):
        assert np.array_equal(mine, want)


def by_hand(slots: dict[str, np.ndarray]) -> list[np.ndarray]:
    """One kind of slots for the Conv2D, the Dense behind a Flatten and the LSTM of that model."""
    conv = next(name for name in slots if name.startswith("convolution2d") and name.endswith("_W"))
    dense = next(name for name in slots if name.startswith("dense") and name.endswith("_W"))
    kernel = slots[conv].transpose(2, 3, 1, 0)[::-1, ::-1]
    filters, units = slots[conv].shape[0], slots[dense].shape[1]
    height, width = 2, 2  # of what the Flatten sees: 3 channels of 12 features
    rows = slots[dense].reshape(filters, height, width, units).transpose(1, 2, 0, 3)
    found = [kernel, slots[conv[:-1] + "b"], rows.reshape(-1, units), slots[dense[:-1] + "b"]]
    lstm = next(name for name in slots if name.endswith("_W_i"))[: -len("W_i")]
    for letter in "WUb":
        gates = [slots[f"{lstm}{letter}_{gate}"] for gate in "ifco"]
        found.append(np.concatenate(gates, axis=-1))
    return found


def test_training_record_of_a_newer_keras_in_old_words(tmp_path: Path) -> None:
    """Losses and metrics by the names of functions; a record always has what old Keras reads."""
    from kerasir.exporters.keras.compiled_names import by_name
    from kerasir.ir.report import Report

    report = Report()
    said = {
        "loss": {"class_name": "MeanSquaredError", "config": {"reduction": "auto", "name": "m"}},
        "metrics": [[
            {"class_name": "MeanMetricWrapper", "config": {"fn": "binary_accuracy", "name": "a"}},
            {"class_name": "AUC", "config": {"name": "auc"}},
            "my_metric",
        ]],
    }  # fmt: skip
    assert by_name(said, "keras2", report) == {
        "loss": "mean_squared_error",
        "metrics": ["binary_accuracy", "my_metric"],
        "sample_weight_mode": None,
        "loss_weights": None,
    }
    assert [event.code for event in report.events] == ["KT201"]
    assert by_name({"loss": "huber"}, "keras2", report) is None
    logits = {"class_name": "BinaryCrossentropy", "config": {"from_logits": True}}
    assert by_name({"loss": {"a": logits, "b": "mse"}}, "keras2", report) is None
    kept = by_name({"loss": "mine", "metrics": ["fmeasure"]}, "keras1", report)
    assert kept is not None
    assert kept["metrics"] == ["fmeasure"]
    each = {"loss": "mse", "metrics": {"a": ["mse", "mae"], "b": ["acc"], "c": []}}
    kept = by_name(each, "keras1", report, one_metric=True)
    assert kept is not None
    assert kept["metrics"] == {"a": "mse", "b": "acc"}
    assert report.events[-1].message == "the metric mae of a: this Keras reads one of each output"
    gone = by_name({"loss": "mse", "metrics": ["fmeasure"]}, "keras2.0", report)
    assert gone is not None
    assert gone["metrics"] == []


def test_a_dense_behind_a_mask_is_one_for_each_step(tmp_path: Path) -> None:
    """Keras 1 gives a Dense no tensor with a mask; a TimeDistributed takes the mask past it."""
    config = {
        "class_name": "Sequential",
        "config": [
            {"class_name": "Masking",
             "config": {"name": "absent", "batch_input_shape": [None, 5, 3], "mask_value": 0.5}},
            {"class_name": "Dense", "config": {"name": "dense", "units": 4}},
            {"class_name": "SimpleRNN", "config": {"name": "rnn", "units": 2}},
        ],
    }  # fmt: skip
    layers = {
        "absent": {},
        "dense": {"dense/kernel:0": numbers(3, 4) / 9, "dense/bias:0": numbers(4)},
        "rnn": {
            "rnn/kernel:0": numbers(4, 2) / 9,
            "rnn/recurrent_kernel:0": numbers(2, 2) / 9,
            "rnn/bias:0": numbers(2),
        },
    }
    source = model_file(tmp_path / "new.h5", layers, config, keras_version="2.2.4")
    convert(source, tmp_path / "old.h5", to="keras1", backend="tensorflow", verify=True)
    stored = config_of(tmp_path / "old.h5")["config"]
    assert [layer["class_name"] for layer in stored] == ["Masking", "TimeDistributed", "SimpleRNN"]
    assert stored[1]["config"]["layer"]["class_name"] == "Dense"
