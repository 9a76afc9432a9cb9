"""A file whose model is as it was, written again as its source says it, to the last word.

What a source says is in the target's own words where they are of one dialect. So if no pass has
changed the model, and the plan keeps its author's orders, there is nothing to be spelt: the
configuration, the training record and every array come out as they were read. What differs is how
the bytes lie: uncompressed, in one piece each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...eras.storage import CONVOLVES
from ...ir.layout import Axis, Layout
from ...ir.model import Model
from ...ir.ops.opaque import Opaque
from ...ir.original import Original, OriginalArray, OriginalGroup
from ...ir.plan import Plan
from ...ir.report import Report
from ...ir.tensor import Param, Stored, Weight
from ..sink import Tensor
from .archive.by_path import VARIABLES
from .archive.hdf5 import Archive, LayerGroup, hdf5_sink
from .archive.keras_zip import KerasZipSink
from .archive.skeleton import OPAQUE, Hdf5Sink
from .containers import CONFIG, METADATA, ZIP, Filled, as_json
from .dialects import Dialect
from .layers.opaque import tell_of_code
from .network import Array


def said_already(
    model: Model, plan: Plan, dialect: Dialect, backend: str, container: str, *, weights_only: bool
) -> Original | None:
    """The source, if it is what is to be written.

    Args:
        model: What is written.
        plan: The layouts chosen for its graph.
        dialect: The target.
        backend: Whose kernels are to be written.
        container: The kind of file, a key of `CONTAINERS`.
        weights_only: Whether architecture and training are left out.
    """
    original = model.original
    era = dialect.era_alone.get(backend, dialect.era)
    if original is None or original.graph is not plan.graph or original.era != era:
        return None
    if (model.facts.backend.value in CONVOLVES) != (backend in CONVOLVES):
        return None
    if (original.form == "paths") != bool(container):
        return None
    whole = original.config is not None
    return original if (whole or weights_only) and _keeps_orders(plan) else None


def said_configuration(
    model: Model, plan: Plan, dialect: Dialect, backend: str
) -> dict[str, Any] | None:
    """The source's architecture as a file of its own says it, if it is what is to be written.

    HDF5 of Keras 3 spells it otherwise (3.15 `legacy/saving/legacy_h5_format.py`).
    """
    original = model.original
    container = ZIP if original is not None and original.form == "paths" else ""
    if dialect.form == "keras3" and not container:
        return None
    found = said_already(model, plan, dialect, backend, container, weights_only=False)
    if found is None or found.config is None:
        return None
    beside = ("keras_version", "backend") if not container else ()
    said = {key: found.metadata[key] for key in beside if key in found.metadata}
    return {**found.config, **said}


def _keeps_orders(plan: Plan) -> bool:
    border = (*plan.inputs, *plan.outputs)
    return all(settled.as_authored for settled in plan.settled) and all(
        held.layout.terms == held.value.axes for held in border
    )


def tell(model: Model, report: Report) -> None:
    """Say that all is written, what could not be read of it included."""
    what = "nothing is changed: the file says all that its source says, in the same words"
    if any(event.kind == "lost" for event in model.report):
        what += ", and what could not be read is carried along"
    report.add("KX410", "carried", what)
    for node in model.graph.nodes:
        if isinstance(node.op, Opaque) and node.op.has_code:
            tell_of_code(report, node.op.layer_class, node.layer.name if node.layer else node.name)


def write_again(original: Original, container: str, *, weights_only: bool) -> Filled:
    """The sink of a file that says what the source says."""
    if not container:
        return _named(original, weights_only=weights_only)
    groups = original.groups
    if not (weights_only and original.config is not None):
        groups += original.optimizer
    if container != ZIP:
        return _by_path(Hdf5Sink(), groups)
    texts = {METADATA: as_json(original.metadata), CONFIG: as_json(original.config or {})}
    return _by_path(KerasZipSink({**texts, **original.assets}), groups)


def _by_path(sink: Hdf5Sink, groups: Iterable[OriginalGroup]) -> Filled:
    arrays = []
    for group in groups:
        path = f"{group.path}/{VARIABLES}".lstrip("/")
        sink.group(path)
        if group.name:
            sink.attribute(path, "name", group.name)
        for held in group.arrays:
            name = f"{path}/{held.name}"
            sink.declare(name, *_stored_as(held))
            if held.kind:
                sink.attribute(name, "dtype", held.kind)
            arrays.append(_array(held))
    return sink, arrays


def _named(original: Original, *, weights_only: bool) -> Filled:
    layers = tuple(LayerGroup(group.path, _tensors(group)) for group in original.groups)
    said = tuple((key, str(value)) for key, value in original.metadata.items())
    held = [_array(one) for group in original.groups for one in group.arrays]
    if weights_only:
        archive = Archive(layers, weights_group="", beside_layers=said)
        return hdf5_sink(archive), held
    texts: dict[str, Mapping[str, Any] | None] = {
        "model_config": original.config,
        "training_config": original.training,
    }
    told = ((key, as_json(text)) for key, text in texts.items() if text is not None)
    archive = Archive(
        layers,
        root=(*said, *told),
        beside_layers=said,
        optimizer=tuple(tensor for group in original.optimizer for tensor in _tensors(group)),
        attributes=original.attributes,
    )
    held += [_array(one) for group in original.optimizer for one in group.arrays]
    return hdf5_sink(archive), held


def _tensors(group: OriginalGroup) -> tuple[Tensor, ...]:
    return tuple(Tensor(held.name, *_stored_as(held)) for held in group.arrays)


def _stored_as(held: OriginalArray) -> tuple[Any, tuple[int, ...]]:
    return OPAQUE if held.kind else held.source.dtype, held.source.shape


def _array(held: OriginalArray) -> Array:
    layout = Layout(tuple(Axis("X", size) for size in held.source.shape))
    weight = Weight(held.name, (held.source,), dtype=held.source.dtype)
    return Array(held.name, Param(weight, (Stored(layout),)), layout)
