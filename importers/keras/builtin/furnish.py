"""Giving a file of weights one of the built-in architectures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from ....ir.model import Fact
from ....ir.report import Report
from ..archive.record import Archive
from .models import Written, architecture, named

PREFIX = "builtin:"
"""What an architecture's name begins with where the name of a file could stand."""

COUNTED: Mapping[str, re.Pattern[str]] = {
    "Conv2D": re.compile(r"(convolution2d|conv2d)_\d+"),
    "BatchNormalization": re.compile(r"(batchnormalization|batch_normalization)_\d+"),
}
"""What Keras 1 and 2 call layers of a class that they name by counting."""


def furnish(
    archive: Archive, text: str, era: str | None, data_format: str | None, report: Report
) -> tuple[Archive, Fact]:
    """Put a built-in architecture in the place of the file's own.

    Args:
        archive: The file.
        text: A key of `ARCHITECTURES`; `NAME@SIZE` says the extent of the images as well.
        era: Of the weights.
        data_format: As the user says.
        report: Told what was assumed.

    Returns:
        The archive with a configuration, and where the channels are, with the evidence.

    Raises:
        UsageError: There is no such architecture.
    """
    name, size = named(text)
    ordering = _ordering(archive, name, era, data_format, report)
    written = architecture(name, ordering.value or "channels_last", size)
    place = PREFIX + text
    furnished = msgspec.structs.replace(
        archive,
        config=_as_counted(written, archive),
        origins={**archive.origins, "config": place},
        architecture_path=place,
    )
    return furnished, ordering


def _ordering(
    archive: Archive, name: str, era: str | None, said: str | None, report: Report
) -> Fact:
    """Where the channels are: kernels of Keras 0 and 1 tell by their shape."""
    if said is not None:
        return Fact(said, "user", "--source-data-format")
    arrays = [weight for group in archive.groups for weight in group.weights]
    kernel = next((array for array in arrays if len(array.source.shape) == 4), None)
    if kernel is not None and era in {"keras0", "keras1"}:
        found = _told(kernel.source.shape)
        if found is not None:
            return Fact(found, "inferred", f"shape {kernel.source.shape} of {kernel.path}")
    report.add(
        "KE204",
        "assumed",
        f"{name} taken as channels_last: the shapes of the weights do not tell",
        fix="to overrule: --source-data-format channels_first",
    )
    return Fact("channels_last", "inferred", "assumed: the shapes of the weights do not tell")


def _told(shape: tuple[int, ...]) -> str | None:
    """What a kernel over three channels says: `O 3 k k` or `k k 3 O`."""
    first = shape[1] == 3 and shape[2] == shape[3]
    last = shape[2] == 3 and shape[0] == shape[1]
    if first == last:
        return None
    return "channels_first" if first else "channels_last"


def _as_counted(written: Written, archive: Archive) -> dict[str, Any]:
    """The configuration, its counted layers called as the file calls them.

    The author's session may have counted from any number; what is certain is the order.
    """
    inner = written.config["config"]
    held = [group.layer for group in archive.groups if group.weights]
    names: dict[str, str] = {}
    for class_name, pattern in COUNTED.items():
        ours = [
            layer["name"]
            for layer in inner["layers"]
            if layer["class_name"] == class_name and layer["name"] in written.counted
        ]
        theirs = [name for name in held if pattern.fullmatch(name)]
        if len(ours) != len(theirs):
            return written.config
        names |= dict(zip(ours, theirs, strict=True))
    layers = [_renamed(layer, names) for layer in inner["layers"]]
    return {**written.config, "config": {**inner, "layers": layers}}


def _renamed(layer: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A layer with its own name and those of its inputs replaced."""
    name = names.get(layer["name"], layer["name"])
    nodes = [
        [[names.get(ref[0], ref[0]), *ref[1:]] for ref in node] for node in layer["inbound_nodes"]
    ]
    config = {**layer["config"], "name": name}
    return {**layer, "name": name, "config": config, "inbound_nodes": nodes}
