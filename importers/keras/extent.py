"""How large an architecture may be, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import ConfigError

MOST = 20_000
"""Layers, and calls of layers, of a model and all in it. Every one costs memory and time, and a
file of a few megabytes can list a million; the deepest published networks have a few thousand."""


def check_extent(config: Mapping[str, Any]) -> None:
    """Refuse an architecture of more layers or calls than `MOST`.

    Args:
        config: A model as stored, in the form of any era.

    Raises:
        ConfigError: It has more.
    """
    layers = calls = 0
    todo: list[Any] = [config]
    while todo:
        held = todo.pop()
        if isinstance(held, dict):
            inside = held.get("layers", held.get("config"))
            layers += len(inside) if isinstance(inside, list) else 0
            nodes = held.get("inbound_nodes")
            calls += len(nodes) if isinstance(nodes, list) else 0
            if layers > MOST or calls > MOST:
                raise _too_large("layers" if layers > MOST else "calls of layers")
            held = held.values()
        todo += [value for value in held if isinstance(value, (dict, list))]


def _too_large(what: str) -> ConfigError:
    return ConfigError(
        f"more than {MOST:,} {what}",
        where="architecture",
        hint="no model that kerasir knows of has so many; split it",
    )
