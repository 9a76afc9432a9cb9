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

IDENTITIES = frozenset({"Layer", "MaskedLayer"})
"""The bases of all layers, which hand on what they get."""

MERGE_KEYS = ("concat_axis", "dot_axes")


def as_keras1(stored: Config, depth: int = 0) -> dict[str, Any]:
    """A Keras 0.3 model's configuration in the form of Keras 1.

    Raises:
        ConfigError: It is neither a Sequential nor a Graph of that era.
    """
    if depth > DEEPEST:
        raise ConfigError(f"models nest deeper than {DEEPEST}")
    kind = stored.get("name")
    if kind == "Sequential" and isinstance(stored.get("layers"), Sequence):
        return _sequential(stored["layers"], depth)
    if kind == "Graph":
        from .keras0_graph import graph

        return graph(stored, depth)
    if "name" not in stored:
        raise ConfigError(
            "no architecture of Keras: neither a class_name nor a name says what it is",
            hint="give what model.to_json() or model.to_yaml() wrote",
        )
    raise ConfigError(f"a model of class {kind!r:.80}", hint="Keras 0.3 has Sequential and Graph")


def listed(stored: Any, what: str, where: str) -> list[Any]:
    """A list; none is one of nothing.

    Raises:
        ConfigError: It is something else.
    """
    if stored is None:
        return []
    if not isinstance(stored, Sequence) or isinstance(stored, str):
        raise ConfigError(f"no list of {what}", where=where, details=(f"found {stored!r:.120}",))
    return [*stored]


class Names:
    """Keras 0.3 does not number its layers; later eras need names that differ."""

    def __init__(self) -> None:
        self._count: dict[str, int] = {}

    def unique(self, name: str) -> str:
        """The name with the number of times that it came."""
        self._count[name] = number = self._count.get(name, 0) + 1
        return f"{name}_{number}"


def _sequential(entries: Sequence[Any], depth: int) -> dict[str, Any]:
    """A Sequential. A shared layer that begins it, over models of their own, is a model by itself.

    What `add_shared_layer` puts into several Sequentials is stored in each of them: a Siamese,
    which is the layer itself there, and a SiameseHead, which picks its result.
    """
    names, layers = Names(), list[dict[str, Any]]()
    for index, entry in enumerate(entries):
        kind = entry.get("name") if isinstance(entry, Mapping) else None
        if kind == "SiameseHead":
            continue
        if kind == "Siamese" and entry.get("merge_mode") and index == 0:
            from .keras0_graph import siamese

            layers.append({**siamese(entry, depth + 1), "name": names.unique("siamese")})
        else:
            layers.append(layer_of(entry, names, depth))
    return {"class_name": "Sequential", "config": layers}


def layer_of(entry: Any, names: Names, depth: int, name: str | None = None) -> dict[str, Any]:
    """One layer, in the form of Keras 1.

    Args:
        entry: As stored.
        names: Those given so far in the model around.
        depth: How many models are around it.
        name: What it is called, where that is known.

    Raises:
        ConfigError: It has no class.
    """
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise ConfigError("a layer without name", details=(f"found {entry!r:.120}",))
    class_name = entry["name"]
    own = name or names.unique(str(entry.get("custom_name") or class_name.lower()))
    if class_name in {"Sequential", "Graph"}:
        return {**as_keras1(entry, depth + 1), "name": own}
    if class_name == "AutoEncoder":
        return {**_auto_encoder(entry, depth + 1), "name": own}
    if class_name == "Siamese":
        return layer_of(entry.get("layer"), names, depth, own)
    config = {key: value for key, value in entry.items() if key not in _KEYS_OF_TRAINING}
    config["name"] = own
    if class_name == "Reshape" and "dims" in config:
        config["target_shape"] = config.pop("dims")
    shape = config.pop("input_shape", None)
    if class_name == "Embedding" and "input_length" in config:
        shape = [config["input_length"]]  # stored is the vocabulary's size
    if isinstance(shape, Sequence):
        config["batch_input_shape"] = [None, *shape]
    if class_name in IDENTITIES:
        return {"class_name": "Activation", "config": {**config, "activation": "linear"}}
    if class_name == "Merge":
        config = merge_config(own, config)
    if "layers" in config:
        models = listed(config["layers"], "models", own)
        config["layers"] = [branch(model, depth + 1) for model in models]
    if isinstance(config.get("layer"), Mapping):
        config["layer"] = layer_of(config["layer"], names, depth + 1)
    return {"class_name": class_name, "config": config}


def branch(entry: Any, depth: int) -> dict[str, Any]:
    """What a Merge reads: a model, or a layer by itself as a model of one."""
    if isinstance(entry, Mapping) and entry.get("name") in ("Sequential", "Graph"):
        return as_keras1(entry, depth)
    return _sequential([entry], depth)


def merge_config(name: str, stored: Config) -> dict[str, Any]:
    """A Merge in the terms of Keras 1, which contracts one axis of either input by its number.

    Keras 0.3 has the axes of either input, or how many of the last ones (`layers/core.py`
    `Merge.__init__`). Its result has no mask.
    """
    axes = stored.get("dot_axes", -1)
    if isinstance(axes, int) and not isinstance(axes, bool):
        last = list(range(-abs(axes), 0))
        axes = [last, last if axes < 0 else list(range(1, axes + 1))]
    found = {key: value for key, value in stored.items() if key not in MERGE_KEYS}
    found |= {"name": name, "dot_axes": axes, "supports_masking": False}
    return {**found, "concat_axis": stored.get("concat_axis", -1)}


def _auto_encoder(entry: Config, depth: int) -> dict[str, Any]:
    """An encoder, and behind it the decoder unless what is hidden is the result.

    The decoder's weights are stored in either case (`AutoEncoder.get_weights`).
    """
    names = Names()
    parts = [
        layer_of(entry.get(f"{part}_config"), names, depth, part) for part in ("encoder", "decoder")
    ]
    if entry.get("output_reconstruction", True):
        return {"class_name": "Sequential", "config": parts}
    given = input_layer("hidden_input", entry.get("encoder_config"), depth)
    encoder, decoder = parts
    layers = [
        given,
        {**encoder, "name": "encoder", "inbound_nodes": [[["hidden_input", 0, 0]]]},
        {**decoder, "name": "decoder", "inbound_nodes": []},
    ]
    return functional("auto_encoder", layers, ["hidden_input"], [["encoder", 0, 0]])


def input_layer(name: str, entry: Any, depth: int) -> dict[str, Any]:
    """An input of the shape that a layer, or a model's first one, states.

    Raises:
        ConfigError: None does.
    """
    shape = dtype = None
    found: Any = entry
    for _ in range(DEEPEST):
        if not isinstance(found, Mapping):
            break
        shape, dtype = _stated(found)
        if shape is not None:
            break
        inside = listed(found.get("layers"), "layers", name)
        found = inside[0] if inside else found.get("encoder_config") or found.get("layer")
    if shape is None:
        raise ConfigError("the model does not say the shape of its input", where=name)
    config = {"name": name, "batch_input_shape": shape, "input_dtype": dtype or "float32"}
    return {"class_name": "InputLayer", "config": config, "name": name, "inbound_nodes": []}


def _stated(entry: Config) -> tuple[list[Any] | None, str | None]:
    """The batch shape that a layer states, and the dtype."""
    if entry.get("name") == "Embedding":
        return [None, entry.get("input_length")], "int32"
    if isinstance(entry.get("batch_input_shape"), Sequence):
        return list(entry["batch_input_shape"]), None
    if isinstance(entry.get("input_shape"), Sequence):
        return [None, *entry["input_shape"]], None
    return None, None


def functional(
    name: str, layers: list[dict[str, Any]], inputs: Sequence[str], outputs: list[Any]
) -> dict[str, Any]:
    """A functional model of Keras 1."""
    config = {
        "name": name,
        "layers": layers,
        "input_layers": [[name, 0, 0] for name in inputs],
        "output_layers": outputs,
    }
    return {"class_name": "Model", "config": config}
