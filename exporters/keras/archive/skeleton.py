"""HDF5 files as a sink: the library writes the skeleton, numbers go straight to their offsets.

Datasets are contiguous, unfiltered and allocated early, so that their places in the file are known
before there are numbers. The library writes the oldest format that can express the file: the HDF5
libraries of the Keras 1 and 2 days read it.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ....errors import ExportError, show
from ...sink import FileSink, Place, encodable

if TYPE_CHECKING:
    import h5py

Value = str | bytes | int | float | Sequence[bytes]
"""What an attribute may hold: a text in UTF-8 or in ASCII, a number, a list of byte strings."""

DEEPEST = 64
"""Groups inside each other; readers recurse."""

LONGEST_LIST = 64_512
"""Bytes that a list in one attribute may take: what fits in an HDF5 object header.

Source: Keras 2.2.4, engine/saving.py, `HDF5_OBJECT_HEADER_LIMIT`.
"""

OPAQUE = np.dtype("V2")
"""The type of numbers that NumPy does not have: two bytes, whose name stands beside them."""

KINDS = "biufV"
"""Kinds of NumPy dtypes that have an HDF5 type: V is opaque, as bfloat16 is stored."""


class _Node:
    """A group with its children by name, or a dataset with its index."""

    __slots__ = ("attributes", "children", "index")

    def __init__(self, index: int | None = None) -> None:
        self.index = index
        self.children: dict[str, _Node] = {}
        self.attributes: dict[str, Value] = {}


class Hdf5Sink(FileSink):
    """An HDF5 file. A tensor's name is its path: `model_weights/conv1/conv1/kernel:0`."""

    def __init__(self) -> None:
        super().__init__()
        self._root = _Node()

    def declare(self, name: str, dtype: Any, shape: Sequence[int]) -> int:
        """As of `Sink`; groups on the way are made.

        Raises:
            ExportError: The path is no path, is taken, or leads through a dataset.
        """
        index = super().declare(name, dtype, shape)
        tensor = self.tensors[index]
        if tensor.dtype.kind not in KINDS:
            raise ExportError(f"HDF5 files of Keras hold no {tensor.dtype}", where=show(name))
        *groups, last = components(name)
        parent = self._find("/".join(groups), groups)
        if last in parent.children:
            raise ExportError("a group of this name is in the file as well", where=show(name))
        parent.children[last] = _Node(index)
        return index

    def group(self, path: str) -> None:
        """Make sure that a group is there, and those on the way."""
        self._find(path, components(path))

    def attribute(self, path: str, name: str, value: Value) -> None:
        """Give an attribute to a group, which is made if need be, or to a dataset; "" is the root.

        Args:
            path: The group or dataset.
            name: The attribute.
            value: A `str` becomes a UTF-8 string, `bytes` an ASCII one, both of variable length;
                a list of `bytes` becomes an array of strings of the longest one's length, and an
                empty list an empty array of float64, as `h5py` writes what Keras hands it.

        Raises:
            ExportError: The path is no path, the text holds a NUL, or the list is too long.
        """
        text = value.encode() if isinstance(value, str) else value
        if isinstance(text, bytes):
            if b"\0" in text:
                raise ExportError(f"the attribute {name} holds a NUL", where=show(path))
        elif not isinstance(text, int | float) and list_bytes(text) > LONGEST_LIST:
            raise ExportError(
                f"the attribute {name} takes {list_bytes(text):,} bytes, and {LONGEST_LIST:,} is "
                "the limit",
                where=show(path),
            )
        self._find(path, components(path) if path else [], leaf=True).attributes[name] = value

    def _find(self, path: str, names: Sequence[str], *, leaf: bool = False) -> _Node:
        """The node at a path, made on the way; a dataset only if a `leaf` may be one."""
        node = self._root
        for depth, name in enumerate(names, 1):
            node = node.children.setdefault(name, _Node())
            if node.index is not None and not (leaf and depth == len(names)):
                raise ExportError("a dataset of this name is in the file as well", where=show(path))
        return node

    def _lay_out(self, paths: tuple[str, ...]) -> Sequence[Place]:
        import h5py

        places = [Place(0, 0)] * len(self.tensors)
        try:
            access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
            access.set_libver_bounds(h5py.h5f.LIBVER_EARLIEST, h5py.h5f.LIBVER_V18)
            access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
            self._drive(access)
            file = h5py.h5f.create(os.fsencode(paths[0]), h5py.h5f.ACC_TRUNC, fapl=access)
            try:
                for index, offset in self._create(file):
                    places[index] = Place(0, offset)
            finally:
                file.close()
        except (OSError, RuntimeError) as error:  # h5py tells what HDF5 met as either
            raise self._failure(_system_error(error)) from error
        return places

    def _drive(self, access: h5py.h5p.PropFAID) -> None:
        """Say by what means the library is to write, where the file is not one of its own."""

    def _create(self, file: h5py.h5f.FileID) -> Iterator[tuple[int, int]]:
        """Create groups and datasets; gives index and offset of each dataset that has elements."""
        import h5py

        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_layout(h5py.h5d.CONTIGUOUS)
        creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        creation.set_obj_track_times(False)  # the same input gives the same bytes

        todo = [(h5py.h5g.open(file, b"/"), "", self._root)]
        while todo:
            parent, name, node = todo.pop()
            if node.index is None:
                group = h5py.h5g.create(parent, name.encode()) if name else parent
                _annotate(group, node)
                children = reversed(node.children.items())  # the last is taken first
                todo += ((group, name, child) for name, child in children)
                continue
            tensor = self.tensors[node.index]
            kind = h5py.h5t.py_create(tensor.dtype, logical=True)
            space = h5py.h5s.create_simple(tensor.shape)
            try:
                dataset = h5py.h5d.create(parent, name.encode(), kind, space, creation)
            except ValueError as error:
                what = f"HDF5 takes no array of shape {tensor.shape}"
                raise ExportError(what, where=name) from error
            _annotate(dataset, node)
            if tensor.nbytes:
                yield node.index, dataset.get_offset()


def _system_error(error: Exception) -> OSError:
    """What the system answered to the HDF5 library, which hands it on as text."""
    found = re.search(r"errno = (\d+)", str(error))
    if found:
        return OSError(int(found[1]), os.strerror(int(found[1])))
    return OSError(errno.EIO, f"the HDF5 library says: {show(str(error))}")


def list_bytes(names: Sequence[bytes]) -> int:
    """Bytes that a list takes in an attribute: all are as long as the longest."""
    return len(names) * max(map(len, names), default=0)


def components(path: str) -> list[str]:
    """The names along a path in an HDF5 file.

    As HDF5 takes them (its reference, "Names"): slashes that follow one another are one, and `.`
    stands for the group that it is in, so that a layer `top/` has its arrays in `top`.

    Raises:
        ExportError: One is `..`, holds a NUL or cannot be encoded; there are none, or many; or the
            path begins at the root, whatever group it is asked of.
    """
    kept = [name for name in path.split("/") if name not in {"", "."}]
    names = kept if kept and not path.startswith("/") else ["", *kept]
    if len(names) > DEEPEST:
        raise ExportError(
            f"the name has {len(names)} parts, and {DEEPEST} is the limit", where=show(path)
        )
    for name in names:
        if name in {"", ".."} or "\0" in name or not encodable(name):
            raise ExportError(
                f"an HDF5 file cannot hold a name with the part '{show(name)}'", where=show(path)
            )
    return names


def under(group: str, name: str) -> str:
    """The path of what a group, or with "" the root, holds by a name.

    Raises:
        ExportError: It is no name by itself.
    """
    components(name)
    return f"{group}/{name}" if group else name


def _annotate(target: h5py.h5g.GroupID | h5py.h5d.DatasetID, node: _Node) -> None:
    """Write the attributes of a group or dataset."""
    import h5py

    for name, value in node.attributes.items():
        if isinstance(value, str | bytes):
            kind = h5py.string_dtype("ascii" if isinstance(value, bytes) else "utf-8")
            data = np.array(value, kind)
            stored = h5py.h5t.py_create(kind, logical=True)
        else:
            data = np.array(value)
            stored = h5py.h5t.py_create(data.dtype, logical=True)
        space = h5py.h5s.create_simple(data.shape)
        h5py.h5a.create(target, name.encode(), stored, space).write(data)
