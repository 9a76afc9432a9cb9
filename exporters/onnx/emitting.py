"""What the emitter of an op sees of a node: its inputs, its weights, where its axes stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from ...errors import LayoutError
from ...ir.graph import Layer, Node
from ...ir.layout import Axis, Layout, Term, find, fuse, size_of
from ...ir.op import Op
from ...ir.plan import Settled
from ...ir.report import Kind, Level
from ...ir.source import ConstantSource
from ...ir.tensor import Param, Stored, Weight, extents
from .dims import Dim, Shape
from .draft import Draft, Edge, OnnxNode
from .pen import Origins, Pen
from .registry import emitter

FLOATING = ("float", "bfloat")


class Emitting(Pen):
    """A node about to be drawn.

    Attributes:
        settled: The node with its layouts.
        inputs: One tensor per input port, None where it is absent.
        wanted: Whether anybody reads each result.
        dtype: Of the numbers that the op computes with.
    """

    def __init__(
        self,
        draft: Draft,
        settled: Settled,
        inputs: Sequence[Edge | None],
        wanted: Sequence[bool],
        nodes: list[OnnxNode],
        origins: Origins,
    ) -> None:
        super().__init__(draft, settled.node.name, _origin(settled.node), nodes, origins)
        self.settled, self.inputs, self.wanted = settled, tuple(inputs), tuple(wanted)
        types = [value.dtype for value in settled.node.results]
        types += [edge.dtype for edge in inputs if edge is not None]
        kinds = [dtype for dtype in types if dtype.startswith(FLOATING)]
        self.dtype = kinds[0] if kinds else "float32"

    # ---- inputs ----------------------------------------------------------------------------

    @property
    def opset(self) -> int:
        """What is drawn for."""
        return self.draft.opset

    @property
    def x(self) -> Edge:
        """The first input."""
        return self.input(0)

    @property
    def present(self) -> tuple[Edge, ...]:
        """The inputs that are there."""
        return tuple(edge for edge in self.inputs if edge is not None)

    def input(self, index: int) -> Edge:
        """An input.

        Raises:
            LayoutError: It is absent.
        """
        edge = self.inputs[index]
        if edge is None:
            raise LayoutError(f"input {index} is absent", where=self.name)
        return edge

    def fed(self, index: int) -> bool:
        """Whether an optional input is there."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def spread(self, index: int) -> Edge:
        """An input whose terms are all among the first input's, shaped so that they meet."""
        whole, have = self.settled.input.terms, self.settled.layout_of(index).terms
        places = [find(whole, term) for term in have]
        x = self.permuted(self.input(index), sorted(range(len(have)), key=places.__getitem__))
        missing = [place for place in range(len(whole)) if place not in places]
        return self.unsqueeze(x, *missing) if missing else x

    def arranged(self, index: int, *bindings: str) -> Edge:
        """An input with its dimensions in the order of these bindings."""
        terms = self.settled.layout_of(index).terms
        wanted = [term for name in bindings for term in self.settled.bound[name]]
        return self.permuted(self.input(index), [terms.index(term) for term in wanted])

    def placed(self, y: Edge, *bindings: str, index: int = 0) -> Edge:
        """A result, its dimensions in the order of these bindings, as the plan has it."""
        have = [term for name in bindings for term in self.settled.bound[name]]
        terms = self.settled.results[index].terms
        return self.permuted(y, [have.index(term) for term in terms])

    # ---- extents ---------------------------------------------------------------------------

    def count(self, binding: str) -> int:
        """How many terms a binding has."""
        return len(self.settled.bound[binding])

    def size(self, binding: str) -> int:
        """Elements along a binding.

        Raises:
            LayoutError: It is not known.
        """
        size = size_of(fuse(self.settled.bound[binding]))
        if size is None:
            raise LayoutError(f"the size of {binding} is not known", where=self.name)
        return size

    def extent(self, binding: str) -> Shape:
        """The extents of a binding's terms."""
        return tuple(self.dim(term) for term in self.settled.bound[binding])

    def dim(self, term: Term) -> Dim:
        """The extent of a term, by name if it is not known."""
        return self.draft.dims.dim(term, self.name)

    def result_shape(self, index: int = 0) -> Shape:
        """The shape that the plan has for a result."""
        return self.draft.dims.shape(self.settled.results[index], self.name)

    # ---- weights and numbers ---------------------------------------------------------------

    def has(self, param: str) -> bool:
        """Whether an optional parameter is there."""
        return param in self.settled.node.params

    def param(self, name: str, pattern: str | None = None) -> Edge:
        """A parameter in its declared order, or in that of a pattern (`Settled.param_layout`)."""
        settled = self.settled
        layout = settled.params[name] if pattern is None else settled.param_layout(name, pattern)
        return self.draft.initializer(settled.node.params[name], layout, self.dtype)

    def optional(self, name: str, pattern: str | None = None) -> Edge | None:
        """As `param`; None if it is not there."""
        return self.param(name, pattern) if self.has(name) else None

    def along(self, name: str) -> Edge:
        """A parameter shaped so that it meets its own axes in the first input."""
        return self.met(self.settled.node.params[name], self.settled.params[name])

    def met(self, param: Param, layout: Layout) -> Edge:
        """A weight over axes of the first input, shaped so that it meets them there."""
        have, terms = self.settled.input.terms, layout.terms
        spread: list[Term] = [Axis("X", 1) for _ in have]
        for term in terms:
            spread[find(have, term)] = term
        while len(spread) > 1 and not any(spread[0] is term for term in terms):
            del spread[0]
        return self.draft.initializer(param, Layout(tuple(spread)), self.dtype)

    def filled(self, name: str, value: float, layout: Layout) -> Edge:
        """A weight that the file does not have: the same number everywhere."""
        param = constant_param(f"{self.name}/{name}", value, layout)
        return self.draft.initializer(param, layout, self.dtype)

    def number(self, value: float) -> Edge:
        """A scalar to compute with."""
        return self.constant([float(value)], self.dtype, (), wish="number")

    def tell(
        self, code: str, kind: Kind, message: str, *, level: Level = "note", fix: str = ""
    ) -> None:
        """Add an event about this layer to the report."""
        layer = self.settled.node.layer
        name = layer.name if layer is not None else self.name
        self.draft.report.add(code, kind, message, layer=name, level=level, fix=fix)

    # ---- other ops, and bodies -------------------------------------------------------------

    def apply(self, op: Op, x: Edge) -> Edge:
        """An element-wise op applied to a tensor: the activation inside a recurrent op.

        Raises:
            LayoutError: The op has no emitter, or gives more than one result.
        """
        emit = emitter(type(op), self.opset)
        result = None if emit is None else emit(op, self._over(x))
        if not isinstance(result, Edge):
            raise LayoutError(f"{op.kind} is no element-wise op that ONNX has", where=self.name)
        return result

    def _over(self, x: Edge) -> Self:
        """The same, with another first input."""
        return self._copy(self.nodes, (x, *self.inputs[1:]))

    def inside(self) -> Self:
        """The same, but what is drawn goes into a body."""
        return self._copy([], self.inputs)

    def _copy(self, nodes: list[OnnxNode], inputs: Sequence[Edge | None]) -> Self:
        same = nodes is self.nodes
        origins = self.origins if same else Origins()  # what a body makes is not seen outside
        other = type(self)(self.draft, self.settled, inputs, self.wanted, nodes, origins)
        other.dtype = self.dtype
        return other


def constant_param(name: str, value: float, layout: Layout) -> Param:
    """A weight in which every number is the same."""
    source = ConstantSource(value, extents(layout))
    return Param(Weight(name, (source,)), (Stored(layout),))


def _origin(node: Node) -> str:
    """What a node's doc string says: the class and the name of its layer."""
    if node.layer is None:
        return ""
    layer: Layer = node.layer
    path = "/".join((*(part.partition("#")[0] for part in layer.scope), layer.name))
    return f"{layer.source_class or layer.class_name} {path}"
