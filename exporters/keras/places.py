"""Where Keras 3 stores the arrays of a network: a path for each layer, and for what is in it.

Source: Keras 3.15 `saving/saving_lib.py` (`_save_state`, `_save_container_state`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from .archive.by_path import LAYERS, group_names
from .dialects import Dialect, Known
from .network import Array, FileLayer, Network
from .spell import counted, is_chain

VARIABLES = "/vars/"
"""Stands between the path of a layer inside an author's own, and the number of its array."""


class Held(msgspec.Struct, frozen=True, eq=False):
    """An object of the file and the arrays that it holds itself.

    Attributes:
        path: From the root; "" for the model.
        name: What it is called; "" for parts of a layer.
        arrays: In Keras' order.
    """

    path: str
    name: str
    arrays: tuple[Array, ...] = ()


def places(network: Network, dialect: Dialect, path: str = "") -> Iterator[Held]:
    """The model itself, then its layers, those of nested models and parts of layers included."""
    yield Held(path, network.name)
    layers = counted(network, dialect)
    names = group_names([_class_of(layer, dialect) for layer in layers])
    for layer, name in zip(layers, names, strict=True):
        yield from _layer(layer, dialect, f"{path}/{LAYERS}/{name}".lstrip("/"))


def _class_of(layer: FileLayer, dialect: Dialect) -> str:
    if layer.wrappers:
        return "TimeDistributed"
    if layer.network is not None:
        return "Sequential" if is_chain(layer.network, dialect) else dialect.functional
    known = dialect.classes.get(layer.class_name, Known())
    return known.group or layer.class_name.rsplit(">", 1)[-1]


def _layer(layer: FileLayer, dialect: Dialect, path: str) -> Iterator[Held]:
    for number, wrapper in enumerate(layer.wrappers):
        yield Held(path, wrapper.name if number else layer.name)
        path += "/layer"
    if layer.network is not None:
        yield from places(layer.network, dialect, path)
        return
    known = dialect.classes.get(layer.class_name, Known())
    name = layer.inner_name if layer.wrappers else layer.name
    shares: Mapping[str, Sequence[Array]]
    if any(array.place for array in layer.arrays):
        shares = _by_place(layer.arrays)
    elif layer.class_name not in dialect.classes:
        shares = _by_own_path(layer.arrays)
    elif known.parts:
        shares = _by_part(layer.arrays, known.parts)
    else:
        shares = _shares(layer.arrays, known.places)
    if "" not in shares:
        yield Held(path, name)
    for part, arrays in shares.items():
        yield Held(f"{path}/{part}".rstrip("/"), "" if part else name, tuple(arrays))


def _by_place(arrays: Sequence[Array]) -> dict[str, list[Array]]:
    """The arrays of a layer that says of each where it is."""
    found: dict[str, list[Array]] = {}
    for array in arrays:
        found.setdefault(array.place or "", []).append(array)
    return found


def _by_own_path(arrays: Sequence[Array]) -> dict[str, list[Array]]:
    """The arrays of a layer that is not known, by the layers inside it."""
    found: dict[str, list[Array]] = {}
    for array in arrays:
        found.setdefault(array.name.rpartition(VARIABLES)[0], []).append(array)
    return found


def _by_part(arrays: Sequence[Array], parts: Mapping[str, str]) -> dict[str, list[Array]]:
    """The arrays of a layer with layers inside; of one that is not computed, by their own path."""
    found: dict[str, list[Array]] = {}
    for array in arrays:
        own = array.name.rpartition(VARIABLES)[0]
        found.setdefault(parts.get(array.name.partition("/")[0], own), []).append(array)
    return found


def _shares(arrays: Sequence[Array], places: Sequence[str]) -> dict[str, Sequence[Array]]:
    """Each place holds as many arrays as the next."""
    size = len(arrays) // len(places)
    return {place: arrays[n * size : (n + 1) * size] for n, place in enumerate(places)}
