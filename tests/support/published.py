"""What genuine Keras builds of the published architectures, as archives."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from genuine import PROJECT
from kerasir.importers.keras.archive import Archive
from kerasir.importers.keras.archive.record import StoredWeight, WeightGroup
from kerasir.ir.source import Array, ArraySource, ConstantSource, Source

FOLDER = PROJECT / "tests" / "data" / "builtin"
sys.path.insert(0, str(FOLDER))

from numbers_of_weights import image, numbers  # ruff: ignore[module-import-not-at-top-of-file]  (old Keras runs it as well)


class Published(NamedTuple):
    """One model that genuine Keras built: `KERAS-BACKEND-ORDERING-NAME`."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.stem

    @property
    def name(self) -> str:
        return self.id.split("-", 3)[3]

    @property
    def backend(self) -> str:
        return self.id.split("-")[1]

    @property
    def data_format(self) -> str:
        return {"th": "channels_first", "tf": "channels_last"}[self.id.split("-")[2]]

    def lines(self) -> list[tuple[str, list[tuple[str, tuple[int, ...]]]]]:
        """The layers with weights in the file's order: names and shapes as stored."""
        found = []
        for line in self.path.read_text().splitlines():
            layer, *weights = line.split()
            pairs = (pair.rsplit("=", 1) for pair in weights)
            found.append((layer, [(n, tuple(map(int, s.split("x")))) for n, s in pairs]))
        return found

    def archive(self, *, filled: bool = False) -> Archive:
        """A file of these weights, which takes no memory unless it is filled with numbers."""
        groups, count = [], 0
        for layer, weights in self.lines():
            held = []
            for name, shape in weights:
                array = numbers(count, name, shape) if filled else None
                held.append(_stored(layer, name, shape, array))
                count += 1
            groups.append(WeightGroup(layer, tuple(held)))
        return archive_of(groups)

    def outputs(self) -> Array:
        """What Keras predicts of `image` with the numbers of a filled archive."""
        with np.load(self.path.with_suffix(".npz")) as arrays:
            return np.asarray(arrays["out"])


def _stored(layer: str, name: str, shape: tuple[int, ...], array: Array | None) -> StoredWeight:
    source: Source = ConstantSource(0.0, shape) if array is None else ArraySource(array)
    return StoredWeight(name, f"/{layer}/{name}", source)


def archive_of(groups: list[WeightGroup], form: str = "named") -> Archive:
    """Weights without architecture, version and backend."""
    size = sum(math.prod(w.source.shape) for group in groups for w in group.weights)
    return Archive(
        path="weights.h5",
        size=4 * size,
        container="hdf5",
        form=form,  # type: ignore[arg-type]
        content="weights",
        groups=tuple(groups),
    )


PUBLISHED = tuple(Published(path) for path in sorted(FOLDER.glob("*.txt")))
PREDICTED = tuple(one for one in PUBLISHED if one.path.with_suffix(".npz").exists())

__all__ = ["PREDICTED", "PUBLISHED", "Published", "archive_of", "image", "numbers"]
