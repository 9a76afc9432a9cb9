"""What a reader found in a file, as plain data that may come from another process.

Texts are unparsed and numbers are extents: the reader, which runs beside the HDF5 library, decides
nothing. `assemble` makes an `Archive` of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from ....errors import FormatError, show
from ..gates import MIB
from .dataset import Extent

Scalar = str | int | float

MAX_EXPANSION = 100
"""How many times larger than the whole file its decoded weights may be: no genuine weights are
compressed so well, and a file of a few megabytes must not fill the disk."""
ALWAYS_ALLOWED = 256 * MIB

METADATA = "metadata.json"
"""The member of a `.keras` archive that says who wrote it."""


class Entry(msgspec.Struct, frozen=True):
    """One stored weight: what its group calls it, and where its numbers lie."""

    name: str
    extent: Extent


class Group(msgspec.Struct, frozen=True):
    """The stored weights of one layer."""

    layer: str
    weights: tuple[Entry, ...]
    name: str | None = None


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a reader found.

    Attributes:
        container: What kind of file it is.
        form: How weights are found in it.
        config: The model's configuration, JSON text.
        training: The training configuration, JSON text.
        metadata: metadata.json of a zip archive, JSON text.
        keras_version: As an attribute says it.
        backend: As an attribute says it.
        groups: The weights, layer by layer.
        beside: Groups that are of no layer: metrics, and for variables of the model itself.
        optimizer: The optimizer's variables, in order.
        optimizer_names: What is noted beside their paths: by path of a group, "" for nothing.
        attributes: Attributes of the root that no reader uses.
        assets: What layers have beside their variables: members of a zip archive, by name.
        origins: For each fact, the place in the file that said it.
        ignored: Paths of what else the file holds.
        start: Byte of the descriptor at which the HDF5 file begins.
        size: Bytes of the HDF5 file.
        unpacked: Whether the HDF5 file was unpacked into the spare descriptor.
    """

    container: Literal["hdf5", "weights-h5", "keras-zip"]
    form: Literal["named", "numbered", "graph", "paths"]
    config: str | None = None
    training: str | None = None
    metadata: str | None = None
    keras_version: str | None = None
    backend: str | None = None
    groups: tuple[Group, ...] = ()
    beside: tuple[Group, ...] = ()
    optimizer: tuple[Entry, ...] = ()
    optimizer_names: dict[str, str] = {}
    attributes: dict[str, Scalar] = {}
    assets: dict[str, bytes] = {}
    origins: dict[str, str] = {}
    ignored: tuple[str, ...] = ()
    start: int = 0
    size: int = 0
    unpacked: bool = False

    def extents(self) -> Iterator[Extent]:
        """Where all the numbers lie."""
        for group in (*self.groups, *self.beside):
            yield from (entry.extent for entry in group.weights)
        yield from (entry.extent for entry in self.optimizer)


def check_extents(contents: Contents) -> None:
    """Check that all numbers are in the file, and no more of them than it can hold.

    Raises:
        FormatError: Some lie elsewhere, or they are more than the file holds.
    """
    size = contents.size
    in_rows = scattered = 0
    for extent in contents.extents():
        if not extent.within(size):
            raise FormatError(
                f"its numbers lie beyond the end of the file, at {size:,} bytes",
                where=show(extent.path),
                hint="the file is damaged; download or save it again",
            )
        in_rows += extent.nbytes if extent.offset is not None else 0
        scattered += extent.nbytes if extent.offset is None else 0
    if in_rows > size or scattered > max(ALWAYS_ALLOWED, MAX_EXPANSION * size):
        raise FormatError(
            f"its weights declare {in_rows + scattered:,} bytes, but the file has {size:,}",
            where="file",
            hint="the file is damaged or hostile",
        )
