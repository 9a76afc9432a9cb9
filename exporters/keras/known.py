"""Whether every reader of a file has the classes and keys in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .dialects import LOADED_BY

if TYPE_CHECKING:
    from .site import Site


def check_known(site: Site, class_name: str, config: Mapping[str, Any]) -> None:
    """Tell of a class or a key that some readers lack.

    Raises:
        ExportError: The target is known not to have the class.
    """
    known = site.dialect.classes.get(class_name)
    if class_name in site.dialect.absent:
        raise site.refuse(f"{site.dialect.name} has no {class_name}")
    if known is None:
        return
    for key, version in known.since.items():
        if config.get(key):
            site.emission.speak(known.era)
            site.tell(
                "KX301", "note", f"{class_name}.{key} needs {version} or later", level="warning"
            )
    if known.missing:
        site.emission.speak(known.era)
        site.tell(
            "KX302",
            "note",
            f"{class_name} is not in {known.missing}, which cannot load this file",
            level="warning",
            fix=f"load it in {LOADED_BY[known.missing]}",
        )
