"""Run a Keras 2 model on arrays, in float64, knowing positions only.

`evaluate` takes the `model_config` of a Keras 2 file as it is: functional or Sequential, in either
form of a Sequential's config, nested, with shared layers, several inputs and outputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import (  # ruff: ignore[unused-import] - each registers what its classes mean
    activation,
    convolution,
    dense,
    merge,
    normalization,
    pooling,
    recurrent,
    resizing,
    shape,
)
from .layer import MODELS, Array, Config, Layer, NotModelled, Value, Weights, apply, means_values

Key = tuple[str, int, int]
"""A value in a functional config: layer, which of its calls, which of the call's results."""


def evaluate(
    config: Config,
    weights: Weights,
    inputs: Sequence[Array],
    backend: str = "theano",
    version: str = "2.2.4",
) -> list[Array]:
    """Predict.

    Args:
        config: `{"class_name": "Model" or "Sequential", "config": ...}` of Keras 2.0 to 2.3.
        weights: as Keras stores them, by layer; `block_1/dense_1` is a layer of a nested model.
        inputs: in the model's order, batch first.
        backend: what computes: `theano` (kernels reversed, its own 'same') or `tensorflow`.
        version: the Keras that computes; one rule of the Theano backend changed (`pooling`).

    Raises:
        NotModelled: the model uses what the oracle does not know.
    """
    assert backend in {"theano", "tensorflow"}, backend
    store = {layer: [double(array) for array in arrays] for layer, arrays in weights.items()}
    release = tuple(int(part) for part in version.split("."))
    model = Layer(config["class_name"], config["config"], "", store, backend, release)
    with np.errstate(all="raise", under="ignore"):
        values = apply(model, *(Value(double(array)) for array in inputs))
    return [value.array for value in values]


def double(array: Array) -> Array:
    return np.asarray(array, np.float64)


def member(model: Layer, entry: Config) -> Layer:
    """A layer of a model. A Sequential nested by Keras 2.0 has its name outside its config only."""
    config = entry["config"]
    name = entry["name"] if "name" in entry else config["name"]
    path = f"{model.path}/{name}" if model.path else name
    return model._replace(class_name=entry["class_name"], config=config, path=path)


def sequential_entries(config: Any) -> list[Config]:
    """The layers of a Sequential: a bare list up to Keras 2.2.2, under a key since."""
    return list(config if isinstance(config, list) else config["layers"])


@means_values("Sequential")
def sequential(model: Layer, *values: Value) -> list[Value]:
    flow = list(values)
    for entry in sequential_entries(model.config):
        if entry["class_name"] != "InputLayer":
            flow = apply(member(model, entry), *flow)
    return flow


class Call(NamedTuple):
    """One call of a layer: which of its calls, and what it is called on."""

    entry: Config
    number: int
    inputs: tuple[Key, ...]

    @property
    def id(self) -> tuple[str, int]:
        return self.entry["name"], self.number


def calls(config: Config) -> Iterator[Call]:
    """Every call in a functional config. A nested model's count from 1: 0 was its own making."""
    for entry in config["layers"]:
        first = 1 if entry["class_name"] in MODELS else 0
        for number, node in enumerate(entry["inbound_nodes"], first):
            if any(len(link) > 3 and link[3] for link in node):
                raise NotModelled("arguments of a call")
            yield Call(entry, number, tuple(key(link) for link in node))


def key(link: Sequence[Any]) -> Key:
    layer, call, result = link[:3]
    return layer, call, result


def calls_in_order(config: Config) -> list[Call]:
    """The calls, each behind those that it needs; the order in the config says nothing."""
    made = {key(link)[:2] for link in config["input_layers"]}
    waiting, order = list(calls(config)), []
    while waiting:
        ready = [call for call in waiting if made.issuperset(link[:2] for link in call.inputs)]
        assert ready, f"calls that can never run: {[call.id for call in waiting]}"
        made.update(call.id for call in ready)
        order += ready
        waiting = [call for call in waiting if call.id not in made]
    return order


@means_values("Model")
def functional(model: Layer, *inputs: Value) -> list[Value]:
    config = model.config
    found = {key(link): value for link, value in zip(config["input_layers"], inputs, strict=True)}
    for call in calls_in_order(config):
        results = apply(member(model, call.entry), *(found[link] for link in call.inputs))
        found.update(((*call.id, number), value) for number, value in enumerate(results))
    return [found[key(link)] for link in config["output_layers"]]


@means_values("TimeDistributed")
def time_distributed(layer: Layer, x: Value) -> list[Value]:
    """Position 1 joins the batch. A model inside finds its weights below the wrapper's name."""
    batch, steps = x.array.shape[:2]
    inner = layer.wrapped(layer.config["layer"])
    merged = Value(x.array.reshape(batch * steps, *x.array.shape[2:]))
    return [
        Value(y.array.reshape(batch, steps, *y.array.shape[1:]), x.mask)
        for y in apply(inner, merged)
    ]
