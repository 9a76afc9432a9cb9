"""Keras 0.3: one flat object per layer, its class called `name`, its name `custom_name`.

Rewritten into the form of Keras 1, whose tables then apply. Source: Keras 0.3.3
`utils/layer_utils.py` (`container_from_config`), `layers/containers.py` (`Graph`), `models.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import ConfigError

Config = Mapping[str, Any]

DEEPEST = 64
"""How deep models may nest."""

_KEYS_OF_TRAINING = frozenset({"cache_enabled", "custom_name", "name", "theano_mode", "class_mode"})


def as_keras1(stored: Config, depth: int = 0) -> dict[str, Any]:
    """A Keras 0.3 model's configuration in the form of Keras 1.

    Raises:
        ConfigError: It is neither a Sequential nor a Graph of that era.
    """
    if depth > DEEPEST:
        raise ConfigError(f"models nest deeper than {DEEPEST}")
    kind = stored.get("name")
    if kind == "Sequential" and isinstance(stored.get("layers"), Sequence):
        names = _Names()
        layers = [_layer(entry, names, depth) for entry in stored["layers"]]
        return {"class_name": "Sequential", "config": layers}
    if kind == "Graph":
        return _graph(stored, depth)
    raise ConfigError(f"a model of class {kind!r:.80}", hint="Keras 0.3 has Sequential and Graph")


class _Names:
    """Keras 0.3 does not number its layers; later eras need names that differ."""

    def __init__(self) -> None:
        self._count: dict[str, int] = {}

    def unique(self, name: str) -> str:
        self._count[name] = number = self._count.get(name, 0) + 1
        return f"{name}_{number}"


def _layer(entry: Any, names: _Names, depth: int, name: str | None = None) -> dict[str, Any]:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise ConfigError("a layer without name", details=(f"found {entry!r:.120}",))
    class_name = entry["name"]
    if class_name in {"Sequential", "Graph"}:
        return as_keras1(entry, depth + 1)
    config = {key: value for key, value in entry.items() if key not in _KEYS_OF_TRAINING}
    config["name"] = name or names.unique(str(entry.get("custom_name") or class_name.lower()))
    shape = config.pop("input_shape", None)
    if class_name == "Embedding" and "input_length" in config:
        shape = [config["input_length"]]  # stored is the vocabulary's size
    if isinstance(shape, Sequence):
        config["batch_input_shape"] = [None, *shape]
    if "layers" in config:
        config["layers"] = [as_keras1(model, depth + 1) for model in config["layers"]]
    if isinstance(config.get("layer"), Mapping):
        config["layer"] = _layer(config["layer"], names, depth + 1)
    return {"class_name": class_name, "config": config}


def _graph(stored: Config, depth: int) -> dict[str, Any]:
    """A Graph as a functional model; several inputs of a node become a Merge before it."""
    names, layers = _Names(), list[dict[str, Any]]()
    for entry in stored.get("input_config", ()):
        shape = [None, *entry.get("input_shape", ())]
        dtype = "int32" if entry.get("dtype") == "int" else "float32"
        config = {"name": entry["name"], "batch_input_shape": shape, "input_dtype": dtype}
        layers.append({"class_name": "InputLayer", "config": config, "name": entry["name"],
                       "inbound_nodes": []})  # fmt: skip
    nodes = stored.get("nodes", {})
    for entry in stored.get("node_config", ()):
        name = entry["name"]
        layer = _layer(nodes.get(name), names, depth, name)
        source = _source(entry, name, layers)
        layers.append({**layer, "name": name, "inbound_nodes": [[[source, 0, 0]]]})
    outputs = [_source(entry, entry["name"], layers) for entry in stored.get("output_config", ())]
    return {
        "class_name": "Model",
        "config": {
            "name": "graph",
            "layers": layers,
            "input_layers": [[name, 0, 0] for name in stored.get("input_order", ())],
            "output_layers": [[name, 0, 0] for name in outputs],
        },
    }


def _source(entry: Config, name: str, layers: list[dict[str, Any]]) -> str:
    """The one layer that a node reads; where it reads several, a Merge of them is put in."""
    inputs = entry.get("inputs") or []
    if entry.get("input") is not None:
        return str(entry["input"])
    if not inputs:
        raise ConfigError("a node that reads nothing", where=name)
    merge = f"{name}_merge"
    config = {
        "name": merge,
        "mode": entry.get("merge_mode"),
        "concat_axis": entry.get("concat_axis", -1),
        "dot_axes": entry.get("dot_axes", -1),
    }
    links = [[source, 0, 0] for source in inputs]
    layers.append({
        "class_name": "Merge",
        "config": config,
        "name": merge,
        "inbound_nodes": [links],
    })
    return merge
