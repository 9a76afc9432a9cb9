"""The gate that numbers pass: what a dataset declares, against what it stores."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np

from ....errors import FormatError, show
from ..gates import MIB, Node, hdf5, reading

MAX_DIMENSION = 1 << 31
MAX_CHUNK_BYTES = 64 * MIB
DEFLATE_RATIO = 1032
"""What deflate can compress to one byte, at best (zlib's technical details)."""

BFLOAT16 = "bfloat16"
"""Not a NumPy dtype. Keras 3 stores it as two opaque bytes, with this name in the attribute `dtype`
(keras/src/saving/saving_lib.py, H5Entry). In legacy HDF5 it and tf-keras leave the name out
(genuine files of Keras 3.15 and tf-keras 2.21); no other number of theirs is opaque."""
KINDS = (("IEEE_F", "f", (4, 8, 2)), ("STD_I", "i", (8, 4, 1, 2)), ("STD_U", "u", (4, 8, 1, 2)))
"""HDF5's name of a type, NumPy's letter, and the widths in bytes that weights have."""
ORDERS = (("LE", "<"), ("BE", ">"))
DTYPES = {
    f"{sign}{letter}{width}": width
    for _, letter, widths in KINDS
    for width in widths
    for _, sign in ORDERS
} | {BFLOAT16: 2}
"""The dtypes that weights have, and the bytes that one number takes."""

FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32", 6: "scaleoffset", 32000: "lzf"}
"""The HDF5 filters that are let run: those that Keras users' tools apply and h5py brings along."""
COMPRESSING = {"deflate", "scaleoffset", "lzf"}
REFUSED_FILTERS = {4: "szip", 5: "nbit", 32001: "blosc", 32004: "lz4", 32008: "bitshuffle",
                   32015: "zstd", 32026: "blosc2"}  # fmt: skip


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
        return math.prod(self.shape) * DTYPES[self.dtype]

    def within(self, size: int) -> bool:
        """Whether it makes sense, and its numbers lie in the first `size` bytes."""
        if self.dtype not in DTYPES or any(extent < 0 for extent in self.shape):
            return False
        if self.data is not None:
            return len(self.data) == self.nbytes
        return self.offset is None or 0 <= self.offset <= size - self.nbytes


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
    for name, letter, widths in KINDS:
        for width in widths:
            for order, sign in ORDERS:
                if kind == getattr(h5py.h5t, f"{name}{8 * width}{order}"):
                    return f"{sign}{letter}{width}"
    if _is_bfloat16(dataset, kind):
        return BFLOAT16
    others = ("COMPOUND", "OPAQUE", "REFERENCE", "VLEN", "ARRAY", "ENUM", "STRING", "BITFIELD")
    classes = {getattr(h5py.h5t, name): f"of the type {name.lower()}" for name in others}
    text = classes.get(kind.get_class(), f"of an unusual kind ({8 * kind.get_size()} bits)")
    raise _refused(dataset, f"its numbers are {text}", "weights are floats of 16, 32 or 64 bits")


def _is_bfloat16(dataset: Node, kind: Any) -> bool:
    """Whether it is one of the forms of bfloat16: two opaque bytes, or HDF5 2's own type."""
    h5py = hdf5()
    if kind.get_size() != 2:
        return False
    if kind.get_class() == h5py.h5t.FLOAT:
        fields = (15, 7, 8, 0, 7)  # sign; position and size of exponent; of mantissa
        little = kind.get_order() == h5py.h5t.ORDER_LE
        return bool(little and kind.get_fields() == fields and kind.get_ebias() == 127)
    if kind.get_class() != h5py.h5t.OPAQUE:
        return False
    if not h5py.h5a.exists(dataset.id, b"dtype"):
        return True
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
    checksums = 4 * count * ("fletcher32" in names)
    if COMPRESSING.intersection(names):
        lies = extent.nbytes > stored * DEFLATE_RATIO + MIB
    else:
        lies = stored != count * size + checksums
    if lies:
        raise _lie(dataset, extent, stored)
