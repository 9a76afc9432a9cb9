"""From a plan to a draft of an ONNX graph: each node by its emitter, each coercion by its steps."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ExportError, KerasirError, LayoutError, show
from ...ir.graph import Value
from ...ir.layout import Layout
from ...ir.op import Op
from ...ir.ops.normalization import BatchNorm
from ...ir.ops.opaque import Opaque
from ...ir.plan import Coercion, Plan, Settled
from . import ops  # ruff: ignore[unused-import]  (registers the emitters)
from .bidirectional import merge_directions
from .dims import Shape
from .draft import Draft, Edge, OnnxNode
from .emitting import Emitting
from .functions import check_functions, outline
from .half import halve
from .moves import bring
from .naming import drop_unread, finish
from .opaque import draw_opaque
from .opsets import DEFAULT_OPSET, ir_version
from .pen import ONNX_TYPES, Origins, Pen
from .registry import emitter
from .style import PLAIN, Style
from .turns import merge_turns
from .unsupported import check_supported, refusal

PRECISE = "normalization"
"""The family whose ops sum squares: in half precision they are computed in single."""


def build(plan: Plan, *, opset: int = DEFAULT_OPSET, style: Style = PLAIN) -> Draft:
    """Draw the graph. Weights are looked at, to see that they fit, and not read.

    Args:
        plan: For ONNX: channels_first, ops over one spatial axis included.
        opset: What to write.
        style: How.

    Raises:
        UsageError: kerasir does not write this opset.
        ExportError: ONNX, or this opset, cannot express some layers: all of them are named.
        LayoutError: The plan is not for ONNX.
        WeightError: A weight is not what its layout says.
    """
    ir_version(opset)
    if plan.policy.order != "channels_first" or not plan.policy.one_dimensional:
        raise LayoutError(f"a plan for {plan.policy.order} order, ONNX needs channels_first")
    if style.functions:
        check_functions(opset)
    check_supported(plan, opset, opaque=bool(style.opaque_domain))
    drawing = _Drawing(plan, opset, style)
    for step in plan.steps:
        drawing.draw(step)
    return drawing.finished()


class _Drawing:
    """One draft on its way: which tensor is which value in which layout."""

    def __init__(self, plan: Plan, opset: int, style: Style) -> None:
        self.plan, self.draft, self.origins = plan, Draft(opset, style), Origins()
        self._held: dict[tuple[Value, Layout], Edge] = {}
        self._failures: list[KerasirError] = []
        self._read = {value for node in plan.graph.nodes for value in node.inputs}
        self._read |= set(plan.graph.outputs)
        for held in plan.inputs:
            name, dtype = held.value.name, held.value.dtype
            if dtype not in ONNX_TYPES:
                raise ExportError(f"ONNX has no numbers of type {show(dtype)!r}", where=name)
            edge = Edge(name, dtype, self.draft.dims.shape(held.layout, name))
            self.draft.inputs.append(edge)
            self._hold(held.value, held.layout, edge)

    def draw(self, step: Settled | Coercion) -> None:
        """Draw one step; what fails is kept for the end, and the rest drawn all the same."""
        before = len(self.draft.nodes)
        if isinstance(step, Coercion):
            pen = Pen(self.draft, step.value.name, "", self.draft.nodes, self.origins)
            edge = bring(pen, self._get(step.value, step.have), step.have, step.want)
            self._hold(step.value, step.want, edge)
            return
        inputs = [None if h is None else self._get(h.value, h.layout) for h in step.inputs]
        wanted = [value in self._read for value in step.node.results]
        at = Emitting(self.draft, step, inputs, wanted, self.draft.nodes, self.origins)
        try:
            made = self._made(step.node.op, at)
        except (ExportError, LayoutError) as error:
            self._failures.append(error.at(step.node.name))
            made = tuple(Edge(v.name, v.dtype, ()) for v in step.node.results)
        for node in self.draft.nodes[before:]:
            node.scope = step.node.layer.scope if step.node.layer is not None else ()
        if step.node.op.family == PRECISE and not isinstance(step.node.op, BatchNorm):
            self.draft.precise.update(self.draft.nodes[before:])
        results = made if isinstance(made, tuple) else (made,)
        self._take(step, results, at, self.draft.nodes[before:])

    def _made(self, op: Op, at: Emitting) -> Edge | tuple[Edge | None, ...]:
        if isinstance(op, Opaque):
            return draw_opaque(op, at)
        emit = emitter(type(op), self.draft.opset)
        assert emit is not None  # `check_supported` has seen to that
        return emit(op, at)

    def finished(self) -> Draft:
        """The draft, with outputs and names.

        Raises:
            ExportError: Something cannot be expressed.
        """
        if self._failures:
            raise refusal(self._failures)
        pen = Pen(self.draft, "output", "", self.draft.nodes, self.origins)
        names = self.plan.graph.output_names
        for held, name in zip(self.plan.outputs, names, strict=True):
            edge = self._get(held.value, held.layout)
            if edge in self.draft.inputs or edge in self.draft.outputs:
                pen.name = name
                edge = pen.identity(edge)
            self.draft.outputs.append(edge)
        drop_unread(self.draft)
        if self.draft.style.share:
            merge_directions(self.draft)
            drop_unread(self.draft)
            merge_turns(self.draft)
            drop_unread(self.draft)
        if self.draft.style.float16:
            halve(self.draft)
        finish(self.draft, names)
        if self.draft.style.functions:
            outline(self.draft)
        return self.draft

    def _take(
        self, step: Settled, results: Sequence[Edge | None], at: Emitting, nodes: list[OnnxNode]
    ) -> None:
        """Hold the results, called after their values; their shapes are the plan's."""
        maker = {edge: node for node in nodes for edge in node.outputs}
        triples = zip(step.node.results, step.results, results, strict=True)
        for index, (value, layout, edge) in enumerate(triples):
            if edge is None:
                continue
            if edge in maker:
                shape = at.result_shape(index)
                if not self._failures:
                    _must_fit(edge, shape, step)
                edge.name, edge.shape = value.name, shape
                if index == 0:
                    maker[edge].name = step.node.name
            else:
                self.draft.dims.learn(layout, edge.shape)
            self._hold(value, layout, edge)

    def _hold(self, value: Value, layout: Layout, edge: Edge) -> None:
        self._held[value, layout] = edge
        self._say(edge, value, layout)
        self.draft.note_places(edge)

    def _say(self, edge: Edge, value: Value, layout: Layout) -> None:
        """Note what a tensor holds, and what it was turned from: that may be all that is left."""
        edge.doc = edge.doc or f"{value.name}: {layout}"
        source, perm = self.origins.permuted.get(edge, (edge, ()))
        if not source.doc:
            places = sorted(range(len(perm)), key=perm.__getitem__)
            turned = Layout(tuple(layout.terms[place] for place in places))
            source.doc = f"{value.name}: {turned}"

    def _get(self, value: Value, layout: Layout) -> Edge:
        found = self._held.get((value, layout))
        if found is None:
            raise LayoutError(f"nothing has brought it into {layout}", where=value.name)
        return found


def _must_fit(edge: Edge, shape: Shape, step: Settled) -> None:
    """An emitter and the plan must agree on a result's extents, as far as they are known."""
    pairs = list(zip(edge.shape, shape, strict=False))
    clash = any(isinstance(a, int) and isinstance(b, int) and a != b for a, b in pairs)
    if clash or len(edge.shape) != len(shape):
        raise LayoutError(
            f"its ONNX emitter gives {edge.shape}, the plan says {shape}", where=step.node.name
        )
