"""Whether every reader of a file has the classes and keys in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...errors import ExportError
from .dialects import LOADED_BY

if TYPE_CHECKING:
    from .emission import Emission


def check_known(emission: Emission, at: str, class_name: str, config: Mapping[str, Any]) -> None:
    """Tell of a class or a key that some readers lack.

    Args:
        emission: Where it is written.
        at: What the layer is called.
        class_name: Its class in the file.
        config: Its configuration there.

    Raises:
        ExportError: The target is known not to have the class.
    """
    dialect, report = emission.dialect, emission.report
    known = dialect.classes.get(class_name)
    if class_name in dialect.absent:
        raise ExportError(f"{dialect.name} has no {class_name}", where=at)
    if known is None:
        return
    for key, version in known.since.items():
        if config.get(key):
            emission.speak(known.era)
            what = f"{class_name}.{key} needs {version} or later"
            report.add("KX301", "note", what, layer=at, level="warning")
    if known.missing:
        emission.speak(known.era)
        what = f"{class_name} is not in {known.missing}, which cannot load this file"
        fix = f"load it in {LOADED_BY[known.missing]}"
        report.add("KX302", "note", what, layer=at, level="warning", fix=fix)
