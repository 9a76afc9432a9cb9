"""Results of layers: which are compared, and which count as a difference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from crafted import model_file, numbers

import kerasir
from genuine import FixtureCase
from kerasir.passes.solve import solve
from kerasir.verification import verify
from kerasir.verification.calls import calls_of, gathered
from kerasir.verification.layers import Layers
from kerasir.verification.matching import Matching

Genuine = Callable[[str], FixtureCase]


def test_numbers_in_another_order_are_no_difference_of_models_that_agree(genuine: Genuine) -> None:
    """Two axes of one size, of roles that the files give otherwise."""
    model = kerasir.load(genuine("keras2.2.4-tensorflow/vgg_tf").model)
    call = calls_of(model.graph)[0]
    plan = solve(model.graph, model.policy)
    (settled,) = (one for one in plan.settled if one.node is call.last)
    shape = [size or 2 for size in settled.results[0].shape]
    array = np.random.default_rng(3).normal(size=shape)
    for other, kept in ((array, 1), (-np.sort(-array, axis=-1), 0), (2 * array, 1)):
        layers = Layers([(call, call)], Matching(), 1e-5)
        layers.keep(settled, (array,))
        layers.compare(settled, (other,))
        assert len(layers.found()) == 1
        assert len(layers.found(ordered=True)) == kept


def test_what_a_layer_is_written_as_is_no_help_to_one_of_a_shorter_name(tmp_path: Path) -> None:
    """`cut_1_steps` is a part of `cut_1`, which has no call of its own there, and none of `cut`."""

    def relu(name: str) -> dict[str, Any]:
        config = {"name": name, "activation": "relu", "batch_input_shape": [None, 4]}
        return {"class_name": "Activation", "config": config}

    layers = [relu("cut"), relu("cut_1_steps")]
    config = {"class_name": "Sequential", "config": {"layers": layers}}
    path = model_file(tmp_path / "model.h5", {}, config, keras_version="2.2.4")
    graph = kerasir.load(path, backend="tensorflow").graph
    known = {((), "cut", 0), ((), "cut_1", 0)}
    names = [call.name for call in gathered(calls_of(graph), known, graph).values()]
    assert names == ["cut", "cut_1_steps"]


def test_a_layer_whose_numbers_nothing_orders_is_passed_over(tmp_path: Path) -> None:
    """Flattened rows and features in one file; in the other a Dense of that name gives as many."""
    shape = {"batch_input_shape": [None, 2, 3]}

    def model(name: str, layers: list[Any], weights: dict[str, Any]) -> Path:
        config = {"class_name": "Sequential", "config": {"layers": layers}}
        return model_file(tmp_path / name, weights, config, keras_version="2.2.4")

    def dense(name: str, units: int) -> dict[str, Any]:
        return {"class_name": "Dense", "config": {"name": name, "units": units}}

    out = {"out/kernel:0": numbers(6, 2) / 6, "out/bias:0": numbers(2)}
    flat = {"class_name": "Flatten", "config": {"name": "flat", **shape}}
    before = {"class_name": "Flatten", "config": {"name": "before", **shape}}
    same = {"flat/kernel:0": np.eye(6, dtype="f4"), "flat/bias:0": np.zeros(6, "f4")}
    a = model("a.h5", [flat, dense("out", 2)], {"flat": {}, "out": out})
    b = model(
        "b.h5", [before, dense("flat", 6), dense("out", 2)],
        {"before": {}, "flat": same, "out": out},
    )  # fmt: skip
    found = verify(str(a), str(b), backend="tensorflow")
    assert [layer.name for layer in found.layers] == ["out"]
    assert found.equal
    wrong = {**out, "out/bias:0": numbers(2, start=1)}
    c = model(
        "c.h5", [before, dense("flat", 6), dense("out", 2)],
        {"before": {}, "flat": same, "out": wrong},
    )  # fmt: skip
    assert verify(str(a), str(c), backend="tensorflow").first_difference == "out"
