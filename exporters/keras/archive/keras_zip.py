"""`.keras` archives as a sink: a zip whose weights are written in place, never held or copied.

The weights are a stored member. The HDF5 library makes its skeleton where that member lies, and
numbers go straight to their offsets, as for a plain HDF5 file. What makes it a zip is written at
the end by `zipfile`, which is shown the weights for their checksum but does not write them again.

Source: Keras 3.15 `saving/saving_lib.py` (`_save_model_to_fileobj`).
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from ...sink import BUFFER, Place
from .skeleton import Hdf5Sink

if TYPE_CHECKING:
    import h5py

WEIGHTS = "model.weights.h5"

LARGE = 1 << 31
"""Bytes of weights from which on their header has room for a size of 64 bits."""


class KerasZipSink(Hdf5Sink):
    """A `.keras` archive. A tensor's name is its path in the HDF5 member."""

    def __init__(self, texts: Mapping[str, str | bytes]) -> None:
        """Make a sink; `texts` are the other members by name, in order."""
        super().__init__()
        self._texts = texts
        self._weights: Section | None = None

    def _lay_out(self, paths: tuple[str, ...]) -> Sequence[Place]:
        self._weights = Section(self._fds[0], self._before_weights())
        self._resize(0, self._weights.base)
        return [
            Place(place.file, place.offset + self._weights.base)
            for place in super()._lay_out(paths)
        ]

    def _drive(self, access: h5py.h5p.PropFAID) -> None:
        import h5py

        access.set_fileobj_driver(h5py.h5fd.fileobj_driver, self._weights)

    def _before_weights(self) -> int:
        """How many bytes of the archive lie before the weights: tried out in memory."""
        with io.BytesIO() as trial, ZipFile(trial, "w", ZIP_STORED) as archive:
            self._write_texts(archive)
            with archive.open(member(WEIGHTS), "w", force_zip64=self._is_large):
                return trial.tell()

    @property
    def _is_large(self) -> bool:
        return sum(tensor.nbytes for tensor in self.tensors) >= LARGE

    def _write_texts(self, archive: ZipFile) -> None:
        for name, text in self._texts.items():
            archive.writestr(member(name), text)

    def _finish(self) -> None:
        """Write the members before the weights, their header and checksum, and the directory."""
        weights = self._weights
        assert weights is not None  # `_lay_out` made it
        whole = Section(self._fds[0], 0)
        with ZipFile(whole, "w", ZIP_STORED) as archive:
            self._write_texts(archive)
            with archive.open(member(WEIGHTS), "w", force_zip64=self._is_large) as stream:
                weights.seek(0)
                whole.passing = True
                while block := weights.read(BUFFER):
                    stream.write(block)
                whole.passing = False


class Section(io.RawIOBase):
    """An open file from a place on, as a file object.

    Attributes:
        base: Where it begins in the file.
        passing: Whether what is written is there already, so that only the position moves.
    """

    def __init__(self, fd: int, base: int) -> None:
        super().__init__()
        self._fd, self._at, self.base, self.passing = fd, 0, base, False

    def readable(self) -> bool:
        """It is."""
        return True

    def writable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The position, from the base on."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position that is counted from the base, from here or from the file's end."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence)
        self._at = offset + (os.fstat(self._fd).st_size - self.base if start is None else start)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, or less of it at the end of the file."""
        count = os.preadv(self._fd, [buffer], self.base + self._at)
        self._at += count
        return count

    def write(self, data: Any) -> int:
        """Write all of it."""
        view = memoryview(data).cast("B")
        done = len(view) if self.passing else 0
        while done < len(view):
            done += os.pwrite(self._fd, view[done:], self.base + self._at + done)
        self._at += done
        return done

    def truncate(self, size: int | None = None) -> int:
        """Cut or extend the file."""
        end = self._at if size is None else size
        os.ftruncate(self._fd, self.base + end)
        return end


def member(name: str) -> ZipInfo:
    """A member without a date: the same input gives the same bytes."""
    info = ZipInfo(name)
    info.external_attr = 0o644 << 16
    return info
