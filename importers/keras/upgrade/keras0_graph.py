"""Keras 0.3's Graph, and layers that it shares, as functional models of Keras 1.

Source: Keras 0.3.3 `layers/containers.py` (`Graph.add_node`, `add_shared_node`, `add_output`),
`layers/core.py` (`Siamese`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import ConfigError
from .keras0 import Config, Names, branch, functional, input_layer, layer_of, merge_config

Link = list[Any]
"""A reference `[layer, call, tensor]`."""


class _Graph:
    """The layers so far, and where each name of the Graph is found among them."""

    def __init__(self, depth: int) -> None:
        self.depth, self.names = depth, Names()
        self.layers: list[dict[str, Any]] = []
        self._found: dict[str, list[Link]] = {}

    def links(self, names: Sequence[Any], where: str) -> list[Link]:
        """What nodes give; one that is shared and not merged gives as much as it is called for.

        Raises:
            ConfigError: There is no such node.
        """
        missing = [name for name in names if name not in self._found]
        if missing:
            raise ConfigError(f"a node reads {missing[0]!r:.80}, which is not there", where=where)
        return [link for name in names for link in self._found[name]]

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
        layer = {"class_name": "Merge", "config": merge_config(name, config)}
        return self.add(name, layer, [links])

    def one(self, entry: Config, name: str, default: str = "concat") -> list[Link]:
        """What a node or an output reads: one node, or a Merge of several, which is put in."""
        if entry.get("input") is not None:
            return self.links([entry["input"]], name)
        links = self.links(entry.get("inputs") or [], name)
        if not links:
            raise ConfigError("a node that reads nothing", where=name)
        return links if len(links) == 1 else self.merged(f"{name}_merge", entry, links, default)

    def node(self, entry: Config, stored: Any) -> None:
        """A node."""
        name = entry["name"]
        kind = stored.get("name") if isinstance(stored, Mapping) else None
        if kind == "SiameseHead":
            links = self.links(entry.get("inputs") or [], name)
            head = stored.get("head")
            if not isinstance(head, int) or not 0 <= head < len(links):
                raise ConfigError(f"a SiameseHead of result {head!r:.80}", where=name)
            self.let(name, [links[head]])
            return
        if kind != "Siamese":
            layer = layer_of(stored, self.names, self.depth, name)
            self.add(name, layer, [self.one(entry, name)])
            return
        mode = stored.get("merge_mode")
        inner = layer_of(stored.get("layer"), self.names, self.depth, name)
        calls = [[link] for link in self.links(entry.get("inputs") or [], name)]
        links = self.add(name, inner, calls)
        if mode:
            self.let(name, self.merged(f"{name}_merge", stored, links, mode))


def graph(stored: Config, depth: int) -> dict[str, Any]:
    """A Graph as a functional model; several inputs of a node become a Merge before it."""
    made = _Graph(depth)
    for entry in stored.get("input_config", ()):
        name = entry["name"]
        whole = entry.get("batch_input_shape")
        config = {
            "name": name,
            "batch_input_shape": list(whole) if whole else [None, *entry.get("input_shape", ())],
            "input_dtype": "int32" if entry.get("dtype") == "int" else "float32",
        }
        made.layers.append({
            "class_name": "InputLayer", "config": config, "name": name, "inbound_nodes": [],
        })  # fmt: skip
        made.let(name, [[name, 0, 0]])
    nodes = stored.get("nodes", {})
    for entry in stored.get("node_config", ()):
        made.node(entry, nodes.get(entry["name"]))
    outputs = [
        link for entry in stored.get("output_config", ()) for link in made.one(entry, entry["name"])
    ]
    return functional("graph", made.layers, stored.get("input_order", ()), outputs)


def siamese(stored: Config, depth: int) -> dict[str, Any]:
    """A layer over several models, merged: it stands first, since its weights do.

    Source: `Siamese.get_weights`: the layer's, then those of its inputs.
    """
    made = _Graph(depth)
    given: list[str] = []
    fed: list[list[Link]] = []
    for number, entry in enumerate(stored.get("inputs") or (), 1):
        given.append(f"input_{number}")
        made.layers.append(input_layer(given[-1], entry, depth))
        links = made.let(given[-1], [[given[-1], 0, 0]])
        fed.append(made.add(f"branch_{number}", branch(entry, depth), [links]))
    inner = layer_of(stored.get("layer"), made.names, depth, "shared")
    links = made.add("shared", inner, fed)
    made.layers.insert(0, made.layers.pop())
    merge = made.merged("merge", stored, links, "concat")
    return functional("siamese", made.layers, given, merge)
