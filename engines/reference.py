"""kerasir's own semantics as an engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..errors import KerasirError
from ..ir.graph import Graph, Value
from ..ir.layout import size_of
from ..ir.model import Model
from ..ir.ops.activation import Elementwise, Softmax
from ..ir.ops.embedding import Embedding
from ..ir.ops.shape import View
from ..ir.plan import Plan, Policy, Settled
from ..ir.source import Array
from ..passes.solve import solve
from ..passes.states import states_of
from .records import Port, Precision, Run, Watch


class Reference:
    """kerasir's own NumPy semantics, on the model as its author had it.

    Attributes:
        model: What is run.
        plan: In which layouts; the author's.
        precision: Of the computation.
    """

    def __init__(self, model: Model, precision: Precision = "float64") -> None:
        self.model, self.precision = model, precision
        self.plan: Plan = solve(model.graph, Policy(order="source"))

    @property
    def path(self) -> str:
        """The file."""
        return self.model.facts.path

    @property
    def title(self) -> str:
        """What computes."""
        return f"reference, {self.precision}"

    @property
    def inputs(self) -> tuple[Port, ...]:
        """What is fed."""
        tables = _tables(self.model.graph)
        first = len(self.plan.inputs) - states_of(self.model.graph)
        return tuple(
            Port(
                h.value.name,
                h.layout.shape,
                h.value.dtype,
                h.layout,
                tables.get(h.value),
                i >= first,
            )
            for i, h in enumerate(self.plan.inputs)
        )

    @property
    def outputs(self) -> tuple[Port, ...]:
        """What comes back."""
        pairs = zip(self.model.graph.output_names, self.plan.outputs, strict=True)
        first = len(self.plan.outputs) - states_of(self.model.graph)
        return tuple(
            Port(name, h.layout.shape, h.value.dtype, h.layout, state=i >= first)
            for i, (name, h) in enumerate(pairs)
        )

    def run(self, inputs: Sequence[Array], watch: Watch | None = None) -> Run:
        """Compute the outputs.

        Raises:
            KerasirError: An input does not fit, or a layer's meaning is not known.
        """
        from ..reference.evaluate import evaluate

        wanted = _softmaxed(self.model.graph)
        logits: dict[int, Array] = {}

        def watched(settled: Settled, results: tuple[Array, ...]) -> None:
            for value, array in zip(settled.node.results, results, strict=True):
                for index in wanted.get(value, ()):
                    logits[index] = array
            if watch is not None:
                watch(settled, results)

        try:
            outputs = evaluate(self.plan, inputs, dtype=self.precision, watch=watched)
        except KerasirError as error:
            error.at(file=self.path)
            raise
        return Run(outputs, logits)


def _softmaxed(graph: Graph) -> dict[Value, list[int]]:
    """Values that go into a softmax whose result is an output, with the number of that output."""
    found: dict[Value, list[int]] = {}
    for node in graph.nodes:
        if isinstance(node.op, Softmax) and node.inputs[0] is not None:
            numbers = [i for i, value in enumerate(graph.outputs) if value is node.result]
            if numbers:
                found.setdefault(node.inputs[0], []).extend(numbers)
    return found


def _tables(graph: Graph) -> dict[Value, int]:
    """Inputs that are indices into a table of weights, and how many rows it has."""
    consumers = graph.consumers()

    def reached(value: Value) -> Iterator[int]:
        todo, seen = [value], {value}
        while todo:
            for node in consumers[todo.pop()]:
                if isinstance(node.op, Embedding):
                    yield size_of(node.axes["vocabulary"][0]) or 1
                elif isinstance(node.op, (View, Elementwise)) and node.result not in seen:
                    seen.add(node.result)
                    todo.append(node.result)

    rows = {value: list(reached(value)) for value in graph.inputs}
    return {value: min(sizes) for value, sizes in rows.items() if sizes}
