"""A model, its weights and inputs: what generators and designed cases make, and tests consume."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .defaults import CONFIGS
from .evaluate import evaluate, sequential_entries
from .layer import MODELS, Array, Config


class Example(NamedTuple):
    """A Keras 2 model with everything that is needed to run it.

    Weights and inputs are float32, as a file holds them; under the two backends they mean different
    functions.
    """

    name: str
    config: Config
    """`model_config`: `{"class_name": ..., "config": ...}`."""
    weights: dict[str, list[Array]]
    """As Keras stores them, by layer; `block_1/dense_1` is a layer of a nested model."""
    inputs: list[Array]

    def outputs(self, backend: str = "theano") -> list[Array]:
        """What the model predicts, in float64."""
        return evaluate(self.config, self.weights, self.inputs, backend)

    def classes(self) -> frozenset[str]:
        """Every layer class in it, wrapped and nested ones too."""
        return frozenset(entry["class_name"] for entry in entries(self.config))

    def describe(self) -> str:
        """One line per layer, for whoever looks at a failure."""
        return "\n".join([f"{self.name}:", *_lines(self.config, "  ")])


def entries(entry: Config) -> Iterator[Config]:
    """An entry of a config, and all that is nested or wrapped in it."""
    yield entry
    config = entry["config"]
    if entry["class_name"] in MODELS:
        for inner in sequential_entries(config):
            yield from entries(inner)
    elif "layer" in config:
        yield from entries(config["layer"])


def _lines(model: Config, indent: str) -> Iterator[str]:
    for entry in sequential_entries(model["config"]):
        name = entry.get("name") or entry["config"]["name"]
        links = " ".join(
            "(" + ", ".join(_link(link) for link in node) + ")"
            for node in entry.get("inbound_nodes", [])
        )
        yield f"{indent}{name} = {_short(entry)} {links}".rstrip()
        for inner in entries(entry):
            if inner["class_name"] in MODELS:
                yield from _lines(inner, indent + "    ")
                break
    if isinstance(model["config"], dict) and "output_layers" in model["config"]:
        yield f"{indent}-> " + ", ".join(_link(link) for link in model["config"]["output_layers"])


def _link(link: list[Any]) -> str:
    layer, call, result = link[:3]
    return f"{layer}{f'@{call}' if call else ''}{f'[{result}]' if result else ''}"


def _short(entry: Config) -> str:
    """A class and what of its config is not the default."""
    class_name, config = entry["class_name"], entry["config"]
    if class_name in MODELS:
        return str(class_name)
    usual = CONFIGS.get(class_name, {}) | {"trainable": True, "dtype": "float32", "sparse": False}
    told = [
        f"{key}={_short(found) if key == 'layer' else found}"
        for key, found in config.items()
        if key != "name" and found not in (usual.get(key, ...), [usual.get(key)] * _length(found))
    ]
    return f"{class_name}({', '.join(told)})"


def _length(found: object) -> int:
    return len(found) if isinstance(found, list) else 0
