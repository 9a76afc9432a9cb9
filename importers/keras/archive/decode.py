"""Unpacking a chunked or compressed dataset, piece by piece, into a file of plain numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from ....errors import FormatError, show
from ..gates import MIB, Window, h5_get, hdf5, open_hdf5, reading, write_all
from .dataset import BFLOAT16, DTYPES, Extent, describe_dataset

BOX_BYTES = 32 * MIB


def decode(
    fd: int, start: int, size: int, path: str, dtype: str, shape: Sequence[int], target: int
) -> int:
    """Write the numbers of a dataset, row-major, to the beginning of `target`.

    Args:
        fd: A descriptor of the file.
        start: Byte at which the HDF5 file begins.
        size: Its size in bytes.
        path: The dataset's path.
        dtype: Its dtype, as it was found before.
        shape: Its shape, as it was found before.
        target: A descriptor to write to.

    Returns:
        The bytes written.

    Raises:
        FormatError: It cannot be decoded, or is not what it was.
    """
    root = open_hdf5(Window(fd, start, size))
    dataset = h5_get(root, path.removeprefix("/"), "dataset")
    extent = describe_dataset(dataset)
    if extent != Extent(path, tuple(shape), dtype):
        raise FormatError("it is not what it was when first looked at", where=show(path))
    chunk = dataset.id.get_create_plist().get_chunk()
    width = DTYPES[dtype]
    h5py = hdf5()
    space, kind = dataset.id.get_space(), dataset.id.get_type()
    for corner, box in boxes(shape, chunk, BOX_BYTES // width):
        values = np.empty(box, "V2" if dtype == BFLOAT16 else dtype)
        with reading(path):
            space.select_hyperslab(corner, box)
            dataset.id.read(h5py.h5s.create_simple(box), space, values, mtype=kind)
        for at, run in runs(shape, corner, values):
            write_all(target, run.view(np.uint8).data, at * width)
    return extent.nbytes


def boxes(
    shape: Sequence[int], chunk: Sequence[int], room: int
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Cut an array into boxes of whole chunks: the corner and the extents of each.

    Each chunk lies in one box, so that it is decompressed once. A box is one chunk, grown along
    the last axes as long as it has at most `room` elements.
    """
    box = [min(pair) for pair in zip(shape, chunk, strict=True)]
    for axis in reversed(range(len(shape))):
        others = math.prod(box) // box[axis]
        fits = max(room // others // chunk[axis] * chunk[axis], box[axis])
        box[axis] = min(fits, shape[axis])
        if box[axis] < shape[axis]:
            break
    steps = [range(0, size, step) for size, step in zip(shape, box, strict=True)]
    for corner in itertools.product(*steps):
        ends = zip(corner, box, shape, strict=True)
        yield corner, tuple(min(step, size - at) for at, step, size in ends)


def runs(
    shape: Sequence[int], corner: Sequence[int], box: np.ndarray
) -> Iterator[tuple[int, np.ndarray]]:
    """Cut a box into runs that lie in a row in the whole array: first element, and numbers."""
    whole = len(shape)  # from this axis on, the box spans the array
    while whole and box.shape[whole - 1] == shape[whole - 1]:
        whole -= 1
    inner = max(whole - 1, 0)
    strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    first = sum(at * step for at, step in zip(corner, strides, strict=True))
    rows = box.reshape(math.prod(box.shape[:inner]), -1)
    for row, index in enumerate(np.ndindex(*box.shape[:inner])):
        yield first + sum(i * step for i, step in zip(index, strides, strict=False)), rows[row]
