"""Calls of layers whose names an exporter had to change."""

from __future__ import annotations

from collections.abc import Sequence, Set as AbstractSet

from ..eras.layer_names import KERAS3, KERAS3_WEIGHTED, SCOPES, Names, renamed

SPELLINGS = (SCOPES, KERAS3, KERAS3_WEIGHTED)

Key = tuple[tuple[str, ...], str, int]
"""A call: the models around it, the layer's name, and how many of its calls came before."""


def spelt(mine: Sequence[Key], theirs: AbstractSet[Key]) -> dict[Key, Key]:
    """The calls of one model as another spells their names: the way that finds most of them."""
    ways = [dict(zip(mine, mine, strict=True)), *(_by(names, mine) for names in SPELLINGS)]
    best = max(ways, key=lambda way: sum(key in theirs for key in way.values()))
    # of weighted layers another spelling is taken than of the rest
    return {
        key: next((way[key] for way in (best, *ways) if way[key] in theirs), best[key])
        for key in mine
    }


def _by(names: Names, keys: Sequence[Key]) -> dict[Key, Key]:
    """Calls with names that are taken, those of the models around as well."""
    within: dict[tuple[str, ...], list[str]] = {}
    for scope, name, _ in keys:
        path = (*scope, name)
        for depth, part in enumerate(path):
            within.setdefault(path[:depth], []).append(part)
    changed = {scope: renamed(layers, names) for scope, layers in within.items()}
    found: dict[Key, Key] = {}
    for scope, name, number in keys:
        path = (*scope, name)
        ways = [changed[path[:depth]].get(part, part) for depth, part in enumerate(path)]
        found[scope, name, number] = (tuple(ways[:-1]), ways[-1], number)
    return found
