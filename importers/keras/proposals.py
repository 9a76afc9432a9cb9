"""Which architecture fits weights that came without one: a built-in one, or a file beside them."""

from __future__ import annotations

import os
from itertools import islice
from typing import NamedTuple

from ...errors import ConfigError, KerasirError, show
from ...ir.model import Model
from .archive.record import Archive
from .builtin import ARCHITECTURES, PREFIX, weighted_layers

ENDS = (".json", ".yaml", ".yml")
MOST = 20
"""Files of a folder that are tried."""


def propose(archive: Archive) -> list[str]:
    """Names of the built-in architectures that have just these weights: names and shapes match.

    Where no name matches, as in files of Keras 0.3, which have none, the order has to.
    """
    from .read import import_model  # which tells of proposals

    count = sum(1 for group in archive.groups if group.weights)
    likely = [name for name in ARCHITECTURES if weighted_layers(name) == count]
    backend = archive.backend or "tensorflow"
    found = []
    for name in likely:
        try:
            model = import_model(archive, builtin=name, backend=backend)
        except KerasirError:
            continue
        if _holds_all(model):
            found.append(name)
    return found


class Proposal(NamedTuple):
    """An architecture that has just these weights.

    Attributes:
        arch: As `--arch` takes it: a path, or `builtin:NAME`.
        reason: Why it is proposed.
    """

    arch: str
    reason: str


def proposal(archive: Archive) -> Proposal | None:
    """The architecture that weights fit: a built-in one, else a file beside them; maybe none."""
    if found := propose(archive):
        title = ARCHITECTURES[found[0]].title
        return Proposal(PREFIX + found[0], f"names and shapes are those of {title}")
    if path := _beside(archive):
        told = f"{show(os.path.basename(path))} lies in the same folder, and has these layers"
        return Proposal(path, told)
    return None


def _beside(archive: Archive) -> str:
    """An architecture in the folder of the weights that has just these; "" if there is none."""
    from .archive import read_archive
    from .read import import_model

    folder = os.path.dirname(archive.path)
    named = (name for name in sorted(_names(folder)) if name.lower().endswith(ENDS))
    for path in (os.path.join(folder, name) for name in islice(named, MOST)):
        try:
            whole = read_archive(archive.path, arch=path)
            model = import_model(whole, backend=whole.backend or "tensorflow")
        except (KerasirError, OSError):  # an architecture of something else, or none
            continue
        if _holds_all(model):
            return path
    return ""


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder or ".")
    except OSError:  # one that may be entered and not listed
        return []


def _holds_all(model: Model) -> bool:
    return all(event.kind != "lost" for event in model.report)


def no_architecture(archive: Archive) -> ConfigError:
    """The error for weights that came without an architecture, where one is needed."""
    found = proposal(archive)
    reason = "" if found is None else f"; {found.reason}"
    return ConfigError(
        f"weights only, and this needs an architecture{reason}",
        where="file",
        hint="add --arch model.json" if found is None else f"add --arch {show(found.arch)}",
    )
