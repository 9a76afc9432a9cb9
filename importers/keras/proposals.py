"""Which architecture fits weights that came without one: a built-in one, or a file beside them."""

from __future__ import annotations

import os
from itertools import islice

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


def beside(archive: Archive) -> str:
    """An architecture in the folder of the weights that has just these; "" if there is none."""
    from .archive import read_archive
    from .read import import_model

    folder = os.path.dirname(archive.path)
    named = (name for name in sorted(os.listdir(folder or ".")) if name.lower().endswith(ENDS))
    for path in (os.path.join(folder, name) for name in islice(named, MOST)):
        try:
            whole = read_archive(archive.path, arch=path)
            model = import_model(whole, backend=whole.backend or "tensorflow")
        except (KerasirError, OSError):  # an architecture of something else, or none
            continue
        if _holds_all(model):
            return path
    return ""


def _holds_all(model: Model) -> bool:
    return all(event.kind != "lost" for event in model.report)


def no_architecture(archive: Archive) -> ConfigError:
    """The error for weights that came without an architecture, where one is needed."""
    what, hint = "weights only, and this needs an architecture", "add --arch model.json"
    details: tuple[str, ...] = ()
    if found := propose(archive):
        what += f"; names and shapes are those of {ARCHITECTURES[found[0]].title}"
        hint = f"add --arch {PREFIX}{found[0]}"
    elif path := beside(archive):
        hint = f"add --arch {show(path)}"
        details = (
            f"{show(os.path.basename(path))} lies in the same folder, and has these layers.",
        )
    return ConfigError(what, where="file", hint=hint, details=details)
