"""The gates that untrusted bytes pass: open a source, get an HDF5 object, describe a tensor.

Nothing else in the importer opens a file or reaches into an HDF5 file, so that each rule of what is
followed and believed stands in one place. Text has a gate of its own, `archive/text.py`.
"""

from __future__ import annotations

import io
import math
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

import msgspec
import numpy as np

from ...errors import FormatError, show
from ...ir.source import FileStamp

MIB = 1 << 20
GROUP, DATASET = "group", "dataset"
MAX_DIMENSION = 1 << 31
MAX_CHUNK_BYTES = 64 * MIB
DEFLATE_RATIO = 1032
"""What deflate can compress to one byte, at best (zlib's technical details)."""

FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32", 6: "scaleoffset", 32000: "lzf"}
"""The HDF5 filters that are let run: those that Keras users' tools apply and h5py brings along."""
COMPRESSING = {"deflate", "scaleoffset", "lzf"}
REFUSED_FILTERS = {4: "szip", 5: "nbit", 32001: "blosc", 32004: "lz4", 32008: "bitshuffle",
                   32015: "zstd", 32026: "blosc2"}  # fmt: skip

BFLOAT16 = "bfloat16"
"""Not a NumPy dtype. Keras 3 stores it as two opaque bytes, with this name in the attribute `dtype`
(keras/src/saving/saving_lib.py, H5Entry)."""


# ---- the first gate: a file of the system


class OpenSource:
    """A regular file, open for reading by position, and the stamp to find it again by."""

    __slots__ = ("fd", "path", "stamp")

    def __init__(self, path: str, fd: int) -> None:
        self.path, self.fd, self.stamp = path, fd, FileStamp.of(path, fd)

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self.stamp.size

    def window(self) -> Window:
        """All of it."""
        return Window(self.fd, 0, self.size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        os.close(self.fd)


def open_source(path: str | os.PathLike[str]) -> OpenSource:
    """Open a regular file and nothing else: no pipe is waited for, no device touched.

    Raises:
        FormatError: It is missing, cannot be read, is no regular file, or is empty.
    """
    name = os.fsdecode(path)
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError:
        raise FormatError("there is no such file", file=name) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise FormatError(f"cannot be opened: {reason}", file=name) from None
    source = OpenSource(name, fd)
    mode = os.fstat(fd).st_mode
    problem = None
    if stat.S_ISDIR(mode):
        problem = _directory(name)
    elif not stat.S_ISREG(mode):
        problem = FormatError("not a regular file, but a pipe, socket or device", file=name)
    elif source.size == 0:
        hint = "download or save it again"
        problem = FormatError("the file is empty (0 bytes)", file=name, hint=hint)
    if problem:
        os.close(fd)
        raise problem
    return source


def _directory(name: str) -> FormatError:
    """What to say about a folder."""
    if os.path.exists(os.path.join(name, "saved_model.pb")):
        return FormatError(
            "a TensorFlow SavedModel folder, not a Keras file",
            file=name,
            hint="save the model as .keras or .h5 with the Keras that wrote it",
        )
    return FormatError("a folder, not a file", file=name)


class Window(io.RawIOBase):
    """A part of a file as a file of its own, read by position from a descriptor.

    Reading does not move the descriptor's own position, which other processes may share.

    Args:
        fd: The descriptor.
        start: Byte at which the window begins.
        size: Bytes that are there.
        declared: Bytes that it pretends to have; those beyond `size` are read as zeros. This is how
            a truncated HDF5 file is looked at, which the library itself refuses to open.
    """

    def __init__(self, fd: int, start: int, size: int, declared: int = 0) -> None:
        super().__init__()
        self.fd, self.start, self.size = fd, start, size
        self.declared = max(size, declared)
        self._at = 0

    def head(self, count: int, start: int = 0) -> bytes:
        """Up to `count` bytes from `start` on."""
        count = max(0, min(count, self.size - start))
        return os.pread(self.fd, count, self.start + start)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.declared}[whence]
        if base + offset < 0:
            raise ValueError("negative seek position")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the window goes.

        h5py does not look at the count returned, so that whatever is not there must be zeroed.
        """
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), max(self.declared - self._at, 0))
        real = min(wanted, max(self.size - self._at, 0))
        done = 0
        while done < real:
            count = os.preadv(self.fd, [view[done:real]], self.start + self._at + done)
            if count == 0:
                break
            done += count
        if done < len(view):
            view[done:] = bytes(len(view) - done)
        self._at += wanted
        return wanted


def write_all(fd: int, data: bytes | memoryview, at: int) -> None:
    """Write at a position of a temporary file.

    Raises:
        FormatError: There is no room for it.
    """
    view = memoryview(data).cast("B")
    try:
        while view:
            count = os.pwrite(fd, view, at)
            view, at = view[count:], at + count
    except OSError as error:
        what = f"no room to unpack it: {error.strerror}"
        raise FormatError(what, where="file", hint="make room, or set TMPDIR") from None


# ---- the second gate: an object in an HDF5 file


class Node(NamedTuple):
    """An HDF5 object (a low-level h5py identifier) and the path that led to it."""

    id: Any
    path: str

    def child(self, name: str) -> str:
        """The path of something in this group."""
        return f"{self.path.rstrip('/')}/{name}"


@cache
def hdf5() -> Any:
    """The h5py module, told before it starts that no filter plugin is to be looked for."""
    os.environ.setdefault("HDF5_PLUGIN_PRELOAD", "::")
    import h5py

    return h5py


@contextmanager
def _no_plugins() -> Iterator[None]:
    """Take the folders of plugins away for a moment.

    HDF5 2.0 loads all of them to look for one that can open what it cannot, even if told by
    HDF5_PLUGIN_PRELOAD to load none.
    """
    h5pl = hdf5().h5pl
    folders = [h5pl.get(i) for i in range(h5pl.size())]
    for _ in folders:
        h5pl.remove(0)
    try:
        yield
    finally:
        for folder in folders:
            h5pl.append(folder)


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Turn what h5py raises on a malformed file into a FormatError that says where."""
    try:
        yield
    except MemoryError as error:
        raise FormatError("it asks for more memory than there is", where=show(where)) from error
    except (ArithmeticError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
        text = show(str(error).strip("'\""))
        raise FormatError(
            f"the HDF5 library cannot read it: {text}",
            where=show(where),
            hint="the file is damaged; download or save it again",
        ) from error


def open_hdf5(window: Window) -> Node:
    """Open an HDF5 file through its window; returns its root group."""
    h5py = hdf5()
    with reading("file"), _no_plugins():
        access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
        access.set_fileobj_driver(h5py.h5fd.fileobj_driver, window)
        file = h5py.h5f.open(b"source", h5py.h5f.ACC_RDONLY, access)
        return Node(h5py.h5g.open(file, b"/"), "/")


def split(name: str, parent: str) -> list[str]:
    """The components of a name relative to a group, each fit to be looked up."""
    parts = name.split("/")
    if "\0" in name or any(part in {"", ".", ".."} for part in parts):
        raise FormatError(f"{show(name)!r} is no name for an object", where=show(parent))
    return parts


def h5_get(group: Node, name: str, expect: Literal["group", "dataset"]) -> Node:
    """Look up an object by hard links only, on every component of its name.

    A soft or external link could lead to another part of the file or to another file, so that none
    is followed, wherever it points.

    Raises:
        FormatError: It is missing, is reached by a link, or is of another kind.
    """
    h5py = hdf5()
    node = group
    parts = split(name, group.path)
    for i, part in enumerate(parts):
        path = node.child(part)
        with reading(path):
            key = part.encode()
            if not node.id.links.exists(key):
                raise FormatError(f"the {expect} is missing", where=show(path))
            kind = node.id.links.get_info(key).type
            if kind != h5py.h5l.TYPE_HARD:
                raise _link(kind == h5py.h5l.TYPE_EXTERNAL, path)
            node = Node(h5py.h5o.open(node.id, key), path)
        wanted = GROUP if i < len(parts) - 1 else expect
        of_kind = h5py.h5g.GroupID if wanted == GROUP else h5py.h5d.DatasetID
        if not isinstance(node.id, of_kind):
            raise FormatError(f"not a {wanted}, as it should be", where=show(path))
    return node


def _link(external: bool, path: str) -> FormatError:
    what = "an external link, to another file" if external else "a soft link"
    return FormatError(
        f"{what}: links are not followed",
        where=show(path),
        hint="Keras writes none; copy the file with h5repack, or do not trust it",
    )


def members(group: Node, limit: int = 100_000) -> list[str]:
    """The names in a group, in the order of the file's index.

    Raises:
        FormatError: There are more than `limit`.
    """
    found: list[bytes] = []

    def note(name: bytes) -> bool | None:
        found.append(name)
        return True if len(found) > limit else None

    with reading(group.path):
        group.id.links.iterate(note)
        if len(found) > limit:
            raise FormatError(f"more than {limit:,} members", where=show(group.path))
        return [name.decode() for name in found]


# ---- the third gate: a tensor


class Extent(msgspec.Struct, frozen=True):
    """Where the numbers of one dataset lie: plain data, which may come from another process.

    Attributes:
        path: The dataset's path in its HDF5 file.
        shape: As stored.
        dtype: NumPy's spelling with the byte order, `<f4`; or `bfloat16`.
        offset: First byte in the HDF5 file, of numbers that lie there in a row.
        data: The numbers themselves, where they are few and do not lie in a row.
            With neither, the dataset is chunked and has to be decoded.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    offset: int | None = None
    data: bytes | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers, once decoded."""
        width = 2 if self.dtype == BFLOAT16 else int(self.dtype[2:])
        return math.prod(self.shape) * width


def describe_dataset(dataset: Node) -> Extent:
    """Check what a dataset declares against what it stores, before anything is allocated.

    Raises:
        FormatError: Its numbers lie in another file, are not all there, are of a kind that no Keras
            weight has, or would take a filter that is not let run.
    """
    with reading(dataset.path):
        shape = dataset.id.shape
        if shape is None:
            raise _refused(dataset, "it has no dataspace, hence no numbers")
        if any(size > MAX_DIMENSION for size in shape):
            raise _refused(dataset, f"the shape {shape} is larger than any weight")
        extent = Extent(dataset.path, tuple(shape), _dtype(dataset))
        offset, stored = dataset.id.get_offset(), dataset.id.get_storage_size()
        if offset is None:
            _check_scattered(dataset, extent, stored)
        elif stored != extent.nbytes:
            raise _lie(dataset, extent, stored)
        return msgspec.structs.replace(extent, offset=offset)


def _refused(dataset: Node, what: str, hint: str = "") -> FormatError:
    return FormatError(what, where=show(dataset.path), hint=hint)


def _lie(dataset: Node, extent: Extent, stored: int) -> FormatError:
    declared = f"{extent.nbytes:,} bytes of {extent.dtype} {extent.shape}"
    return _refused(dataset, f"it declares {declared}, but stores {stored:,}")


def _dtype(dataset: Node) -> str:
    """The dtype, by exact comparison with those that weights have."""
    h5py = hdf5()
    kind = dataset.id.get_type()
    for name, letter, widths in (
        ("IEEE_F", "f", (4, 8, 2)),
        ("STD_I", "i", (8, 4, 1, 2)),
        ("STD_U", "u", (4, 8, 1, 2)),
    ):
        for width in widths:
            for order, sign in (("LE", "<"), ("BE", ">")):
                if kind == getattr(h5py.h5t, f"{name}{8 * width}{order}"):
                    return f"{sign}{letter}{width}"
    if _is_bfloat16(dataset, kind):
        return BFLOAT16
    classes = {
        getattr(h5py.h5t, key): key.lower()
        for key in ("COMPOUND", "OPAQUE", "REFERENCE", "VLEN", "ARRAY", "ENUM", "STRING", "BITFIELD")
    }
    text = classes.get(kind.get_class(), f"of an unusual kind ({8 * kind.get_size()} bits)")
    raise _refused(dataset, f"its numbers are {text}", "weights are floats of 16, 32 or 64 bits")


def _is_bfloat16(dataset: Node, kind: Any) -> bool:
    """Whether it is one of the two forms of bfloat16: Keras 3's, and HDF5 2's own type."""
    h5py = hdf5()
    if kind.get_size() != 2:
        return False
    if kind.get_class() == h5py.h5t.FLOAT:
        fields = (15, 7, 8, 0, 7)  # sign; position and size of exponent; of mantissa
        little = kind.get_order() == h5py.h5t.ORDER_LE
        return little and kind.get_fields() == fields and kind.get_ebias() == 127
    if kind.get_class() != h5py.h5t.OPAQUE or not h5py.h5a.exists(dataset.id, b"dtype"):
        return False
    attribute = h5py.h5a.open(dataset.id, b"dtype")
    if attribute.get_type().get_class() != h5py.h5t.STRING or attribute.shape != ():
        return False
    said = np.empty((), attribute.dtype)
    attribute.read(said)
    return bytes(said[()]) == BFLOAT16.encode()


def _check_scattered(dataset: Node, extent: Extent, stored: int) -> None:
    """What is not one run of bytes in this file: empty, compact and chunked datasets may pass."""
    h5py = hdf5()
    properties = dataset.id.get_create_plist()
    layout = properties.get_layout()
    if properties.get_external_count():
        raise _refused(dataset, "its numbers lie in an external file, which is not opened")
    if layout == h5py.h5d.VIRTUAL:
        raise _refused(dataset, "a virtual dataset, made of other files, which are not opened")
    if extent.nbytes == 0:
        return
    if layout == h5py.h5d.CHUNKED:
        _check_chunks(dataset, extent, stored, properties)
    elif layout != h5py.h5d.COMPACT or stored != extent.nbytes:
        raise _lie(dataset, extent, stored)


def _check_chunks(dataset: Node, extent: Extent, stored: int, properties: Any) -> None:
    filters = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
    for number in filters:
        if number not in FILTERS:
            name = REFUSED_FILTERS.get(number, "unknown")
            raise _refused(
                dataset,
                f"it needs the HDF5 filter {number} ({name}), and no plugin is ever loaded",
                "rewrite it with h5repack -f NONE",
            )
    names = [FILTERS[number] for number in filters]
    if len(set(names)) < len(names) or len(COMPRESSING.intersection(names)) > 1:
        raise _refused(dataset, f"it is compressed more than once: {', '.join(names)}")
    chunk = properties.get_chunk()
    size = math.prod(chunk) * extent.nbytes // math.prod(extent.shape)
    if size > MAX_CHUNK_BYTES:
        raise _refused(dataset, f"its chunks of {size:,} bytes are larger than any weight's")
    count = math.prod(-(-n // c) for n, c in zip(extent.shape, chunk, strict=True))
    held = dataset.id.get_num_chunks() if stored else 0
    if held != count:
        raise _refused(dataset, f"{held:,} of its {count:,} chunks are there")
    most = stored * (DEFLATE_RATIO if COMPRESSING.intersection(names) else 1)
    if extent.nbytes > most + MIB:
        raise _lie(dataset, extent, stored)
