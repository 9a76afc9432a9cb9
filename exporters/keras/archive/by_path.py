"""HDF5 weights of Keras 3: a group for each object, its variables numbered in a group `vars`.

Source: Keras 3.15 `saving/saving_lib.py` (`_save_state`, `_save_container_state`, `H5IOStore`) and
`utils/naming.py` (`to_snake_case`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from ...sink import Tensor
from .skeleton import Hdf5Sink

VARIABLES, LAYERS, OPTIMIZER = "vars", "layers", "optimizer"


class Place(msgspec.Struct, frozen=True):
    """An object and its variables.

    Attributes:
        path: From the root, `layers/dense_1`; "" for the model itself.
        name: What the object is called, if it has a name that matters.
        tensors: Its variables in order; their names are not stored.
    """

    path: str
    name: str = ""
    tensors: tuple[Tensor, ...] = ()


def fill_paths(sink: Hdf5Sink, places: Sequence[Place]) -> None:
    """Declare the variables of all objects, in the order given.

    Raises:
        ExportError: Two things have one path.
    """
    for place in places:
        path = f"{place.path}/{VARIABLES}".lstrip("/")
        sink.group(path)
        if place.name:
            sink.attribute(path, "name", place.name)
        for number, tensor in enumerate(place.tensors):
            sink.declare(f"{path}/{number}", tensor.dtype, tensor.shape)


def group_names(classes: Sequence[str]) -> list[str]:
    """What the groups of a model's layers are called, given their classes in order."""
    count: dict[str, int] = {}
    found: list[str] = []
    for class_name in classes:
        base = snake_case(class_name)
        number = count[base] = count.get(base, -1) + 1
        found.append(f"{base}_{number}" if number else base)
    return found


def snake_case(class_name: str) -> str:
    """What Keras calls the first layer of a class: `Conv2D` is `conv2d`."""
    name = re.sub(r"\W+", "", class_name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
