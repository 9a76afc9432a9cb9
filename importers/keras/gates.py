"""The gates that untrusted bytes pass: open a source, get an object in an HDF5 file.

Nothing else in the importer opens a file or looks into an HDF5 file by name, so that each rule of
what is followed stands in one place. What a dataset says of its numbers passes a third gate,
`archive/dataset.py`; texts pass theirs, `archive/text.py`.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal, Self

import msgspec

from ...errors import FormatError, no_such_file, show
from ...ir.source import FileStamp

MIB = 1 << 20
REASON = re.compile(r"\(([^()]*)\)$")
"""Where h5py's messages end: `Unable to open object (bad local heap signature)`."""

AHEAD = 16 << 10
"""Bytes read at once: the HDF5 library asks for some hundred at a time, often behind each other."""

GROUP, DATASET = "group", "dataset"


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

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


def open_source(path: str | os.PathLike[str], *, follow: bool = True) -> OpenSource:
    """Open a regular file and nothing else: no pipe is waited for, no device touched.

    Args:
        path: The file.
        follow: Whether it may be a symbolic link. One that another file named may not.

    Raises:
        FormatError: It is missing, cannot be read, is no regular file, or is empty.
    """
    name = os.fsdecode(path)
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    if not follow and os.path.islink(name):
        raise _symbolic_link(name)
    try:
        fd = os.open(name, flags if follow else flags | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise no_such_file(name) from None
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


def _symbolic_link(name: str) -> FormatError:
    what, hint = "a symbolic link, which is not followed", "put the file itself in its place"
    return FormatError(what, file=name, hint=hint)


def _directory(name: str) -> FormatError:
    """What to say about a folder."""
    held = set(os.listdir(name)) if os.access(name, os.R_OK) else set()
    what, hint = "a folder, not a file", ""
    if "saved_model.pb" in held:
        what = "a TensorFlow SavedModel folder, not a Keras file"
        hint = "save the model as .keras or .h5 with the Keras that wrote it"
    elif {"config.json", "model.weights.h5"} <= held:
        what = "an unzipped .keras archive, and a file is needed"
        hint = "give its model.weights.h5, and its config.json by --arch"
    return FormatError(what, file=name, hint=hint)


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
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the window goes, with zeros behind that."""
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


class _Endless(Window):
    """A window behind which zeros go on: h5py does not look at how many bytes it was given."""

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, whatever there is."""
        super().readinto(buffer)
        return len(memoryview(buffer).cast("B"))


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


def repeated(names: Iterable[str]) -> str | None:
    """The first name that stands twice in a list."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


# ---- the second gate: an object in an HDF5 file


class Node(msgspec.Struct, frozen=True):
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
def _no_plugins() -> Generator[None]:
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
def reading(where: str) -> Generator[None]:
    """Turn what h5py raises on a malformed file into a FormatError that says where."""
    try:
        yield
    except MemoryError as error:
        raise FormatError("it asks for more memory than there is", where=show(where)) from error
    except (ArithmeticError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
        text = str(error.args[0] if error.args else error)
        reason = REASON.search(text)
        raise FormatError(
            f"the HDF5 library cannot read it: {show(reason[1] if reason else text)}",
            where=show(where),
            hint="the file is damaged; download or save it again",
        ) from error


def open_hdf5(window: Window) -> Node:
    """Open an HDF5 file through its window; returns its root group."""
    h5py = hdf5()
    with reading("file"), _no_plugins():
        access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
        endless = _Endless(window.fd, window.start, window.size, window.declared)
        buffered = io.BufferedReader(endless, AHEAD)
        access.set_fileobj_driver(h5py.h5fd.fileobj_driver, buffered)
        file = h5py.h5f.open(b"source", h5py.h5f.ACC_RDONLY, access)
        return Node(h5py.h5g.open(file, b"/"), "/")


def split(name: str, parent: str) -> list[str]:
    """The components of a name relative to a group, each fit to be looked up.

    As HDF5 takes them (its reference, "Names"): slashes that follow one another are one, and `.`
    stands for the group that it is in, so that a layer `top/` has its arrays in `top`. A name from
    the root on, and `..`, which is a name like any other to HDF5, are no layer's.
    """
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if not parts or "\0" in name or name.startswith("/") or ".." in parts:
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
            try:
                kind = node.id.links.get_info(key).type
            except (KeyError, RuntimeError):
                if node.id.links.exists(key):
                    raise
                raise FormatError(f"the {expect} is missing", where=show(path)) from None
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
