"""A model and its plan to a Keras file: emit layers, spell them, stream the weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...errors import ExportError, UsageError
from ...ir.fill import Job, fill
from ...ir.model import Model
from ...ir.plan import Plan
from ...ir.report import Event, Report
from ..sink import Tensor, writing
from ..target import Path
from . import layers  # ruff: ignore[unused-import]  (registers the writers)
from .archive.hdf5 import Archive, LayerGroup, hdf5_sink
from .dialects import DIALECTS, Dialect
from .emit import emit
from .network import Array, Network
from .spell import Group, groups, is_chain, spell
from .training import State, spell_training

Named = tuple[str, Array]


def export_keras(
    model: Model,
    plan: Plan,
    path: Path,
    *,
    dialect: str = "keras2",
    target_backend: str = "tensorflow",
    weights_only: bool = False,
    overwrite: bool = False,
    durable: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[Event]:
    """Write a Keras file.

    Args:
        model: What is written.
        plan: The layouts chosen for its graph.
        path: The file to make.
        dialect: Which target, a name of `DIALECTS`.
        target_backend: Whose kernels: `tensorflow` correlates, `theano` reverses.
        weights_only: Leave out architecture and training.
        overwrite: Replace a file that is there.
        durable: Have the disk confirm it.
        progress: Called with the bytes of weights written so far and in all.

    Returns:
        What was changed, carried and lost.

    Raises:
        UsageError: There is no such dialect, or it has no kernels of that backend; the file exists.
        ExportError: The target cannot express something; the layer is named.
    """
    target = _dialect(dialect, target_backend)
    network, report = emit(model, plan, target, target_backend)
    if model.kind == "sequential" and not is_chain(network, target):
        report.add(
            "KX404", "changed", "written as a functional model: it is no chain of layers any more"
        )
    held = groups(network, target, target_backend)
    state = None
    if not weights_only and model.training is not None:
        state = spell_training(model.training, network, model.graph, target, report)
    _check_all_carried(model, held, report)
    archive = _archive(network, held, state, target, target_backend, weights_only)
    arrays = [array for group in held for _, array in group.arrays]
    arrays += [array for _, array in (state.arrays if state else ())]
    sink = hdf5_sink(archive)
    total = sum(tensor.nbytes for tensor in sink.tensors)

    def moved(done: int) -> None:
        if progress is not None:
            progress(done, total)

    with writing(sink, path, overwrite=overwrite, durable=durable):
        jobs = [
            Job(index, array.param, array.layout, sink.tensors[index].dtype)
            for index, array in enumerate(arrays)
        ]
        fill(sink, jobs, progress=moved)
    return report.events


def _dialect(name: str, backend: str) -> Dialect:
    if name not in DIALECTS:
        known = ", ".join(DIALECTS)
        raise UsageError(f"no Keras dialect is called {name!r}", hint=f"there are {known}")
    dialect = DIALECTS[name]
    if backend not in dialect.backends:
        raise UsageError(
            f"{name} has no kernels of {backend!r}", hint=f"it has {', '.join(dialect.backends)}"
        )
    return dialect


def _check_all_carried(model: Model, held: Sequence[Group], report: Report) -> None:
    """Tell of weights that no output needs: Keras does not load such layers."""
    arrays = [array for group in held for _, array in group.arrays]
    written = {weight for array in arrays for weight in array.weights}
    for weight in model.graph.weights():
        if weight not in written:
            report.add(
                "KX203",
                "lost",
                f"{weight.name}: no output of the model needs it",
                weight=weight.name,
                level="warning",
            )


def _archive(
    network: Network,
    held: Sequence[Group],
    state: State | None,
    dialect: Dialect,
    backend: str,
    weights_only: bool,
) -> Archive:
    """All of the file but the numbers."""
    version = dialect.later.get(network.vocabulary, dialect.keras_version)
    written_by = (("backend", backend), ("keras_version", version))
    layer_groups = tuple(
        LayerGroup(group.layer, tuple(_tensor(named) for named in group.arrays)) for group in held
    )
    if weights_only:
        return Archive(layer_groups, weights_group="", beside_layers=written_by)
    root = [*reversed(written_by), ("model_config", _json(spell(network, dialect)))]
    if state is not None:
        root.append(("training_config", _json(state.config)))
    return Archive(
        layer_groups,
        root=tuple(root),
        beside_layers=written_by,
        optimizer=tuple(_tensor(named) for named in (state.arrays if state else ())),
    )


def _tensor(named: Named) -> Tensor:
    name, array = named
    return Tensor(name, array.param.weight.dtype, array.shape)


def _json(config: Mapping[str, Any]) -> str:
    try:
        return json.dumps(config, allow_nan=True)
    except (TypeError, ValueError) as error:
        raise ExportError(f"the configuration has no JSON form: {error}") from error
