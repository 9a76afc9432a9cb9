"""`.keras` archives: a zip of `config.json`, `metadata.json` and `model.weights.h5`.

Source: keras 3, keras/src/saving/saving_lib.py, `_save_model_to_fileobj`. Nothing is extracted by
name: three exact names are looked for, assets are read as bytes, what else there is is listed.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from zipfile import BadZipFile, ZipFile, ZipInfo

import msgspec

from ....errors import FormatError, show
from ..gates import MIB, Window, repeated, write_all
from .contents import ALWAYS_ALLOWED, MAX_EXPANSION, METADATA, Contents
from .hdf5 import read_hdf5
from .sniff import HDF5_SIGNATURE
from .text import MAX_BYTES

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
ASSETS = "assets/"
"""How the names of members begin that layers have beside their variables."""

MAX_MEMBERS = 10_000
STORED, DEFLATED = 0, 8
METHODS = {STORED, DEFLATED}
ENCRYPTED, SIZES_FOLLOW = 1 << 0, 1 << 3
"""Bits of a member's flags (PKWARE APPNOTE 4.4.4)."""
SYMLINK = 0o12
NOT_IN_32_BITS = 0xFFFFFFFF
LOCAL_HEADER = struct.Struct("<4s5HIIIHH")
AGAIN = "download or save it again"
OTHER_ARCHIVES = (
    (".npy", "a NumPy archive (.npz), not a Keras file"),
    ("data.pkl", "a PyTorch file, not a Keras file"),
    ("saved_model.pb", "a zipped TensorFlow SavedModel, not a Keras file"),
    ("[Content_Types].xml", "an Office document, not a Keras file"),
)
"""Members that tell what a zip archive is, where it is not Keras's."""


def read_keras_zip(fd: int, size: int, spare: int) -> Contents:
    """Find everything that a `.keras` archive says, and where its numbers lie.

    Args:
        fd: A descriptor of the archive.
        size: Its size in bytes.
        spare: A descriptor of an empty file; compressed weights are unpacked into it.

    Raises:
        FormatError: It is no Keras archive, is damaged, or breaks a limit.
    """
    archive = _Zip(Window(fd, 0, size))
    config = archive.text(CONFIG)
    metadata = archive.text(METADATA) if METADATA in archive.members else None
    start, length, unpacked = archive.lay_open(WEIGHTS, spare)
    found = _read_weights(spare if unpacked else fd, start, length)
    assets = archive.assets()
    others = sorted(archive.members.keys() - {CONFIG, METADATA, WEIGHTS} - assets.keys())
    return msgspec.structs.replace(
        found,
        container="keras-zip",
        config=config,
        metadata=metadata,
        assets=assets,
        origins={"config": CONFIG},
        ignored=(*found.ignored, *others),
        unpacked=unpacked,
    )


def _read_weights(fd: int, start: int, size: int) -> Contents:
    """Read the HDF5 member; what is wrong in it is said to be there."""
    if Window(fd, start, size).head(len(HDF5_SIGNATURE)) != HDF5_SIGNATURE:
        raise FormatError("not HDF5", where=WEIGHTS, hint=AGAIN)
    try:
        found = read_hdf5(fd, start, size)
    except FormatError as error:
        error.where = WEIGHTS + ("" if error.where in {"", "file"} else error.where)
        raise
    if found.form != "paths":
        what = f"its weights are {found.form}, as in older files, not as Keras 3 writes them"
        raise FormatError(what, where=WEIGHTS)
    return found


class _Zip:
    """The members of a zip archive, each under a name of its own and none of them trusted."""

    def __init__(self, window: Window) -> None:
        self._window = window
        with _damage("file"):
            self._zip = ZipFile(io.BufferedReader(window))
        listed = self._zip.infolist()
        if len(listed) > MAX_MEMBERS:
            raise FormatError(f"a zip archive of {len(listed):,} members", where="file")
        self.members = {member.filename: member for member in listed}
        if len(self.members) < len(listed):
            twice = repeated(member.filename for member in listed)
            raise FormatError("the archive has this member twice", where=show(twice or ""))
        if CONFIG not in self.members:
            raise _not_keras(list(self.members))

    def text(self, name: str) -> str:
        """A member as text, its checksum verified."""
        member = self._member(name, MAX_BYTES)
        with _damage(name), self._zip.open(member) as stream:
            return stream.read(MAX_BYTES + 1).decode("utf-8-sig")

    def assets(self) -> dict[str, bytes]:
        """What layers have beside their variables, their checksums verified.

        Those that are too large, together with what came before them, are left out.
        """
        found: dict[str, bytes] = {}
        left = MAX_BYTES
        for name, declared in self.members.items():
            if name.startswith(ASSETS) and _is_plain(name) and declared.file_size <= left:
                member = self._member(name, left)
                with _damage(name), self._zip.open(member) as stream:
                    found[name] = stream.read(left)
                left -= len(found[name])
        return found

    def lay_open(self, name: str, spare: int) -> tuple[int, int, bool]:
        """Where the bytes of a member lie: first byte, count, and whether in the spare file."""
        member = self._member(name, max(ALWAYS_ALLOWED, MAX_EXPANSION * self._window.size))
        if member.file_size == 0:
            raise FormatError("the member is empty", where=name, hint=AGAIN)
        if member.compress_type == STORED:
            return self._check_local_header(member), member.file_size, False
        size = 0
        with _damage(name), self._zip.open(member) as stream:
            while block := stream.read(MIB):
                write_all(spare, block, size)
                size += len(block)
            if size != member.file_size:
                raise ValueError(f"{member.file_size:,} bytes are declared, {size:,} came")
        return 0, size, True

    def _member(self, name: str, limit: int) -> ZipInfo:
        """What the directory says of a member, checked for what no Keras archive has."""
        member = self.members.get(name)
        if member is None:
            if alike := [other for other in self.members if other.startswith("model.weights")]:
                found = f"weights are read from {name}, not from {show(alike[0])}"
                raise FormatError(found, where="file", hint="save the model again with Keras 3")
            raise FormatError(f"the archive has no {name}", where="file", hint=AGAIN)
        problem = None
        if member.flag_bits & ENCRYPTED:
            problem = "encrypted"
        elif member.compress_type not in METHODS:
            problem = f"compressed by method {member.compress_type}, not stored or deflated"
        elif member.external_attr >> 28 == SYMLINK:
            problem = "a symbolic link"
        elif member.file_size > limit:
            problem = f"{member.file_size:,} bytes, out of {self._window.size:,} of the archive"
        if problem:
            raise FormatError(f"the member is {problem}", where=name)
        self._check_local_header(member)
        return member

    def _check_local_header(self, member: ZipInfo) -> int:
        """Check a member's own header against the directory; returns where its bytes begin."""
        name, at = member.filename, member.header_offset
        with _damage(name):
            fields = LOCAL_HEADER.unpack(self._window.head(LOCAL_HEADER.size, at))
            signature, _, flags, method, _, _, _, packed, plain, name_size, extra_size = fields
            begin = at + LOCAL_HEADER.size + name_size + extra_size
            told_later = flags & SIZES_FOLLOW or NOT_IN_32_BITS in {packed, plain}
            sizes = (packed, plain) == (member.compress_size, member.file_size)
            if signature != b"PK\x03\x04" or method != member.compress_type:
                raise ValueError("its own header disagrees with the directory")
            if not told_later and not sizes:
                raise ValueError("its own header gives other sizes than the directory")
            if method == STORED and member.compress_size != member.file_size:
                raise ValueError("stored, but of two sizes")
            if begin + member.compress_size > self._window.size:
                raise ValueError("the archive ends before it does")
        return int(begin)


def _is_plain(name: str) -> bool:
    """Whether a name leads nowhere but down, wherever an archive is unpacked."""
    parts = name.split("/")
    return name.isprintable() and "\\" not in name and not {"", ".", ".."}.intersection(parts)


MODELS = (".h5", ".hdf5", ".keras")


def _not_keras(names: list[str]) -> FormatError:
    for sign, what in OTHER_ARCHIVES:
        if any(name.endswith(sign) for name in names):
            return FormatError(what, where="file")
    held = ", ".join(show(name, 40) for name in names[:4])
    packed = next((name for name in names if name.lower().endswith(MODELS)), "")
    return FormatError(
        f"a zip archive, but no Keras model in it: it has no {CONFIG}",
        where="file",
        hint=f"unpack it: {show(packed, 80)} is in it" if packed else "",
        details=(f"Its members: {held or 'none'}{', …' if len(names) > 4 else ''}.",),
    )


@contextmanager
def _damage(where: str) -> Generator[None]:
    """Turn what zipfile raises on malformed archives into a FormatError."""
    malformed = (BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError,
                 OSError, RuntimeError, ValueError, OverflowError)  # fmt: skip
    try:
        yield
    except malformed as error:
        what = "the zip archive is" if where == "file" else "the member is"
        raise FormatError(
            f"{what} damaged or cut short: {show(str(error))}", where=where, hint=AGAIN
        ) from error
