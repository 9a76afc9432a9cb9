"""Weights of Keras 3.10 and later in several files (shards), and the list that names them.

Source: keras 3.15, keras/src/saving/saving_lib.py, `ShardedH5IOStore`: `X.weights.json` maps each
group of variables to the files that hold them, `X_00000.weights.h5` and so on, beside the list.
Variables of one group may lie in several of them, each variable in one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from ....errors import FormatError, KerasirError, show
from ..gates import OpenSource, open_source
from .paths import NO_LAYERS, by_number
from .record import Archive, StoredWeight, WeightGroup
from .sources import stored_bytes
from .text import MAX_BYTES, parse_object

MARK, MARK_SEEN = b'"weight_map"', 4096
"""What such a list has, within its first bytes: only its total size stands before it."""

ENDING = ".weights.h5"
"""Of every shard's name. A list can thus never make another file of its folder be read."""
MAX_SHARDS = 512
"""Each shard may stay open as long as its weights are in use."""

WHERE, AGAIN = "weight_map", "copy the list and its shards again, all from one save"

WeightMap = dict[str, tuple[str, ...]]
"""By path of a group of variables, the names of the shards that hold some of them."""


def lists_shards(source: OpenSource) -> bool:
    """Whether a JSON file is such a list."""
    return MARK in source.window().head(MARK_SEEN)


def read_shards(source: OpenSource, read: Callable[[OpenSource], Archive]) -> Archive:
    """Read all shards as if they were one file.

    Args:
        source: The list.
        read: How one shard is read.

    Raises:
        FormatError: The list names what is no shard beside it, or says otherwise than the shards.
    """
    if source.size > MAX_BYTES:
        raise FormatError(f"{source.size:,} bytes are too many for a list of shards")
    said = parse_object(source.window().readall(), "file")
    weight_map = _weight_map(said.get(WHERE))
    names = sorted({name for shards in weight_map.values() for name in shards})
    if not 0 < len(names) <= MAX_SHARDS:
        raise FormatError(f"it names {len(names):,} shards, not 1 to {MAX_SHARDS}", where=WHERE)
    shards = {name: _shard(source.path, name, read) for name in names}
    _check_map(weight_map, shards)
    whole = _merged(source, list(shards.values()))
    _check_total(said.get("metadata"), whole)
    return whole


def _weight_map(said: Any) -> WeightMap:
    """The map, each name in it fit to be looked up.

    Raises:
        FormatError: It is none, or a name leads out of the folder or to what is no shard.
    """
    if not isinstance(said, dict):
        raise FormatError("no map from variables to files", where=WHERE)
    found: WeightMap = {}
    for path, value in said.items():
        names = tuple(value) if isinstance(value, list) else (value,)
        for name in names:
            if not isinstance(name, str) or not _is_plain(name):
                raise FormatError(
                    f"{show(str(name))!r} is no name of a shard",
                    where=show(f"{WHERE}: {path}"),
                    hint=f"shards lie beside the list, and are called NAME{ENDING}",
                )
        found[path] = names
    return found


def _is_plain(name: str) -> bool:
    return name.endswith(ENDING) and name.isprintable() and not {"/", "\\", ":"}.intersection(name)


def _shard(list_path: str, name: str, read: Callable[[OpenSource], Archive]) -> Archive:
    path = os.path.join(os.path.dirname(list_path), name)
    with open_source(path, follow=False) as source:
        try:
            return read(source)
        except KerasirError as error:
            error.at("file", file=path)
            raise


def _check_map(weight_map: WeightMap, shards: dict[str, Archive]) -> None:
    """Check that shards hold what the map says, no more and no less, and each weight once."""
    listed = {
        (path, name)
        for path, names in weight_map.items()
        for name in names
        if path.strip("/").partition("/")[0] not in NO_LAYERS
    }
    held: set[tuple[str, str]] = set()
    first: dict[str, str] = {}
    for name, shard in shards.items():
        for weight in _weights(shard):
            if other := first.get(weight.path):
                what = f"two shards hold it: {show(other)} and {show(name)}"
                raise FormatError(what, where=show(weight.path), hint=AGAIN)
            first[weight.path] = name
            held.add((weight.path.rpartition("/")[0], name))
    for path, name in sorted(listed ^ held):
        what = "is not in" if (path, name) in listed else "is not listed, but in"
        raise FormatError(f"it {what} {show(name)}", where=show(path), hint=AGAIN)


def _check_total(metadata: Any, whole: Archive) -> None:
    """Check the bytes of all weights, unless some were passed over."""
    said = metadata.get("total_size") if isinstance(metadata, dict) else None
    if not isinstance(said, int | float) or whole.ignored:
        return
    beside = (weight for group in whole.beside for weight in group.weights)
    found = sum(stored_bytes(weight.source) for weight in (*_weights(whole), *beside))
    if found != said:
        raise FormatError(
            f"the shards hold {found:,} bytes of weights, but it says {said:,}",
            where="metadata: total_size",
            hint=AGAIN,
        )


def _weights(archive: Archive) -> Iterator[StoredWeight]:
    for group in archive.groups:
        yield from group.weights
    yield from archive.optimizer_weights


def _merged(source: OpenSource, shards: list[Archive]) -> Archive:
    """One archive, in the order that its layers and variables would have in one file."""
    return msgspec.structs.replace(
        shards[0],
        path=source.path,
        size=source.size + sum(shard.size for shard in shards),
        groups=_together(group for shard in shards for group in shard.groups),
        beside=_together(group for shard in shards for group in shard.beside),
        optimizer_weights=tuple(
            sorted((w for shard in shards for w in shard.optimizer_weights), key=_place)
        ),
        optimizer_names={k: v for shard in shards for k, v in shard.optimizer_names.items()},
        ignored=tuple(sorted({path for shard in shards for path in shard.ignored})),
    )


def _together(groups: Iterable[WeightGroup]) -> tuple[WeightGroup, ...]:
    names: dict[str, str | None] = {}
    weights: dict[str, list[StoredWeight]] = {}
    for group in groups:
        names[group.layer] = names.get(group.layer) or group.name
        weights.setdefault(group.layer, []).extend(group.weights)
    return tuple(
        WeightGroup(layer, tuple(sorted(weights[layer], key=_place)), names[layer])
        for layer in sorted(weights, key=lambda layer: [by_number(p) for p in layer.split("/")])
    )


def _place(weight: StoredWeight) -> Any:
    return [by_number(part) for part in weight.name.split("/")]
