"""A model of a channels_first author and its channels_last twin are one graph in ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import pytest
from networks import build, classifier, film, generator, joined_features, siamese
from onnx_models import export, model_of, onnx_policy

import kerasir
from genuine import FixtureCase, fixture_cases
from kerasir.errors import ExportError
from kerasir.passes.pipeline import run_passes
from kerasir.passes.registry import Target

OTHERWISE = {
    "custom_layer": "nobody knows what it computes",
    "flat_first": "the twin says channels_first of a channels_last input",
    "flat_reshape_back": "what is flattened is reshaped by position",
    "global_pools": "an output keeps dimensions of one, in its author's order",
    "lambda_layer": "its code is not run",
    "permute_seq": "its Permute turns what the author has in front",
    "softmax4d": "its softmax runs along the last axis, whichever that is",
}
"""Pairs that are no twins: they compute different functions, and why."""

AS_NORMALIZATION = (
    "a factor is written as a BatchNormalization along the last axis, whichever it is"
)

WRITTEN_OTHERWISE = {
    "keras2.2.4-theano/flat_reshape_back_th": "a Reshape goes by positions",
    "keras3.15.1-jax/adv_act_tf": AS_NORMALIZATION,
    "keras3.15.1-jax/adv_act_th": AS_NORMALIZATION,
    "keras3.15.1-jax/m_operations_tf": AS_NORMALIZATION,
    "keras3.15.1-jax/m_scaling_tf": AS_NORMALIZATION,
    "tf-keras2.21.0-tensorflow/m_functions_tf": AS_NORMALIZATION,
    "tf-keras2.21.0-tensorflow/m_scaling_tf": AS_NORMALIZATION,
}
"""Cases whose files in Keras 2 say otherwise what Keras 2 has no word for, and how they differ."""

REFUSED = ("custom_layer", "lambda_layer")
"""Cases that no ONNX file can be made of."""

SAME_NUMBERS = ("vgg", "inception", "flat_bn_dense", "two_flat_concat", "separable", "deconv")

CASES = {(case.era, case.case): case for case in fixture_cases()}
PAIRS = [
    (case, CASES[era, f"{name[:-3]}_tf"])
    for (era, name), case in sorted(CASES.items())
    if name.endswith("_th") and name[:-3] not in OTHERWISE and (era, f"{name[:-3]}_tf") in CASES
]


SHARED_BY_ALL = [
    case
    for case in CASES.values()
    if (case.era == "keras2.2.4-theano" and case.case.endswith("_th"))
    or case.era in {"keras3.15.1-jax", "tf-keras2.21.0-tensorflow"}
    if not case.case.startswith(REFUSED)
]


def written(source: Path, folder: Path, name: str, **options: Any) -> onnx.ModelProto:
    target = folder / f"{name}.onnx"
    kerasir.convert(source, target, io_layout="match", **options)
    return onnx.load(target)


def drawn(model: onnx.ModelProto) -> tuple[Sequence[Any], ...]:
    """Operators with their attributes, and the extents of what is fed and stored."""
    graph = model.graph
    return (
        [
            (node.op_type, [str(attribute) for attribute in node.attribute if attribute.type != 5])
            for node in graph.node
        ],
        [tuple(tensor.dims) for tensor in graph.initializer],
        [str(value.type) for value in graph.input],
    )


def reading(case: FixtureCase) -> dict[str, Any]:
    silent = case.era.startswith("keras0")
    return {"arch": case.arch, "backend": case.backend if silent else None}


@pytest.mark.parametrize(("first", "last"), PAIRS, ids=[f"{a.era}-{a.case}" for a, _ in PAIRS])
def test_genuine_twins(first: FixtureCase, last: FixtureCase, tmp_path: Path) -> None:
    """The pair was made from one script, with weights of its own each."""
    one, other = (written(c.model, tmp_path, c.case, **reading(c)) for c in (first, last))
    assert drawn(one) == drawn(other)


@pytest.mark.parametrize("name", SAME_NUMBERS)
def test_twins_of_the_same_numbers(name: str, tmp_path: Path) -> None:
    """The twin is what kerasir makes of a genuine file; the weights are the same to the bit."""
    case, twin = CASES["keras2.2.4-theano", f"{name}_tf"], tmp_path / "twin.h5"
    kerasir.convert(case.model, twin, data_format="channels_first", target_backend="theano")
    one, other = written(case.model, tmp_path, "one"), written(twin, tmp_path, "other")
    assert drawn(one)[:1] == drawn(other)[:1]
    numbers = [[t.raw_data for t in model.graph.initializer] for model in (one, other)]
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize("case", SHARED_BY_ALL, ids=lambda case: case.id)
def test_twins_by_conversion(case: FixtureCase, tmp_path: Path) -> None:
    """Either twin is what kerasir makes of a genuine file; nodes are alike, weights to the bit."""
    models = []
    for order in ("channels_first", "channels_last"):
        twin = tmp_path / f"{order}.h5"
        try:
            kerasir.convert(case.model, twin, data_format=order, isolated=False)
        except ExportError:  # Keras 2 cannot say it
            return
        models.append(written(twin, tmp_path, order, isolated=False))
    nodes = [drawn(model)[0] for model in models]
    numbers = [sorted(t.raw_data for t in model.graph.initializer) for model in models]
    same = nodes[0] == nodes[1] and numbers[0] == numbers[1]
    assert same == (case.id not in WRITTEN_OTHERWISE)


@pytest.mark.parametrize("make", [classifier, generator, siamese, joined_features, film])
def test_designed_twins(make: Any, tmp_path: Path) -> None:
    models = []
    for first in (True, False):
        target = Target(policy=onnx_policy("match"), pipeline="onnx")
        graph = run_passes(model_of(build(make, first=first)), target).graph
        folder = tmp_path / str(first)
        folder.mkdir()
        models.append(export(graph, folder, io="match").model)
    assert drawn(models[0])[0] == drawn(models[1])[0]


def test_there_are_pairs() -> None:
    assert len(PAIRS) > 60
