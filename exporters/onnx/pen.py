"""Drawing nodes: what emitters and coercions have in common.

Reshapes, Transposes and reversals know what they were made from, so that two in a row become one,
or none, and what has been made once is used again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...errors import ExportError
from .dims import Shape, broadcast
from .draft import Body, Draft, Edge, Number, OnnxNode
from .opsets import AXES_AS_INPUT, SHAPE_TAKES_RANGE
from .writer import BFLOAT16, DATA_TYPES

if TYPE_CHECKING:
    from .masked import Masked

Permutation = tuple[int, ...]
Reduction = tuple[str, Edge, Permutation]
"""The operator, what it reduces, and along which dimensions."""
Run = list[int] | tuple[Edge, int, int]
"""Neighbouring extents: numbers, or those of a tensor from one dimension to before another."""

ONNX_TYPES = {**DATA_TYPES, "bfloat16": BFLOAT16, "string": 8}
"""TensorProto.DataType by name."""

GLOBAL_POOLS = {"ReduceMean": "GlobalAveragePool", "ReduceMax": "GlobalMaxPool"}
"""What a reduction over all dimensions but two is, if those it reduces stay as ones."""

REST = -1
"""In a Reshape: whatever remains."""

COPIED = 0
"""In a Reshape: the extent that the input has at this place."""

LOWEST_INT64, HIGHEST_INT64 = -(2**63), 2**63 - 1
"""In a Slice: beyond the first element, and beyond the last."""


class Origins:
    """How tensors were made, above all those that only show another's numbers in another way.

    Attributes:
        truths: Zeros and ones that truth values were made from.
    """

    def __init__(self) -> None:
        self.reshaped: dict[Edge, Edge] = {}
        self.transposed: dict[tuple[Edge, Permutation], Edge] = {}
        self.permuted: dict[Edge, tuple[Edge, Permutation]] = {}
        self.reversed: dict[Edge, tuple[Edge, int]] = {}
        self.reduced: dict[Edge, Reduction] = {}
        self.kept: dict[Edge, Edge] = {}
        self.made: dict[object, Edge] = {}
        self.truths: dict[Edge, Edge] = {}
        self.masked: dict[Edge, Masked] = {}


class Pen:
    """Draws nodes into one graph, or into the body of a node in it, in the name of one layer.

    Attributes:
        draft: What is drawn.
        name: The layer's name: nodes are called after it.
        doc: What each node says of where it comes from.
        nodes: The graph's, or the body's.
    """

    def __init__(
        self, draft: Draft, name: str, doc: str, nodes: list[OnnxNode], origins: Origins
    ) -> None:
        self.draft, self.name, self.doc = draft, name, doc
        self.nodes, self.origins = nodes, origins

    # ---- nodes -----------------------------------------------------------------------------

    def add(
        self,
        op_type: str,
        *inputs: Edge | None,
        shape: Shape | None = None,
        dtype: str | None = None,
        domain: str = "",
        **attributes: Any,
    ) -> Edge:
        """Append a node of one result; what an equal node has made already is taken again.

        Args:
            op_type: The operator.
            inputs: None where an optional one is absent.
            shape: Of the result; if not said, what the inputs' shapes are together, which is
                right for element-wise operators.
            dtype: Of the result; if not said, the first input's.
            domain: Of the operator.
            attributes: Numbers, texts, tuples of one kind of them, or a body; None is left out.
        """
        alike = (op_type, inputs, tuple(sorted(attributes.items())))
        if domain == "" and alike in self.origins.made:
            return self.origins.made[alike]
        present = [edge for edge in inputs if edge is not None]
        result = Edge(
            f"{self.name}/{op_type}",
            dtype or present[0].dtype,
            broadcast(edge.shape for edge in present) if shape is None else shape,
        )
        self.place(op_type, inputs, (result,), domain=domain, **attributes)
        if self.draft.style.share:
            self.origins.made[alike] = result
        return result

    def place(
        self,
        op_type: str,
        inputs: Sequence[Edge | None],
        outputs: Sequence[Edge | None],
        *,
        domain: str = "",
        **attributes: Any,
    ) -> None:
        """Append a node with any number of results."""
        given = list(inputs)
        while given and given[-1] is None:
            given.pop()
        said = {name: value for name, value in attributes.items() if value is not None}
        node = OnnxNode(f"{self.name}/{op_type}", op_type, given, outputs, said, domain, self.doc)
        self.nodes.append(node)

    def constant(
        self,
        values: Sequence[Number],
        dtype: str = "int64",
        shape: Sequence[int] | None = None,
        *,
        wish: str = "constant",
    ) -> Edge:
        """A few numbers, one-dimensional if no shape is said."""
        named = "_".join((wish, *map(str, values))) if len(values) <= 6 else f"{self.name}/{wish}"
        extent = (len(values),) if shape is None else shape
        return self.draft.constant(values, dtype, extent, named)

    # ---- common operators ------------------------------------------------------------------

    def cast(self, x: Edge, dtype: str) -> Edge:
        """The tensor in another dtype; itself if it has it.

        Raises:
            ExportError: ONNX has no such dtype.
        """
        if dtype not in ONNX_TYPES:
            raise ExportError(f"ONNX has no numbers of type {dtype}", where=self.name)
        return x if x.dtype == dtype else self.add("Cast", x, dtype=dtype, to=ONNX_TYPES[dtype])

    def identity(self, x: Edge) -> Edge:
        """The tensor under another name."""
        result = Edge(f"{self.name}/Identity", x.dtype, x.shape)
        self.place("Identity", (x,), (result,))
        return result

    def permuted(self, x: Edge, perm: Sequence[int]) -> Edge:
        """A `Transpose`: dimension `i` of the result is dimension `perm[i]` of the tensor."""
        source, before = self.origins.permuted.get(x, (x, tuple(range(len(x.shape)))))
        whole = tuple(before[place] for place in perm)
        if whole == tuple(range(len(whole))):
            return source
        known = self.origins.transposed.get((source, whole))
        if known is not None:
            return known
        shape = tuple(source.shape[place] for place in whole)
        result = self.add("Transpose", source, shape=shape, perm=whole)
        self.origins.permuted[result] = (source, whole)
        self.origins.transposed[source, whole] = result
        return result

    def backwards(self, x: Edge, axis: int) -> Edge:
        """One dimension from the end to the start."""
        source, along = self.origins.reversed.get(x, (x, -1))
        if along == axis:
            return source
        start, end = self.constant([-1], wish="starts"), self.constant([LOWEST_INT64], wish="ends")
        axes, step = self.constant([axis], wish="axes"), self.constant([-1], wish="steps")
        result = self.add("Slice", x, start, end, axes, step, shape=x.shape)
        self.origins.reversed[result] = (x, axis)
        return result

    def unsqueeze(self, x: Edge, *axes: int) -> Edge:
        """With dimensions of one at these places of the result, in rising order."""
        shape = list(x.shape)
        for axis in axes:
            shape.insert(axis, 1)
        where = self.constant(axes, wish="axes")
        return self._shown(x, "Unsqueeze", where, tuple(shape))

    def squeeze(self, x: Edge, axis: int) -> Edge:
        """Without one dimension of one."""
        where = self.constant([axis], wish="axes")
        return self._shown(x, "Squeeze", where, (*x.shape[:axis], *x.shape[axis + 1 :]))

    def _shown(self, x: Edge, op_type: str, where: Edge, shape: Shape) -> Edge:
        """The same numbers under another shape, by an operator; what had it, if there is any."""
        source = self.origins.reshaped.get(x, x)
        if source.shape == shape:
            return source
        result = self.add(op_type, x, where, shape=shape)
        self.origins.reshaped[result] = source
        return result

    def reduce(self, op_type: str, x: Edge, axes: Sequence[int], *, keepdims: bool = False) -> Edge:
        """A reduction over some dimensions."""
        along = tuple(axes)
        result = self._reduce(op_type, x, along, keepdims=keepdims)
        if not keepdims:
            self.origins.reduced[result] = (op_type, x, along)
        return result

    def _reduce(self, op_type: str, x: Edge, axes: Permutation, *, keepdims: bool) -> Edge:
        whole = enumerate(x.shape)
        shape = tuple((1 if i in axes else dim) for i, dim in whole if keepdims or i not in axes)
        if self.draft.opset < AXES_AS_INPUT[op_type]:
            return self.add(op_type, x, shape=shape, axes=axes, keepdims=int(keepdims))
        where = self.constant(axes, wish="axes")
        return self.add(op_type, x, where, shape=shape, keepdims=int(keepdims))

    def _reduced(self, result: Edge, shape: Shape) -> Edge | None:
        """A reduction made so that its result has this shape, if that is all it takes."""
        op_type, x, axes = self.origins.reduced.get(result, ("", result, ()))
        if not axes or shape != tuple(1 if i in axes else dim for i, dim in enumerate(x.shape)):
            return None
        if result not in self.origins.kept:
            pool = GLOBAL_POOLS.get(op_type, "")
            spatial = pool and len(x.shape) > 2 and axes == tuple(range(2, len(x.shape)))
            self.origins.kept[result] = (
                self.add(pool, x, shape=shape)
                if spatial and x.dtype.startswith("float")
                else self._reduce(op_type, x, axes, keepdims=True)
            )
        return self.origins.kept[result]

    def split(self, x: Edge, axis: int, sizes: Sequence[int]) -> tuple[Edge, ...]:
        """Pieces along one dimension."""
        shapes = ((*x.shape[:axis], size, *x.shape[axis + 1 :]) for size in sizes)
        pieces = tuple(Edge(f"{self.name}/Split", x.dtype, shape) for shape in shapes)
        self.place("Split", (x, self.constant(sizes, wish="split")), pieces, axis=axis)
        return pieces

    def cut(
        self, x: Edge, starts: Sequence[int], ends: Sequence[int], axes: Sequence[int], shape: Shape
    ) -> Edge:
        """A part of the tensor; negative numbers count from the end."""
        bounds = (
            self.constant(numbers, wish=wish)
            for numbers, wish in ((starts, "starts"), (ends, "ends"), (axes, "axes"))
        )
        return self.add("Slice", x, *bounds, shape=shape)

    # ---- shapes ----------------------------------------------------------------------------

    def reshape(self, x: Edge, shape: Shape) -> Edge:
        """The same numbers in the same order under another shape.

        Raises:
            ExportError: An extent is only known at run time, and nothing tells it.
        """
        source = self.origins.reshaped.get(x, x)
        if source.shape == shape:
            return source
        reduced = self._reduced(source, shape)
        if reduced is not None:
            return reduced
        if len(shape) == 2 < len(source.shape) and source.shape[0] == shape[0]:
            result = self.add("Flatten", source, shape=shape, axis=1)
        else:
            target = self._target(source, shape)
            result = self.add("Reshape", source, target, shape=shape)
        self.origins.reshaped[result] = source
        return result

    def extents(self, shape: Shape, *near: Edge, rest: bool = False) -> Edge:
        """A shape as a tensor, from what `near` tensors or the inputs of the model tell.

        Args:
            shape: Numbers and names.
            near: Tensors to look at first.
            rest: Whether one extent may be left to a Reshape to find out.

        Raises:
            ExportError: Nothing tells one of the extents.
        """
        runs = list[Run]()
        for dim in shape:
            place = self._place(dim, near) if isinstance(dim, str) else dim
            if place is None and not rest:
                raise ExportError(
                    f"the extent {dim!r} is not known before the model runs",
                    where=self.name,
                    hint="fix the sizes of the model's inputs",
                )
            rest = rest and place is not None
            _extend(runs, REST if place is None else place)
        pieces = [
            self.constant(run, wish="shape") if isinstance(run, list) else self._extents_of(*run)
            for run in runs
        ]
        if len(pieces) == 1:
            return pieces[0]
        return self.add("Concat", *pieces, shape=(len(shape),), axis=0)

    def _target(self, x: Edge, shape: Shape) -> Edge:
        """The second input of a Reshape."""
        numbers: list[int] = []
        for index, dim in enumerate(shape):
            if isinstance(dim, int):
                numbers.append(dim)
            else:
                copied = index < len(x.shape) and x.shape[index] == dim
                numbers.append(COPIED if copied else REST)
        if numbers.count(REST) > 1:
            return self.extents(shape, x, rest=True)
        return self.constant(numbers, wish="shape")

    def _place(self, dim: str, near: Sequence[Edge]) -> tuple[Edge, int] | None:
        for edge in near:
            if dim in edge.shape:
                return edge, edge.shape.index(dim)
        return self.draft.places.get(dim)

    def _extents_of(self, x: Edge, start: int, end: int) -> Edge:
        """Some extents of a tensor, as a tensor."""
        whole = end - start == len(x.shape)
        if not whole and self.draft.opset >= SHAPE_TAKES_RANGE:
            shape = (end - start,)
            return self.add("Shape", x, shape=shape, dtype="int64", start=start, end=end)
        found = self.add("Shape", x, shape=(len(x.shape),), dtype="int64")
        return found if whole else self.cut(found, [start], [end], [0], (end - start,))

    # ---- bodies ----------------------------------------------------------------------------

    def close(self, inputs: Sequence[Edge], outputs: Sequence[Edge]) -> Body:
        """A body of the nodes drawn: each output gets a node of its own."""
        made = {edge for node in self.nodes for edge in node.outputs}
        given = list[Edge]()
        for edge in outputs:
            given.append(self.identity(edge) if edge in given or edge not in made else edge)
        return Body(f"{self.name}/body", inputs, self.nodes, given)


def _extend(runs: list[Run], dim: int | tuple[Edge, int]) -> None:
    """Add an extent: a number, or one that a dimension of a tensor tells."""
    last = runs[-1] if runs else None
    if isinstance(dim, int):
        if isinstance(last, list):
            last.append(dim)
        else:
            runs.append([dim])
        return
    edge, axis = dim
    if isinstance(last, tuple) and last[0] is edge and last[2] == axis:
        runs[-1] = (edge, last[1], axis + 1)
    else:
        runs.append((edge, axis, axis + 1))
