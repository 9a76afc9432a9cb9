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
from ..gates import MIB, Node, hdf5, reading, repeated
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
    with reading(_at(node, name)):
        if (attribute := _open(node, name)) is None:
            return None
        values = _values(node, name, attribute)
        if values is None or values.dtype.kind not in "SO" or values.size != 1:
            raise _wrong(node, name, "text", values)
        return _decoded(node, name, values.item())


def names(node: Node, name: str) -> tuple[str, ...] | None:
    """A list of names, whole or in pieces, each name once; None if there is no such attribute."""
    with reading(_at(node, name)):
        found = _piece(node, name)
        if found is None:
            pieces = (_piece(node, f"{name}{i}") for i in itertools.count())
            listed = list(itertools.takewhile(lambda piece: piece is not None, pieces))
            if not listed:
                return None
            found = [value for piece in listed for value in piece or ()]
    if (twice := repeated(found)) is not None:
        raise FormatError(f"{name} lists {show(twice)!r} twice", where=show(node.path))
    return tuple(found)


def _piece(node: Node, name: str) -> list[str] | None:
    if (attribute := _open(node, name)) is None:
        return None
    values = _values(node, name, attribute)
    if values is not None and values.size == 0:
        return []
    if values is None or values.ndim != 1 or values.dtype.kind not in "SO":
        raise _wrong(node, name, "a list of names", values)
    return [_decoded(node, name, value) for value in values]


def count(node: Node, name: str, limit: int) -> int:
    """A number of things, as Keras 0.3 wrote it.

    Raises:
        FormatError: It is missing, no integer, negative or above the limit.
    """
    with reading(_at(node, name)):
        attribute = _open(node, name)
        values = None if attribute is None else _values(node, name, attribute)
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
    attribute = _open(node, name)
    kind = attribute.get_type()
    of_kind = kind.get_class() in {hdf5().h5t.STRING, hdf5().h5t.INTEGER, hdf5().h5t.FLOAT}
    if not of_kind or attribute.shape != () or kind.get_size() > MAX_EXTRA:
        return None
    values = _values(node, name, attribute)
    value = None if values is None else values.item()
    if isinstance(value, bytes):
        return _decoded(node, name, value) if len(value) <= MAX_EXTRA else None
    return value if isinstance(value, int | float) else None


def _open(node: Node, name: str) -> Any:
    """The attribute; None if there is none of this name."""
    try:
        return hdf5().h5a.open(node.id, name.encode())
    except KeyError:
        return None


def _values(node: Node, name: str, attribute: Any) -> np.ndarray[Any, np.dtype[Any]] | None:
    """The elements of an attribute, as bytes or numbers; None if it has none by its dataspace."""
    h5py = hdf5()
    kind, shape = attribute.get_type(), attribute.shape
    if shape is None:
        return None
    size = math.prod(shape) * kind.get_size()
    if size > MAX_TEXT:
        raise FormatError(f"{show(name)} has {size:,} bytes", where=show(node.path))
    if kind.get_class() not in {h5py.h5t.STRING, h5py.h5t.INTEGER, h5py.h5t.FLOAT}:
        return np.empty(shape, "V1")
    values: np.ndarray[Any, np.dtype[Any]] = np.empty(shape, kind.dtype)
    if values.size:
        attribute.read(values)
    return values


def _decoded(node: Node, name: str, value: bytes) -> str:
    try:
        return bytes(value).decode()
    except UnicodeDecodeError as error:
        what = f"not UTF-8 text: byte {error.start} is 0x{error.object[error.start]:02x}"
        raise FormatError(what, where=_at(node, name)) from None


def _at(node: Node, name: str) -> str:
    return show(f"{node.path}@{name}")


def _wrong(node: Node, name: str, wanted: str, values: Any) -> FormatError:
    found = "missing or empty" if values is None else f"{values.dtype} of shape {values.shape}"
    return FormatError(
        f"the attribute {show(name)} is not {wanted}: {found}", where=show(node.path)
    )
