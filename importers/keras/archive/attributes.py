"""HDF5 attributes as Keras writes them: texts, lists of names, counts.

Writers differed: bytes of fixed length, strings of variable length, arrays of either, an empty list
as an array of float64, and since Keras 2.2 long lists in pieces `layer_names0`, `layer_names1`, ...
(keras/engine/saving.py, `save_attributes_to_hdf5_group`).
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ....errors import FormatError, show
from ..gates import MIB, Node, hdf5, reading
from .contents import Scalar

MAX_TEXT = 64 * MIB
MAX_EXTRA = 64 * 1024
MAX_EXTRAS = 1000


def has(node: Node, name: str) -> bool:
    """Whether there is an attribute of this name."""
    with reading(node.path):
        return bool(hdf5().h5a.exists(node.id, name.encode()))


def text(node: Node, name: str) -> str | None:
    """A text; None if there is no such attribute."""
    if not has(node, name):
        return None
    with reading(_at(node, name)):
        values = _values(node, name)
        if values is None or values.dtype.kind not in "SO" or values.size != 1:
            raise _wrong(node, name, "text", values)
        return bytes(values.item()).decode()


def names(node: Node, name: str) -> tuple[str, ...] | None:
    """A list of names, whole or in pieces, each name once; None if there is no such attribute."""
    if has(node, name):
        found = _piece(node, name)
    elif has(node, f"{name}0"):
        found = []
        for i in itertools.count():
            if not has(node, f"{name}{i}"):
                break
            found += _piece(node, f"{name}{i}")
    else:
        return None
    if len(set(found)) < len(found):
        twice = next(value for i, value in enumerate(found) if value in found[:i])
        raise FormatError(f"{name} lists {show(twice)!r} twice", where=show(node.path))
    return tuple(found)


def _piece(node: Node, name: str) -> list[str]:
    with reading(_at(node, name)):
        values = _values(node, name)
        if values is not None and values.size == 0:
            return []
        if values is None or values.ndim != 1 or values.dtype.kind not in "SO":
            raise _wrong(node, name, "a list of names", values)
        return [bytes(value).decode() for value in values]


def count(node: Node, name: str, limit: int) -> int:
    """A number of things, as Keras 0.3 wrote it.

    Raises:
        FormatError: It is missing, no integer, negative or above the limit.
    """
    with reading(_at(node, name)):
        values = _values(node, name) if has(node, name) else None
        if values is None or values.dtype.kind not in "iu" or values.size != 1:
            raise _wrong(node, name, "a count", values)
        value = int(values.item())
        if not 0 <= value <= limit:
            raise FormatError(f"{name} is {value}, expected 0 to {limit}", where=show(node.path))
        return value


def others(node: Node, known: frozenset[str]) -> tuple[dict[str, Scalar], list[str]]:
    """The attributes beside the known ones: short texts and numbers, and the paths of the rest."""
    values: dict[str, Scalar] = {}
    rest: list[str] = []
    with reading(node.path):
        listed: list[bytes] = []

        def note(name: bytes) -> bool | None:
            listed.append(name)
            return True if len(listed) > MAX_EXTRAS else None

        hdf5().h5a.iterate(node.id, note)
        if len(listed) > MAX_EXTRAS:
            listed = []
            rest.append(_at(node, "*"))
        for name in (raw.decode() for raw in listed):
            if name.rstrip("0123456789") in known or name in known:
                continue
            value = _scalar(node, name)
            if value is None:
                rest.append(_at(node, name))
            else:
                values[name] = value
    return values, rest


def _scalar(node: Node, name: str) -> Scalar | None:
    attribute = hdf5().h5a.open(node.id, name.encode())
    kind = attribute.get_type()
    of_kind = kind.get_class() in {hdf5().h5t.STRING, hdf5().h5t.INTEGER, hdf5().h5t.FLOAT}
    if not of_kind or attribute.shape != () or kind.get_size() > MAX_EXTRA:
        return None
    values = _values(node, name)
    value = None if values is None else values.item()
    if isinstance(value, bytes):
        return value.decode() if len(value) <= MAX_EXTRA else None
    return value if isinstance(value, int | float) else None


def _values(node: Node, name: str) -> np.ndarray[Any, np.dtype[Any]] | None:
    """The elements of an attribute, as bytes or numbers; None if it has none by its dataspace."""
    h5py = hdf5()
    attribute = h5py.h5a.open(node.id, name.encode())
    kind, shape = attribute.get_type(), attribute.shape
    if shape is None:
        return None
    size = math.prod(shape) * kind.get_size()
    if size > MAX_TEXT:
        raise FormatError(f"{show(name)} has {size:,} bytes", where=show(node.path))
    if kind.get_class() not in {h5py.h5t.STRING, h5py.h5t.INTEGER, h5py.h5t.FLOAT}:
        return np.empty(shape, "V1")
    values: np.ndarray[Any, np.dtype[Any]] = np.empty(shape, attribute.dtype)
    if values.size:
        attribute.read(values)
    return values


def _at(node: Node, name: str) -> str:
    return f"{node.path}@{name}"


def _wrong(node: Node, name: str, wanted: str, values: Any) -> FormatError:
    found = "missing or empty" if values is None else f"{values.dtype} of shape {values.shape}"
    return FormatError(f"the attribute {show(name)} is not {wanted}: {found}", where=show(node.path))
