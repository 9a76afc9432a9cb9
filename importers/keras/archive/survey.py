"""Collecting the stored weights of an HDF5 file: what the readers of every form share."""

from __future__ import annotations

import msgspec
import numpy as np

from ....errors import FormatError, show
from ..gates import MIB, Node, h5_get, hdf5, reading
from . import attributes
from .contents import Entry, Group
from .dataset import BFLOAT16, Extent, describe_dataset

SMALL = 64 * 1024
"""Bytes up to which a chunked dataset is read at once, as compact ones must be."""
SMALL_TOTAL = 16 * MIB


class Survey:
    """Describes datasets one by one; reads the few small ones that lie in pieces.

    Attributes:
        complete: Whether the file is whole: of one cut short, nothing is read but where things lie.
        found: Where the numbers lie that were found so far.
    """

    def __init__(self, root: Node, found: list[Extent], *, complete: bool) -> None:
        self.root, self.found, self.complete = root, found, complete
        self._room = SMALL_TOTAL
        self._folder = root

    def weight(self, group: Node, name: str) -> Entry:
        """The dataset of this name, which may lead through further groups.

        A name that begins with a slash counts from the root: Keras 2.0 on Theano wrote its
        `/iterations` there.
        """
        if name.startswith("/"):
            group = self.root
        folder, slash, last = name.removeprefix("/").rpartition("/")
        if slash and self._folder.path != group.child(folder):
            self._folder = h5_get(group, folder, "group")  # mostly that of the next weight, too
        dataset = h5_get(self._folder if slash else group, last, "dataset")
        extent = describe_dataset(dataset)
        if extent.offset is None and extent.nbytes <= min(SMALL, self._room):
            self._room -= extent.nbytes
            extent = msgspec.structs.replace(extent, data=self._read(dataset, extent))
        self.found.append(extent)
        return Entry(name, extent)

    def listed(self, group: Node, layer: str) -> Group:
        """The weights that a group lists in its attribute `weight_names`."""
        names = attributes.names(group, "weight_names")
        if names is None:
            hint = "its writer stopped here: a vocabulary that was learnt can be saved as .keras"
            raise FormatError("the group has no weight_names", where=show(group.path), hint=hint)
        return Group(layer, tuple(self.weight(group, name) for name in names))

    def counted(self, group: Node, layer: str, limit: int = 100_000) -> Group:
        """The weights `param_0`, `param_1`, ... of a group that says how many (Keras 0.3)."""
        count = attributes.count(group, "nb_params", limit)
        return Group(layer, tuple(self.weight(group, f"param_{k}") for k in range(count)))

    def _read(self, dataset: Node, extent: Extent) -> bytes:
        if not extent.nbytes or not self.complete:
            return bytes(extent.nbytes)
        with reading(dataset.path):
            dtype = "V2" if extent.dtype == BFLOAT16 else extent.dtype
            values = np.empty(extent.shape, dtype)
            all_of_it = hdf5().h5s.ALL
            dataset.id.read(all_of_it, all_of_it, values, mtype=dataset.id.get_type())
            return values.tobytes()
