"""Which built-in architecture fits weights that came without one."""

from __future__ import annotations

from ...errors import ConfigError, KerasirError
from .archive.record import Archive
from .builtin import ARCHITECTURES, PREFIX, weighted_layers


def propose(archive: Archive) -> list[str]:
    """Names of the built-in architectures that have just these weights: names and shapes match.

    Where no name matches, as in files of Keras 0.3, which have none, the order has to.
    """
    count = sum(1 for group in archive.groups if group.weights)
    likely = [name for name in ARCHITECTURES if weighted_layers(name) == count]
    return [name for name in likely if _fits(archive, name)]


def _fits(archive: Archive, name: str) -> bool:
    from .read import import_model  # which tells of proposals

    try:
        model = import_model(archive, builtin=name, backend=archive.backend or "tensorflow")
    except KerasirError:
        return False
    return all(event.kind != "lost" for event in model.report)


def no_architecture(archive: Archive) -> ConfigError:
    """The error for weights that came without an architecture, where one is needed."""
    found = propose(archive)
    if not found:
        return ConfigError(
            "weights only, and this needs an architecture",
            where="file",
            hint="add --arch model.json",
        )
    title = ARCHITECTURES[found[0]].title
    return ConfigError(
        f"weights only, and this needs an architecture; names and shapes are those of {title}",
        where="file",
        hint=f"add --arch {PREFIX}{found[0]}",
    )
