"""The architecture of a model in a file of its own: what `to_json` of a Keras gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...ir.model import Model
from ...ir.plan import Plan
from ...ir.report import Event, Report
from ..target import Path, target
from .again import said_configuration, tell
from .containers import as_json
from .dialects import Dialect
from .model import contents_of, dialect_of


def export_architecture(
    model: Model,
    plan: Plan,
    path: Path,
    *,
    dialect: str = "keras2",
    target_backend: str = "tensorflow",
    overwrite: bool = False,
    durable: bool = False,
) -> list[Event]:
    """Write what a model is made of, without its numbers.

    It reads as what `export_keras` writes with `weights_only`, for the same target, belongs to.
    Sources: Keras 1.2.2 `engine/topology.py` and 2.2.4 `engine/network.py` (`to_json`,
    `_updated_config`), Keras 3.15 `models/model.py` (`to_json`).

    Args:
        model: What is written.
        plan: The layouts chosen for its graph.
        path: The file to make.
        dialect: Which target, a name of `DIALECTS`.
        target_backend: Whose kernels go with it.
        overwrite: Replace a file that is there.
        durable: Have the disk confirm it.

    Returns:
        What was changed, carried and lost.

    Raises:
        UsageError: There is no such dialect; the file exists.
        ExportError: The target cannot express something; the layer is named.
    """
    chosen = dialect_of(dialect, target_backend)
    report = Report()
    said = said_configuration(model, plan, chosen, target_backend)
    if said is not None:
        tell(model, report)
    else:
        contents, report = contents_of(model, plan, chosen, target_backend, weights_only=True)
        said = {**contents.config, **_beside(chosen, contents.version, target_backend)}
    with (
        target(path, overwrite=overwrite, durable=durable) as temporary,
        open(temporary, "w", encoding="utf-8") as file,
    ):
        file.write(as_json(said))
    return report.events


def _beside(dialect: Dialect, version: str, backend: str) -> Mapping[str, Any]:
    """What stands beside a configuration: Keras 3 says it in the configuration itself."""
    if dialect.form == "keras3":
        return {}
    written_by = {"backend": backend} if dialect.says_backend else {}
    return {"keras_version": version, **written_by}
