"""A model and its plan to an ONNX file: draw the graph, then stream the weights."""

from __future__ import annotations

from collections.abc import Callable

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
from .origin import UNKNOWN, digest_of, metadata, states
from .proto import model_frame
from .style import PLAIN, Style
from .writer import OnnxSink

__all__ = ["DEFAULT_OPSET", "HIGHEST", "IR_VERSIONS", "LOWEST", "draw", "export_onnx"]

PRODUCER = "kerasir"


def export_onnx(
    model: Model,
    plan: Plan,
    path: Path,
    *,
    opset: int = DEFAULT_OPSET,
    style: Style = PLAIN,
    external_data: str | bool | None = None,
    source_hash: bool = False,
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
        style: How the graph is drawn.
        external_data: True puts tensors of 1 KiB and more into a file beside the model, a text
            names that file; otherwise there is one only if the model would exceed 2 GiB.
        source_hash: State the SHA-256 of the source file however large it is; of one up to
            64 MiB it is stated in any case.
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
    draft = draw(model, plan, opset=opset, style=style)
    digest = digest_of(model, asked=source_hash)
    for fed, given in states(plan, draft):
        message = f"a layer's state: {given} of one call is {fed} of the next, zeros begin"
        draft.report.add("KX504", "changed", message)
    frame = model_frame(
        draft,
        name=model.name,
        producer=PRODUCER,
        version=__version__,
        doc=f"{model.name}, converted from Keras by {PRODUCER} {__version__}",
        metadata=dict(metadata(model, plan, draft, hashed=digest is not None)),
    )
    sink = OnnxSink(frame, external=external_data or False)
    jobs = [
        Job(_declared(sink, held.edge.name, held.edge.dtype, held.edge.shape), held.param,
            held.layout, held.edge.dtype)
        for held in draft.initializers
    ]  # fmt: skip
    total = sum(tensor.nbytes for tensor in sink.tensors)

    def moved(done: int) -> None:
        if progress is not None:
            progress(done, total)

    try:
        with writing(sink, path, overwrite=overwrite, durable=durable):
            fill(sink, jobs, progress=moved)
            if digest is not None:
                sink.replace(UNKNOWN, digest.text())
    finally:
        if digest is not None:
            digest.stop()
    return draft.report.events


def draw(model: Model, plan: Plan, *, opset: int = DEFAULT_OPSET, style: Style = PLAIN) -> Draft:
    """The graph that `export_onnx` writes, weights still where they lie.

    Raises:
        UsageError, ExportError, WeightError: As `export_onnx`.
    """
    try:
        return build(plan, opset=opset, style=style)
    except KerasirError as error:
        error.at(file=model.facts.path)
        raise


def _declared(sink: OnnxSink, name: str, dtype: str, shape: tuple[int | str, ...]) -> int:
    return sink.declare(name, dtype, [dim for dim in shape if isinstance(dim, int)])
