"""An ONNX graph while it is drawn: tensors and nodes as records, weights still where they lie.

Names come last (`naming`): until then a tensor is its `Edge`, and what it wishes to be called.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ...errors import ExportError
from ...ir.arithmetic import source_identity
from ...ir.layout import Layout
from ...ir.report import Report
from ...ir.tensor import Param, extents
from .dims import Dims, Shape
from .style import PLAIN, Style
from .writer import DATA_TYPES

Number = int | float | bool


class Edge:
    """A tensor between nodes. Identity matters, so this is no record.

    Attributes:
        name: What it wishes to be called; in a finished draft, what it is called.
        dtype: A name such as `float32`, `int64`, `bool`.
        shape: Its extents.
        doc: For people, and for a verification: the value of the model that it holds, and in
            which layout, as `conv_1: N:? C:8 H:7 W:7`; "" for what only ONNX needs.
    """

    __slots__ = ("doc", "dtype", "name", "shape")

    def __init__(self, name: str, dtype: str, shape: Shape) -> None:
        self.name, self.dtype, self.shape, self.doc = name, dtype, shape, ""

    def __repr__(self) -> str:
        return f"<Edge {self.name} {self.dtype} {self.shape}>"


class OnnxNode:
    """An ONNX operator applied to tensors.

    Attributes:
        name: What it wishes to be called; in a finished draft, what it is called.
        op_type: Of the operator.
        inputs: None where an optional one is absent.
        outputs: None where nobody reads an optional one.
        attributes: By name; a `Body` is a graph.
        domain: "" is ONNX' own.
        doc: For people: the layer it comes from.
        scope: Calls of nested models that it stands in, outermost first, as of `ir.model.Scope`.
    """

    __slots__ = ("attributes", "doc", "domain", "inputs", "name", "op_type", "outputs", "scope")

    def __init__(
        self,
        name: str,
        op_type: str,
        inputs: Sequence[Edge | None],
        outputs: Sequence[Edge | None],
        attributes: Mapping[str, Any],
        domain: str,
        doc: str,
    ) -> None:
        self.name, self.op_type, self.domain, self.doc = name, op_type, domain, doc
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        self.attributes = dict(attributes)
        self.scope: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<OnnxNode {self.name}: {self.op_type}>"


class Body:
    """A graph inside a node; it may read the tensors of the graphs around it.

    Attributes:
        name: Of the graph.
        inputs: What the node gives it.
        nodes: In order of execution.
        outputs: What it gives the node; each is made by a node of its own.
    """

    __slots__ = ("inputs", "name", "nodes", "outputs")

    def __init__(
        self,
        name: str,
        inputs: Sequence[Edge],
        nodes: list[OnnxNode],
        outputs: Sequence[Edge],
    ) -> None:
        self.name, self.nodes = name, nodes
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)


class Initializer(msgspec.Struct, frozen=True, eq=False):
    """A weight to be written: read, rearranged and converted only then.

    Attributes:
        edge: What nodes read; its dtype is the one to write.
        param: The weight as one node uses it.
        layout: How to write it.
    """

    edge: Edge
    param: Param
    layout: Layout


class Constant(msgspec.Struct, frozen=True, eq=False):
    """A few numbers that a node needs besides weights: axes, extents, a scalar.

    Attributes:
        edge: What nodes read.
        values: Row-major.
    """

    edge: Edge
    values: tuple[Number, ...]


class Function(msgspec.Struct, frozen=True, eq=False):
    """A part of the graph that is called by name.

    Attributes:
        name: Of the operator that calls it.
        inputs: What a call is given: activations and weights.
        outputs: What it gives.
        nodes: In order of execution.
        constants: Numbers that only it needs.
    """

    name: str
    inputs: tuple[Edge, ...]
    outputs: tuple[Edge, ...]
    nodes: tuple[OnnxNode, ...]
    constants: tuple[Constant, ...]


class Draft:
    """A graph being drawn.

    Attributes:
        opset: What it is drawn for.
        style: How.
        dims: Names of extents.
        inputs: What the caller feeds.
        outputs: What the caller gets: the names wished for, and the tensors.
        nodes: In order of execution.
        functions: Parts of it that are called, inner ones first.
        initializers: Weights, in the order of first use.
        constants: Other numbers, in the order of first use.
        report: What there is to tell.
        precise: Nodes that compute in single precision whatever the others do.
        places: Where an extent of a name can be read: a tensor, and which of its dimensions.
    """

    def __init__(self, opset: int, style: Style = PLAIN) -> None:
        self.opset, self.style, self.report = opset, style, Report()
        self.dims = Dims(style.batch)
        self.inputs: list[Edge] = []
        self.outputs: list[Edge] = []
        self.nodes: list[OnnxNode] = []
        self.places: dict[str, tuple[Edge, int]] = {}
        self.functions: list[Function] = []
        self.precise: set[OnnxNode] = set()
        self._initializers: dict[object, Initializer] = {}
        self._constants: dict[object, Constant] = {}

    @property
    def initializers(self) -> list[Initializer]:
        """Weights, in the order of first use."""
        return list(self._initializers.values())

    @property
    def constants(self) -> list[Constant]:
        """Other numbers, in the order of first use."""
        return list(self._constants.values())

    @property
    def stored(self) -> list[Edge]:
        """What nodes read that no node makes and nobody feeds."""
        weights = [held.edge for held in self._initializers.values()]
        return weights + [held.edge for held in self._constants.values()]

    def initializer(self, param: Param, layout: Layout, dtype: str) -> Edge:
        """A weight in a layout. What gives the same bytes is stored once, whoever asks.

        Raises:
            ExportError: ONNX has no numbers of this dtype.
            LayoutError: The weight cannot be brought into the layout.
            WeightError: The stored arrays are not what their layouts say.
        """
        if dtype not in DATA_TYPES:
            raise ExportError(f"cannot write weights as {dtype}", where=param.weight.name)
        shape = extents(layout)
        plans = param.plans(layout)
        key = (tuple((source_identity(source), copy) for source, copy in plans), shape, dtype)
        if key not in self._initializers:
            edge = Edge(param.weight.name, dtype, shape)
            self._initializers[key] = Initializer(edge, param, layout)
        return self._initializers[key].edge

    def constant(
        self, values: Sequence[Number], dtype: str, shape: Sequence[int], wish: str
    ) -> Edge:
        """A few numbers, row-major; equal ones are stored once."""
        held, extent = tuple(values), tuple(shape)
        assert len(held) == math.prod(extent)
        key = (tuple(map(repr, held)), dtype, extent)  # -0.0 is not 0.0 here, NaN is NaN
        if key not in self._constants:
            self._constants[key] = Constant(Edge(wish, dtype, extent), held)
        return self._constants[key].edge

    def clamp(self, dtype: str, largest: float) -> None:
        """Cut finite numbers of a dtype, other than weights, at the largest that it holds."""
        for key, held in self._constants.items():
            if held.edge.dtype == dtype:
                cut = tuple(
                    value if math.isinf(value) else max(-largest, min(value, largest))
                    for value in held.values
                )
                self._constants[key] = Constant(held.edge, cut)

    def keep(self, read: set[Edge]) -> None:
        """Drop weights and numbers that nobody reads."""
        self._initializers = {k: i for k, i in self._initializers.items() if i.edge in read}
        self._constants = {k: c for k, c in self._constants.items() if c.edge in read}

    def note_places(self, edge: Edge) -> None:
        """Remember that a tensor tells the extents that its dimensions are named after."""
        for index, dim in enumerate(edge.shape):
            if isinstance(dim, str):
                self.places.setdefault(dim, (edge, index))
