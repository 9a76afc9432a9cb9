"""Which architecture fits weights that came without one: a built-in one, or a file beside them."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from ...errors import ConfigError, KerasirError, names_in, show
from ...ir.model import Model
from .archive.record import Archive
from .builtin import ARCHITECTURES, PREFIX, weighted_layers

ENDS = (".json", ".yaml", ".yml")
Read = Callable[..., Model]

MOST = 20
"""Files of a folder that are tried."""


def propose(archive: Archive, read: Read) -> list[str]:
    """Names of the built-in architectures that have just these weights: names and shapes match.

    Where no name matches, as in files of Keras 0.3, which have none, the order has to.

    Args:
        archive: The weights.
        read: `import_model`.
    """
    count = sum(1 for group in archive.groups if group.weights)
    likely = [name for name in ARCHITECTURES if weighted_layers(name) == count]
    found = []
    for name in likely:
        with suppress(KerasirError):
            if _fits(archive, read, name):
                found.append(name)
    return found


def _fits(archive: Archive, read: Read, builtin: str | None = None) -> bool:
    """Whether weights and architecture have just each other's layers.

    Raises:
        KerasirError: They do not belong together at all.
    """
    model = read(archive, builtin=builtin, backend=archive.backend or "tensorflow")
    return all(event.kind != "lost" for event in model.report)


class Proposal(NamedTuple):
    """An architecture that has just these weights.

    Attributes:
        arch: As `--arch` takes it: a path, or `builtin:NAME`.
        reason: Why it is proposed.
    """

    arch: str
    reason: str


def proposal(archive: Archive, read: Read) -> Proposal | None:
    """The architecture that weights fit: a built-in one, else a file beside them; maybe none.

    Args:
        archive: The weights.
        read: `import_model`, which itself tells of proposals.
    """
    if found := propose(archive, read):
        title = ARCHITECTURES[found[0]].title
        return Proposal(PREFIX + found[0], f"names and shapes are those of {title}")
    if path := _beside(archive, read):
        told = f"{show(os.path.basename(path))} lies in the same folder, and has these layers"
        return Proposal(path, told)
    return None


def _beside(archive: Archive, read: Read) -> str:
    """An architecture in the folder of the weights that has just these; "" if there is none."""
    from .archive import read_archive

    folder = os.path.dirname(archive.path)
    named = (name for name in sorted(names_in(folder)) if name.lower().endswith(ENDS))
    for path in (os.path.join(folder, name) for name in islice(named, MOST)):
        with suppress(KerasirError, OSError):  # an architecture of something else, or none
            if _fits(read_archive(archive.path, arch=path), read):
                return path
    return ""


def no_architecture(found: Proposal | None) -> ConfigError:
    """The error for weights that came without an architecture, where one is needed.

    Args:
        found: The architecture that they fit, if there is one.
    """
    reason = "" if found is None else f"; {found.reason}"
    return ConfigError(
        f"weights only, and this needs an architecture{reason}",
        where="file",
        hint="add --arch model.json" if found is None else f"add --arch {show(found.arch)}",
    )
