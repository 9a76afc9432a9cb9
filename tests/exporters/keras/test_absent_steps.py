"""Steps that a mask leaves out, where Keras up to 2.2 on TensorFlow gives the first state for them.

Of several cells that is the first one's; of an initial state, what is fed. Genuine runs of 2.2.4
are in `tests/data` (`g_absent_steps_tf`); the loops here are its `K.rnn` on either backend.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crafted import model_file, numbers
from msgspec import structs

from genuine import fixture_cases
from kerasir import convert, load, save, verify
from kerasir.errors import ConfigError, ExportError
from kerasir.ir.plan import Policy
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

GENUINE = next(one for one in fixture_cases() if one.id.endswith("tensorflow/g_absent_steps_tf"))
UNITS, FEATURES, TIME = 2, 3, 4
ABSENT = [[0, 2], [1, 2, 3], [], [0, 1, 2, 3]]
"""Steps that do not count, by sample."""


def stack(*units: int, **options: Any) -> dict[str, Any]:
    cells = [
        {"class_name": "SimpleRNNCell", "config": {"name": f"cell_{n}", "units": count}}
        for n, count in enumerate(units)
    ]
    cell = {"class_name": "StackedRNNCells", "config": {"name": "stack", "cells": cells}}
    masking = {"name": "mask", "mask_value": 0.0, "batch_input_shape": [None, TIME, FEATURES]}
    layers = [
        {"class_name": "Masking", "config": masking},
        {"class_name": "RNN", "config": {"name": "rnn", "cell": cell, **options}},
    ]
    return {"class_name": "Sequential", "config": {"name": "model", "layers": layers}}


Weights = list[tuple[np.ndarray, np.ndarray, np.ndarray]]


def written(
    path: Path, version: str, backend: str, *units: int, **options: Any
) -> tuple[Path, Weights]:
    widths = (FEATURES, *units[:-1])
    weights = [
        (numbers(rows, count), numbers(count, count), numbers(count))
        for rows, count in zip(widths, units, strict=True)
    ]
    named = {
        f"rnn/{name}_{cell}": array
        for cell, arrays in enumerate(weights)
        for name, array in zip(("kernel", "recurrent_kernel", "bias"), arrays, strict=True)
    }
    said = {"keras_version": version, "backend": backend}
    return model_file(path, {"mask": {}, "rnn": named}, stack(*units, **options), **said), weights


def fed() -> tuple[np.ndarray, np.ndarray]:
    """Sequences, and where their steps count."""
    x, mask = numbers(len(ABSENT), TIME, FEATURES), np.ones((len(ABSENT), TIME), bool)
    for sample, steps in enumerate(ABSENT):
        mask[sample, steps] = False
    x[~mask] = 0
    return x, mask


def walked(
    x: np.ndarray, mask: np.ndarray, weights: Weights, *, first: bool, backwards: bool = False
) -> np.ndarray:
    """The results of all steps, sample by sample."""
    found = np.zeros((*mask.shape, UNITS))
    for sample in range(len(x)):
        states = [np.zeros(len(bias)) for *_, bias in weights]
        last = np.zeros(UNITS)
        order = range(TIME)[::-1] if backwards else range(TIME)
        for place, time in enumerate(order):
            if mask[sample, time]:
                h = x[sample, time]
                for cell, (kernel, recurrent, bias) in enumerate(weights):
                    h = states[cell] = np.tanh(h @ kernel + states[cell] @ recurrent + bias)
                last = h
                found[sample, place] = h
            else:
                found[sample, place] = states[0] if first else last
    return found


PLACES = [
    ("2.1.6", "tensorflow", False),  # counts the states from the last cell on
    ("2.2.4", "tensorflow", True),
    ("2.3.1", "tensorflow", False),  # TensorFlow's own Keras walks the steps
    ("2.2.4", "theano", False),
]


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(("version", "backend", "first"), PLACES)
def test_several_cells_give_what_their_keras_gave(
    version: str, backend: str, first: bool, backwards: bool, tmp_path: Path
) -> None:
    options = {"return_sequences": True, "go_backwards": backwards}
    source, weights = written(tmp_path / "a.h5", version, backend, UNITS, UNITS, **options)
    x, mask = fed()
    wanted = walked(x, mask, weights, first=first, backwards=backwards)
    (found,) = evaluate(solve(load(source).graph, Policy()), [x])
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    ends, _ = written(tmp_path / "b.h5", version, backend, UNITS, UNITS, go_backwards=backwards)
    (last,) = evaluate(solve(load(ends).graph, Policy()), [x])
    wanted = walked(x, mask, weights, first=first, backwards=backwards)[:, -1]
    np.testing.assert_allclose(last, wanted, atol=1e-6)


def test_what_is_unrolled_repeats_the_last_result(tmp_path: Path) -> None:
    options = {"return_sequences": True, "unroll": True}
    source, weights = written(tmp_path / "a.h5", "2.2.4", "tensorflow", UNITS, UNITS, **options)
    x, mask = fed()
    (found,) = evaluate(solve(load(source).graph, Policy()), [x])
    np.testing.assert_allclose(found, walked(x, mask, weights, first=False), atol=1e-6)


def test_cells_of_two_sizes_cannot_have_been_made(tmp_path: Path) -> None:
    source, _ = written(tmp_path / "a.h5", "2.2.4", "tensorflow", 3, 2)
    with pytest.raises(ConfigError, match="cells of 3 and 2 units behind a mask"):
        load(source)
    load(written(tmp_path / "b.h5", "2.2.4", "theano", 3, 2)[0])


@pytest.mark.parametrize("to", ["keras2.2", "keras2"])
def test_the_same_for_tensorflow_is_one_layer_again(to: str, tmp_path: Path) -> None:
    """Spelt anew, as if another Keras had written it; readers that give the other are told."""
    target = tmp_path / "out.h5"
    done = save(structs.replace(load(GENUINE.model), original=None), target, to=to)
    assert {"KN309", "KN310"} <= {event.code for event in done.report}
    kinds = [layer.class_name for layer in load(target).layers]
    assert kinds == [layer.class_name for layer in load(GENUINE.model).layers]
    assert verify(target, expect=GENUINE.folder / "data.npz").equal


def test_keras_3_is_told_by_operations(tmp_path: Path) -> None:
    options = {"return_sequences": True}
    source, weights = written(tmp_path / "a.h5", "2.2.4", "tensorflow", UNITS, UNITS, **options)
    target = tmp_path / "out.keras"
    convert(source, target, verify=True)
    x, mask = fed()
    (found,) = evaluate(solve(load(target).graph, Policy()), [x])
    np.testing.assert_allclose(found, walked(x, mask, weights, first=True), atol=1e-6)


@pytest.mark.parametrize("to", ["keras2.0", "keras2.2", "keras2"])
def test_theano_gives_no_other_cells_state(to: str, tmp_path: Path) -> None:
    source, _ = written(tmp_path / "a.h5", "2.2.4", "tensorflow", UNITS, UNITS)
    with pytest.raises(ExportError, match="what the first of several cells has"):
        convert(source, tmp_path / "out.h5", to=to, target_backend="theano")


def test_cells_that_repeat_their_result_are_layers_of_their_own_for_tensorflow(
    tmp_path: Path,
) -> None:
    """Each gives then what it has itself; on Theano they stay one layer."""
    options = {"return_sequences": True}
    source, weights = written(tmp_path / "a.h5", "2.2.4", "theano", UNITS, UNITS, **options)
    x, mask = fed()
    for backend, kinds in (
        ("tensorflow", ["Masking", "SimpleRNN", "SimpleRNN"]),
        ("theano", ["Masking", "StackedRNNCells"]),
    ):
        target = tmp_path / f"{backend}.h5"
        convert(source, target, to="keras2.2", target_backend=backend)
        model = load(target)
        assert [layer.class_name for layer in model.layers][-len(kinds) :] == kinds
        (found,) = evaluate(solve(model.graph, Policy()), [x])
        np.testing.assert_allclose(found, walked(x, mask, weights, first=False), atol=1e-6)


def test_cells_that_turn_round_are_for_the_version_that_repeats_their_result(
    tmp_path: Path,
) -> None:
    """As layers of their own they would see the mask in another order; 2.3 computes them so."""
    options = {"return_sequences": True, "go_backwards": True}
    source, weights = written(tmp_path / "a.h5", "2.2.4", "theano", UNITS, UNITS, **options)
    done = convert(source, tmp_path / "b.h5", to="keras2.2")
    assert "KN309" in {event.code for event in done.report}
    again = load(tmp_path / "b.h5")
    assert again.facts.version.value == "2.3.1"
    x, mask = fed()
    (found,) = evaluate(solve(again.graph, Policy()), [x])
    wanted = walked(x, mask, weights, first=False, backwards=True)
    np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("name", ["new.h5", "new.keras", "new.onnx"])
def test_masks_are_joined_along_time_with_what_has_none(name: str, tmp_path: Path) -> None:
    """Where each step has one feature, as Keras can; every step of an input without mask counts."""
    source, inputs, wanted = beside(tmp_path, features=1)
    answers = tmp_path / "x.npz"
    np.savez(answers, **{f"in_{n}": x for n, x in enumerate(inputs)}, out_0=wanted)
    assert verify(source, expect=answers).equal
    convert(source, tmp_path / name, io_layout="keep", expect=answers)


def test_of_more_features_keras_cannot_join_masks(tmp_path: Path) -> None:
    source, *_ = beside(tmp_path, features=2)
    with pytest.raises(ConfigError, match="only where each step has one feature"):
        load(source)


def beside(folder: Path, features: int) -> tuple[Path, list[np.ndarray], np.ndarray]:
    """A SimpleRNN over masked steps with others behind them."""

    def entry(class_name: str, name: str, *reads: str, **config: Any) -> dict[str, Any]:
        nodes = [[[one, 0, 0, {}] for one in reads]] if reads else []
        said = {"name": name, **config}
        return {"name": name, "class_name": class_name, "config": said, "inbound_nodes": nodes}

    fed = [
        entry("InputLayer", name, batch_input_shape=[None, steps, features], dtype="float32")
        for name, steps in (("x", 4), ("y", 3))
    ]
    layers = [
        *fed,
        entry("Masking", "mask", "x", mask_value=0.0),
        entry("Concatenate", "join", "mask", "y", axis=1),
        entry("SimpleRNN", "rnn", "join", units=UNITS),
    ]
    ends = {"input_layers": [["x", 0, 0], ["y", 0, 0]], "output_layers": [["rnn", 0, 0]]}
    config = {"class_name": "Model", "config": {"name": "model", "layers": layers, **ends}}
    arrays = numbers(features, UNITS), numbers(UNITS, UNITS), numbers(UNITS)
    weights = dict(zip(("rnn/kernel", "rnn/recurrent_kernel", "rnn/bias"), arrays, strict=True))
    held = {one["name"]: {} for one in layers} | {"rnn": weights}
    said = {"keras_version": "2.2.4", "backend": "theano"}
    source = model_file(folder / "old.h5", held, config, **said)
    x, y = numbers(2, 4, features), numbers(2, 3, features)
    x[0, 1] = x[1, 3] = 0
    found = np.zeros((2, UNITS))
    for sample in range(2):
        for step in [*x[sample], *y[sample]]:
            if step.any():
                found[sample] = np.tanh(step @ arrays[0] + found[sample] @ arrays[1] + arrays[2])
    return source, [x, y], found
