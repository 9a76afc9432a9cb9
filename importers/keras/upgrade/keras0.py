"""Keras 0.3: one flat object per layer, its class called `name`, its name `custom_name`.

Rewritten into the form of Keras 1, whose tables then apply. Source: Keras 0.3.3
`utils/layer_utils.py` (`container_from_config`), `models.py`, `layers/containers.py`
(`Graph.add_node`, `add_shared_node`, `add_output`), `layers/core.py` (`Siamese`).
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
        return _graph(stored, depth)
    if "name" not in stored:
        raise ConfigError(
            "no architecture of Keras: neither a class_name nor a name says what it is",
            hint="give what model.to_json() or model.to_yaml() wrote",
        )
    raise ConfigError(f"a model of class {kind!r:.80}", hint="Keras 0.3 has Sequential and Graph")


def _listed(stored: Any, what: str, where: str) -> list[Any]:
    """A list; none is one of nothing.

    Raises:
        ConfigError: It is something else.
    """
    if stored is None:
        return []
    if not isinstance(stored, Sequence) or isinstance(stored, str):
        raise ConfigError(f"no list of {what}", where=where, details=(f"found {stored!r:.120}",))
    return [*stored]


class _Names:
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
    names, layers = _Names(), list[dict[str, Any]]()
    for index, entry in enumerate(entries):
        kind = entry.get("name") if isinstance(entry, Mapping) else None
        if kind == "SiameseHead":
            continue
        if kind == "Siamese" and entry.get("merge_mode") and index == 0:
            layers.append({**_siamese(entry, depth + 1), "name": names.unique("siamese")})
        else:
            layers.append(_layer_of(entry, names, depth))
    return {"class_name": "Sequential", "config": layers}


def _layer_of(entry: Any, names: _Names, depth: int, name: str | None = None) -> dict[str, Any]:
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
        return _layer_of(entry.get("layer"), names, depth, own)
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
        config = _merge_config(own, config)
    if "layers" in config:
        models = _listed(config["layers"], "models", own)
        config["layers"] = [_branch(model, depth + 1) for model in models]
    if isinstance(config.get("layer"), Mapping):
        config["layer"] = _layer_of(config["layer"], names, depth + 1)
    return {"class_name": class_name, "config": config}


def _branch(entry: Any, depth: int) -> dict[str, Any]:
    """What a Merge reads: a model, or a layer by itself as a model of one."""
    if isinstance(entry, Mapping) and entry.get("name") in ("Sequential", "Graph"):
        return as_keras1(entry, depth)
    return _sequential([entry], depth)


def _merge_config(name: str, stored: Config) -> dict[str, Any]:
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
    names = _Names()
    parts = [
        _layer_of(entry.get(f"{part}_config"), names, depth, part)
        for part in ("encoder", "decoder")
    ]
    if entry.get("output_reconstruction", True):
        return {"class_name": "Sequential", "config": parts}
    given = _input_layer("hidden_input", entry.get("encoder_config"), depth)
    encoder, decoder = parts
    layers = [
        given,
        {**encoder, "name": "encoder", "inbound_nodes": [[["hidden_input", 0, 0]]]},
        {**decoder, "name": "decoder", "inbound_nodes": []},
    ]
    return _functional("auto_encoder", layers, ["hidden_input"], [["encoder", 0, 0]])


def _input_layer(name: str, entry: Any, depth: int) -> dict[str, Any]:
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
        inside = _listed(found.get("layers"), "layers", name)
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


def _functional(
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


# ---- Graph, and layers that several models share ----------------------------------------------

Link = list[Any]
"""A reference `[layer, call, tensor]`."""


class _Graph:
    """The layers so far, and where each name of the Graph is found among them."""

    def __init__(self, depth: int) -> None:
        self.depth, self.names = depth, _Names()
        self.layers: list[dict[str, Any]] = []
        self._found: dict[str, list[Link]] = {}

    def links(self, names: Any, where: str) -> list[Link]:
        """What nodes give; one that is shared and not merged gives as much as it is called for.

        Raises:
            ConfigError: There is no such node.
        """
        found: list[Link] = []
        for name in _listed(names, "names of nodes", where):
            if not isinstance(name, str) or name not in self._found:
                raise ConfigError(f"a node reads {name!r:.80}, which is not there", where=where)
            found += self._found[name]
        return found

    def add(self, name: str, layer: dict[str, Any], calls: Sequence[Sequence[Link]]) -> list[Link]:
        """A layer, called with each of these; what it gives."""
        nodes = [[list(link) for link in call] for call in calls]
        self.layers.append({**layer, "name": name, "inbound_nodes": nodes})
        first = int(layer["class_name"] in {"Sequential", "Model"})  # call 0 made the model
        return self.let(name, [[name, first + n, 0] for n in range(len(nodes))])

    def let(self, name: str, links: list[Link]) -> list[Link]:
        """Say where a name of the Graph is found."""
        self._found[name] = links
        return links

    def merged(self, name: str, entry: Config, links: Sequence[Link], default: str) -> list[Link]:
        """The Merge of several nodes that an entry asks for."""
        config = {
            "mode": entry.get("merge_mode") or default,
            **{key: entry[key] for key in ("concat_axis", "dot_axes") if key in entry},
        }
        layer = {"class_name": "Merge", "config": _merge_config(name, config)}
        return self.add(name, layer, [links])

    def one(self, entry: Config, name: str, default: str = "concat") -> list[Link]:
        """What a node or an output reads: one node, or a Merge of several, which is put in."""
        if entry.get("input") is not None:
            return self.links([entry["input"]], name)
        links = self.links(entry.get("inputs"), name)
        if not links:
            raise ConfigError("a node that reads nothing", where=name)
        return links if len(links) == 1 else self.merged(f"{name}_merge", entry, links, default)

    def node(self, name: str, entry: Config, stored: Any) -> None:
        """A node."""
        kind = stored.get("name") if isinstance(stored, Mapping) else None
        if kind == "SiameseHead":
            links = self.links(entry.get("inputs"), name)
            head = stored.get("head")
            if not isinstance(head, int) or not 0 <= head < len(links):
                raise ConfigError(f"a SiameseHead of result {head!r:.80}", where=name)
            self.let(name, [links[head]])
            return
        if kind != "Siamese":
            layer = _layer_of(stored, self.names, self.depth, name)
            self.add(name, layer, [self.one(entry, name)])
            return
        mode = stored.get("merge_mode")
        inner = _layer_of(stored.get("layer"), self.names, self.depth, name)
        calls = [[link] for link in self.links(entry.get("inputs"), name)]
        links = self.add(name, inner, calls)
        if mode:
            self.let(name, self.merged(f"{name}_merge", stored, links, mode))


def _graph(stored: Config, depth: int) -> dict[str, Any]:
    """A Graph as a functional model; several inputs of a node become a Merge before it.

    Raises:
        ConfigError: Its nodes are no list of entries with names, or read what is not there.
    """
    made = _Graph(depth)
    for name, entry in _entries(stored, "input_config"):
        shape = _listed(entry.get("input_shape"), "extents", name)
        config = {
            "name": name,
            "batch_input_shape": _listed(entry.get("batch_input_shape"), "extents", name)
            or [None, *shape],
            "input_dtype": "int32" if entry.get("dtype") == "int" else "float32",
        }
        made.layers.append({
            "class_name": "InputLayer", "config": config, "name": name, "inbound_nodes": [],
        })  # fmt: skip
        made.let(name, [[name, 0, 0]])
    nodes = stored.get("nodes")
    held: Config = nodes if isinstance(nodes, Mapping) else {}
    for name, entry in _entries(stored, "node_config"):
        made.node(name, entry, held.get(name))
    outputs = [
        link for name, entry in _entries(stored, "output_config") for link in made.one(entry, name)
    ]
    given = _listed(stored.get("input_order"), "names of inputs", "input_order")
    return _functional("graph", made.layers, given, outputs)


def _entries(stored: Config, key: str) -> list[tuple[str, Config]]:
    """The entries of a Graph's list, each with its name."""
    found: list[tuple[str, Config]] = []
    for entry in _listed(stored.get(key), "entries", key):
        name = entry.get("name") if isinstance(entry, Mapping) else None
        if not isinstance(name, str):
            raise ConfigError(
                "an entry without name", where=key, details=(f"found {entry!r:.120}",)
            )
        found.append((name, entry))
    return found


def _siamese(stored: Config, depth: int) -> dict[str, Any]:
    """A layer over several models, merged: it stands first, since its weights do.

    Source: `Siamese.get_weights`: the layer's, then those of its inputs.
    """
    made = _Graph(depth)
    given: list[str] = []
    fed: list[list[Link]] = []
    for number, entry in enumerate(_listed(stored.get("inputs"), "models", "Siamese"), 1):
        given.append(f"input_{number}")
        made.layers.append(_input_layer(given[-1], entry, depth))
        links = made.let(given[-1], [[given[-1], 0, 0]])
        fed.append(made.add(f"branch_{number}", _branch(entry, depth), [links]))
    inner = _layer_of(stored.get("layer"), made.names, depth, "shared")
    links = made.add("shared", inner, fed)
    made.layers.insert(0, made.layers.pop())
    merge = made.merged("merge", stored, links, "concat")
    return _functional("siamese", made.layers, given, merge)
