"""The oracle of the property tests, itself checked against genuine files."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings

from genuine import FixtureCase
from oracle.cases import CASES, examples
from oracle.evaluate import evaluate
from oracle.example import Example, entries
from oracle.files import read_keras2
from oracle.generate import LARGEST_VALUE, models, random_model
from oracle.layer import Array, Config, NotModelled
from oracle.reduce import cut, reduced, values_of, with_outputs
from sources import PROJECT

KERAS_2 = ("keras2.0.8-theano", "keras2.2.4-theano", "keras2.2.4-tensorflow", "keras2.3.1-theano")
CUSTOM = ("custom_layer_", "lambda_layer_")
"""Cases with code of their own, which nothing can evaluate but Keras."""

BEYOND = (
    "g_absent_",
    "g_bilinear_",
    "g_cells_",
    "g_chain_of_models_",
    "g_cudnn_",
    "g_distributed_twice_",
    "g_legacy_",
    "g_masks_",
    "g_pools3d_same_",
    "g_stacked_",
)
"""Cases of layers, forms and rules that the oracle's loops do not have: no random model has them.
`test_fixtures.py` holds kerasir's own reference against them."""

TOLERANCE = 1e-5
"""Of the largest number in an output: genuine ones were computed in float32."""

SEEDS = range(40)


def difference(got: list[Array], wanted: list[Array]) -> float:
    """The largest difference, relative to the largest number of its output."""
    assert [array.shape for array in got] == [array.shape for array in wanted]
    pairs = zip(got, wanted, strict=True)
    return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in pairs)


@pytest.mark.fixture_cases(
    eras=KERAS_2, where=lambda case: not case.case.startswith((*CUSTOM, *BEYOND))
)
def test_genuine_predictions(fixture_case: FixtureCase) -> None:
    found = read_keras2(fixture_case.model)
    assert found.backend == fixture_case.backend
    got = evaluate(found.config, found.weights, fixture_case.inputs(), found.backend, found.version)
    assert difference(got, fixture_case.outputs()) < TOLERANCE


@pytest.mark.fixture_cases(eras=KERAS_2, where=lambda case: case.case.startswith(CUSTOM))
def test_code_of_ones_own_is_refused(fixture_case: FixtureCase) -> None:
    found = read_keras2(fixture_case.model)
    with pytest.raises(NotModelled):
        evaluate(found.config, found.weights, fixture_case.inputs(), found.backend)


@pytest.mark.fixture_cases(
    eras=("keras2.2.4-theano", "keras2.2.4-tensorflow"),
    where=lambda case: case.case.startswith(("vgg_", "even_same_", "pool_same_", "deconv_")),
)
def test_the_other_backend_predicts_something_else(fixture_case: FixtureCase) -> None:
    found = read_keras2(fixture_case.model)
    other = {"theano": "tensorflow", "tensorflow": "theano"}[found.backend]
    got = evaluate(found.config, found.weights, fixture_case.inputs(), other)
    assert difference(got, fixture_case.outputs()) > 0.01


def test_random_models_are_the_same_every_time() -> None:
    """In this process, and in another one."""
    script = (
        "import sys, zlib; from oracle.generate import random_model\n"
        "for seed in range(6):\n"
        "    e = random_model(seed, 9); y = e.outputs()\n"
        "    print(e.describe(), [zlib.crc32(a.tobytes()) for a in [*e.inputs, *y]])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": str(PROJECT / "tests" / "support"), "PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2")
    }
    (text,) = printed
    assert all(random_model(seed, 9).describe() in text for seed in range(6))


def is_model(entry: Config) -> bool:
    return entry["class_name"] in {"Model", "Sequential"}


def called(model: Config) -> list[Config]:
    """The layers within a model that are called, wrapped ones left out."""
    return [entry for entry in entries(model) if "inbound_nodes" in entry]


def test_random_models_hold_what_they_promise() -> None:
    classes: Counter[str] = Counter()
    met: Counter[str] = Counter()
    for seed in SEEDS:
        example = random_model(seed, 16)
        classes.update(example.classes())
        layers = called(example.config)
        nested = [layer for layer in layers if is_model(layer)]
        formats = {x["config"].get("data_format") for x in layers if x not in nested}
        met["shared"] += any(len(layer["inbound_nodes"]) > 1 for layer in layers)
        met["nested twice"] += any(len(layer["inbound_nodes"]) > 1 for layer in nested)
        met["two levels"] += any(is_model(x) for layer in nested for x in called(layer)[1:])
        met["both formats"] += {"channels_first", "channels_last"} <= formats
        met["several inputs"] += len(example.inputs) > 1
        met["several outputs"] += len(example.config["config"]["output_layers"]) > 1
    assert min(met.values()) >= len(SEEDS) // 10, met
    often = "Dense", "Conv2D", "BatchNormalization", "Flatten", "Reshape", "Permute", "Add"
    assert min(classes[name] for name in often) >= len(SEEDS) // 4, classes
    assert len(classes) > 35


@pytest.mark.parametrize("seed", SEEDS)
def test_random_models_are_sound(seed: int) -> None:
    """Finite, not constant, small; and the backend matters as soon as something is convolved."""
    example = random_model(seed, 12)
    for backend in ("theano", "tensorflow"):
        for output in example.outputs(backend):
            assert np.isfinite(output).all()
            assert output.size == len(output) or np.ptp(output) > 0
            assert output[0].size <= LARGEST_VALUE
    kernels = {"Conv1D", "Conv2D", "Conv3D"} & example.classes()
    assert kernels or difference(example.outputs(), example.outputs()) == 0


def test_a_smaller_size_is_a_beginning() -> None:
    common = 0
    for seed in SEEDS:
        small, large = (random_model(seed, size).weights for size in (6, 12))
        for name in small.keys() & large.keys():
            common += 1
            pairs = zip(small[name], large[name], strict=True)
            assert all(np.array_equal(a, b) for a, b in pairs)
    assert common > len(SEEDS)


def test_allowed_classes_are_kept_to() -> None:
    allowed = {"Dense", "Conv2D", "Flatten", "Add", "TimeDistributed"}
    met = frozenset[str]().union(*(random_model(s, 10, allowed=allowed).classes() for s in SEEDS))
    assert met == allowed | {"Model", "Sequential", "InputLayer"}


def test_random_sequentials() -> None:
    for seed in SEEDS:
        example = random_model(seed, 8, sequential=True)
        assert example.config["class_name"] == "Sequential"
        assert "batch_input_shape" in json.dumps(example.config["config"]["layers"][0])
        assert len(example.outputs()) == 1


@settings(max_examples=20)
@given(example=models(max_size=8))
def test_models_as_a_strategy(example: Example) -> None:
    assert example.outputs("tensorflow")


# Designed cases


def test_cases_are_many_and_named() -> None:
    built = list(examples())
    assert len(built) > 80
    assert [example.name for example in built] == list(CASES)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    """Runs under both backends, and says something."""
    example = CASES[name]()
    for backend in ("theano", "tensorflow"):
        for output in example.outputs(backend):
            assert np.isfinite(output).all()
            assert np.ptp(output) > 0


@pytest.mark.parametrize("name", ["flatten_dense", "flatten_chain", "concatenated_flattens"])
def test_the_classic_bug_is_seen(name: str) -> None:
    """A Dense whose rows are in the order of the other data format gives other numbers."""
    example = CASES[name]()
    last = list(example.weights)[-1]
    kernel, bias = example.weights[last]
    rows = np.arange(len(kernel) // 4 * 4).reshape(4, -1).T.ravel()
    moved = kernel.copy()
    moved[: len(rows)] = kernel[rows]
    wrong = example._replace(weights=example.weights | {last: [moved, bias]})
    assert difference(wrong.outputs(), example.outputs()) > 0.1


# Making failures small


def has_reversed_kernel(example: Example) -> bool:
    return difference(example.outputs("theano"), example.outputs("tensorflow")) > 1e-6


def test_a_failure_is_reduced() -> None:
    example = next(filter(has_reversed_kernel, (random_model(seed, 20) for seed in SEEDS)))
    small = reduced(example, has_reversed_kernel)
    assert has_reversed_kernel(small)
    kinds = Counter(entry["class_name"] for entry in small.config["config"]["layers"])
    assert kinds.total() - kinds["InputLayer"] == 1


@pytest.mark.parametrize("seed", range(8))
def test_parts_of_a_model_keep_their_numbers(seed: int) -> None:
    example = random_model(seed, 14)
    for value in values_of(example):
        part = with_outputs(example, [value])
        shorter = cut(example, value, part.outputs()[0])
        assert difference(shorter.outputs(), example.outputs()) < 1e-3


# Independence


def test_the_oracle_shares_no_code_with_its_subject() -> None:
    files = list((PROJECT / "tests" / "support" / "oracle").glob("*.py"))
    assert len(files) > 15
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                assert not any(alias.name.startswith("kerasir") for alias in node.names), file
            elif isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("kerasir"), file
