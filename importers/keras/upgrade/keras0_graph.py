"""Keras 0.3's Graph, and layers that it shares, as functional models of Keras 1.

Source: Keras 0.3.3 `layers/containers.py` (`Graph.add_node`, `add_shared_node`, `add_output`),
`layers/core.py` (`Siamese`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import ConfigError
from .keras0 import (
    Config,
    Names,
    branch,
    functional,
    input_layer,
    layer_of,
    listed,
    merge_config,
)

Link = list[Any]
"""A reference `[layer, call, tensor]`."""


class _Graph:
    """The layers so far, and where each name of the Graph is found among them."""

    def __init__(self, depth: int) -> None:
        self.depth, self.names = depth, Names()
        self.layers: list[dict[str, Any]] = []
        self._found: dict[str, list[Link]] = {}

    def links(self, names: Any, where: str) -> list[Link]:
        """What nodes give; one that is shared and not merged gives as much as it is called for.

        Raises:
            ConfigError: There is no such node.
        """
        found: list[Link] = []
        for name in listed(names, "names of nodes", where):
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
        layer = {"class_name": "Merge", "config": merge_config(name, config)}
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
            layer = layer_of(stored, self.names, self.depth, name)
            self.add(name, layer, [self.one(entry, name)])
            return
        mode = stored.get("merge_mode")
        inner = layer_of(stored.get("layer"), self.names, self.depth, name)
        calls = [[link] for link in self.links(entry.get("inputs"), name)]
        links = self.add(name, inner, calls)
        if mode:
            self.let(name, self.merged(f"{name}_merge", stored, links, mode))


def graph(stored: Config, depth: int) -> dict[str, Any]:
    """A Graph as a functional model; several inputs of a node become a Merge before it.

    Raises:
        ConfigError: Its nodes are no list of entries with names, or read what is not there.
    """
    made = _Graph(depth)
    for name, entry in _entries(stored, "input_config"):
        shape = listed(entry.get("input_shape"), "extents", name)
        config = {
            "name": name,
            "batch_input_shape": listed(entry.get("batch_input_shape"), "extents", name)
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
    given = listed(stored.get("input_order"), "names of inputs", "input_order")
    return functional("graph", made.layers, given, outputs)


def _entries(stored: Config, key: str) -> list[tuple[str, Config]]:
    """The entries of a Graph's list, each with its name."""
    found: list[tuple[str, Config]] = []
    for entry in listed(stored.get(key), "entries", key):
        name = entry.get("name") if isinstance(entry, Mapping) else None
        if not isinstance(name, str):
            raise ConfigError(
                "an entry without name", where=key, details=(f"found {entry!r:.120}",)
            )
        found.append((name, entry))
    return found


def siamese(stored: Config, depth: int) -> dict[str, Any]:
    """A layer over several models, merged: it stands first, since its weights do.

    Source: `Siamese.get_weights`: the layer's, then those of its inputs.
    """
    made = _Graph(depth)
    given: list[str] = []
    fed: list[list[Link]] = []
    for number, entry in enumerate(listed(stored.get("inputs"), "models", "Siamese"), 1):
        given.append(f"input_{number}")
        made.layers.append(input_layer(given[-1], entry, depth))
        links = made.let(given[-1], [[given[-1], 0, 0]])
        fed.append(made.add(f"branch_{number}", branch(entry, depth), [links]))
    inner = layer_of(stored.get("layer"), made.names, depth, "shared")
    links = made.add("shared", inner, fed)
    made.layers.insert(0, made.layers.pop())
    merge = made.merged("merge", stored, links, "concat")
    return functional("siamese", made.layers, given, merge)
