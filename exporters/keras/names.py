"""Names of layers and models that the target does not take, written otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ...eras.layer_names import Names, renamed, taken
from ...ir.report import Report
from .dialects import Dialect
from .network import FileLayer, Network

INSIDE = ("layer", "backward_layer")
"""Keys under which a layer's configuration has another layer's."""


def settle_names(
    network: Network, dialect: Dialect, backend: str, report: Report, *, of_own: bool = False
) -> None:
    """Rename what the target cannot load, and tell.

    Names of models inside, of layers inside wrappers and of what a Bidirectional holds count as
    well. Within a model no two layers are called alike.

    Args:
        network: The whole model; its layers are changed.
        dialect: The target, whose `names` say what it takes.
        backend: The backend that the file is for.
        report: Where a new name is told.
        of_own: Whether the source is the target's own, on some backend of which it loads as it is.
    """
    names = dialect.names.get(backend)
    if names is not None:
        _settle(network, names, None if of_own else dialect.weighted_names, report)
    slashed = [name for name in _names(network) if "/" in name]
    if slashed and "Keras 3" in dialect.readers:
        report.add(
            "KX307",
            "note",
            f"Keras 3 takes no layer with a slash in its name; there are {len(slashed)}",
            layer=slashed[0],
            level="warning",
        )


def _layers(network: Network) -> list[FileLayer]:
    """Every layer of a model once, in order of execution; those of models inside are not among."""
    return list(dict.fromkeys(call.layer for call in network.calls))


def _names(network: Network) -> Iterator[str]:
    """What layers are called, those of models inside as well; inputs last."""
    for layer in sorted(_layers(network), key=lambda layer: layer.is_input):
        yield layer.name
        if layer.network is not None:
            yield from _names(layer.network)


def _settle(network: Network, names: Names, weighted: Names | None, report: Report) -> None:
    network.name = taken(network.name, names)
    layers = _layers(network)
    strict = {layer.name for layer in layers if layer.arrays} if weighted else set()
    changed = renamed([layer.name for layer in layers], names, strict, weighted or names)
    for layer in layers:
        if layer.network is not None:
            _settle(layer.network, names, weighted, report)
        layer.config = _inside(layer.config, names)
        layer.inner_name = taken(layer.inner_name, names)
        layer.wrappers = tuple(
            msgspec.structs.replace(one, name=taken(one.name, names)) for one in layer.wrappers
        )
        if layer.name in changed:
            name = changed[layer.name]
            said = f"called {name} (the target does not take its name)"
            report.add("KX407", "changed", said, layer=layer.name)
            layer.name = name


def _inside(config: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """A configuration with the names of the layers in it."""
    found = dict(config)
    for key in INSIDE:
        entry: Any = found.get(key)
        own: Any = entry.get("config") if isinstance(entry, dict) else None
        if isinstance(own, dict) and isinstance(own.get("name"), str):
            found[key] = {**entry, "config": {**own, "name": taken(own["name"], names)}}
    return found
