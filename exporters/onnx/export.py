"""A model and its plan to an ONNX file: draw the graph, then stream the weights."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from ...errors import KerasirError
from ...ir.fill import Job, fill
from ...ir.model import Model
from ...ir.plan import Plan
from ...ir.report import Event
from ...version import __version__
from ..sink import writing
from ..target import Path
from .build import build
from .draft import Draft
from .opsets import DEFAULT_OPSET, HIGHEST, IR_VERSIONS, LOWEST
from .proto import model_proto
from .writer import OnnxSink

__all__ = ["DEFAULT_OPSET", "HIGHEST", "IR_VERSIONS", "LOWEST", "draw", "export_onnx"]

PRODUCER = "kerasir"


def export_onnx(
    model: Model,
    plan: Plan,
    path: Path,
    *,
    opset: int = DEFAULT_OPSET,
    external_data: str | bool | None = None,
    overwrite: bool = False,
    durable: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[Event]:
    """Write an ONNX file. The same model and release give the same bytes.

    Args:
        model: What is written.
        plan: The layouts chosen for its graph: channels_first, ops over one axis included.
        path: The file to make.
        opset: A key of `IR_VERSIONS`.
        external_data: True puts tensors of 1 KiB and more into a file beside the model, a text
            names that file; otherwise there is one only if the model would exceed 2 GiB.
        overwrite: Replace a file that is there.
        durable: Have the disk confirm it.
        progress: Called with the bytes of weights written so far and in all.

    Returns:
        What there is to tell.

    Raises:
        UsageError: kerasir does not write this opset; the file exists.
        ExportError: ONNX cannot express some layers: all of them are named.
        WeightError: A weight is not what its layout says, or does not fit its dtype.
    """
    draft = draw(model, plan, opset=opset)
    proto = model_proto(
        draft,
        name=model.name,
        producer=PRODUCER,
        version=__version__,
        doc=f"{model.name}, converted from Keras by {PRODUCER} {__version__}",
        metadata=dict(_metadata(model, plan, draft, __version__)),
    )
    sink = OnnxSink(proto, external=external_data or False)
    jobs = [
        Job(_declared(sink, held.edge.name, held.edge.dtype, held.edge.shape), held.param,
            held.layout, held.edge.dtype)
        for held in draft.initializers
    ]  # fmt: skip
    total = sum(tensor.nbytes for tensor in sink.tensors)

    def moved(done: int) -> None:
        if progress is not None:
            progress(done, total)

    with writing(sink, path, overwrite=overwrite, durable=durable):
        fill(sink, jobs, progress=moved)
    return draft.report.events


def draw(model: Model, plan: Plan, *, opset: int = DEFAULT_OPSET) -> Draft:
    """The graph that `export_onnx` writes, weights still where they lie.

    Raises:
        UsageError, ExportError, WeightError: As `export_onnx`.
    """
    try:
        return build(plan, opset=opset)
    except KerasirError as error:
        error.at(file=model.facts.path)
        raise


def _declared(sink: OnnxSink, name: str, dtype: str, shape: tuple[int | str, ...]) -> int:
    return sink.declare(name, dtype, [dim for dim in shape if isinstance(dim, int)])


def _metadata(model: Model, plan: Plan, draft: Draft, version: str) -> Iterator[tuple[str, str]]:
    """Where the model comes from, and what its inputs and outputs are."""
    facts = model.facts
    yield "kerasir_version", version
    if facts.path:
        yield "source_file", os.path.basename(facts.path)
    known = {
        "keras_era": facts.era,
        "keras_version": facts.version,
        "keras_backend": facts.backend,
        "keras_data_format": facts.ordering,
    }
    for name, fact in known.items():
        if fact.value is not None:
            yield name, fact.value
    for what, held, edges in (
        ("input", plan.inputs, draft.inputs),
        ("output", plan.outputs, draft.outputs),
    ):
        for one, edge in zip(held, edges, strict=True):
            yield f"{what}_layout:{edge.name}", str(one.layout)
