"""Two engines on the same inputs, layer by layer where both can be looked into."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from ..engines import Engine, OnnxRuntime, Port, Reference, Run
from ..errors import UsageError
from ..ir.layout import Layout
from ..ir.plan import Plan
from ..ir.source import Array
from .calls import LayerCall, paired
from .causes import CONVERTED, cause_of_layer
from .compare import classes, compare, largest_differences
from .feeds import Feed
from .inside import layers_inside
from .layers import Layers
from .matching import Matching, guessed
from .records import Classes, Compared, Side, Verification

Layouts = tuple[Layout | None, Layout | None]


class Pair:
    """An input or output of both models.

    Attributes:
        a: A's.
        b: B's.
        of_a: Its place among A's.
        of_b: Its place among B's.
        layouts: How it lies in A and in B; None where neither file says.
    """

    __slots__ = ("a", "b", "layouts", "of_a", "of_b")

    def __init__(self, a: Port, b: Port, of_a: int, of_b: int) -> None:
        self.a, self.b, self.of_a, self.of_b = a, b, of_a, of_b
        self.layouts: Layouts = a.layout, b.layout
        if a.layout is not None and b.layout is None:
            self.layouts = a.layout, guessed(a.layout, b.shape)
        elif b.layout is not None and a.layout is None:
            self.layouts = guessed(b.layout, a.shape), b.layout


class Comparison:
    """Two engines on the same inputs.

    Args:
        a: The one that is believed: errors are relative to its numbers.
        b: The other.
        feed: What A is fed.
        tolerance: Largest relative error allowed.
        fed: Layouts of B's inputs over A's axes, where they are known.
        given: The same of B's outputs.
        plan: What B was written by, where that is known.

    Attributes:
        answers: A's outputs, once it has run.
        others: B's, in A's order of axes; None for one that has no such order.

    Raises:
        UsageError: The models have not as many inputs, or outputs.
    """

    def __init__(
        self,
        a: Engine,
        b: Engine,
        feed: Feed,
        tolerance: float,
        fed: Sequence[Layout] = (),
        given: Sequence[Layout] = (),
        plan: Plan | None = None,
    ) -> None:
        self.a, self.b, self.feed, self.tolerance = a, b, feed, tolerance
        self.plan = plan
        self.answers: list[Array] = []
        self.others: list[Array | None] = []
        self.matching = Matching()
        for ports, layouts in ((b.inputs, fed), (b.outputs, given)):
            for port, layout in zip(ports, layouts, strict=False):
                if port.layout is not None:
                    self.matching.learn(layout.terms, port.layout.terms)
        self.calls: list[tuple[LayerCall, LayerCall]] = []
        if isinstance(a, Reference) and isinstance(b, Reference):
            self.calls = list(paired(a.model.graph, b.model.graph))
        for mine, other in self.calls:
            self.matching.learn_calls(mine, other)
        if plan is not None:  # a layer that others were folded into gives their result
            made = set(plan.graph.values())
            self.calls = [pair for pair in self.calls if pair[0].last.result in made]
        self.inputs = self._pairs(a.inputs, b.inputs, "inputs")
        self.outputs = self._pairs(a.outputs, b.outputs, "outputs")

    def _pairs(self, a: Sequence[Port], b: Sequence[Port], what: str) -> list[Pair]:
        """By name where all names are alike, else in order."""
        if len(a) != len(b):
            raise UsageError(
                f"{len(b)} {what}, and {self.a.path} has {len(a)}",
                file=self.b.path,
                hint="are they the same model?",
            )
        theirs = [port.name for port in b]
        alike = len(set(theirs)) == len(b) and {port.name for port in a} == set(theirs)
        places = [theirs.index(port.name) for port in a] if alike else list(range(len(b)))
        return [
            Pair(port, b[at], i, at) for i, (port, at) in enumerate(zip(a, places, strict=True))
        ]

    def run(self) -> Verification:
        """Run both and compare."""
        layers = Layers(self.calls, self.matching, self.tolerance)
        x = self.a.run(self.feed.arrays, layers.keep if self.calls else None)
        y = self.b.run(self.sent(self.feed.arrays), layers.compare if self.calls else None)
        self.answers = x.outputs
        self.others = [self._brought(pair, y.outputs[pair.of_b]) for pair in self.outputs]
        result = Verification(
            a=_side(self.a),
            b=_side(self.b),
            tolerance=self.tolerance,
            fed=self.feed.text,
            layers=layers.found(ordered=True),
            outputs=tuple(self._output(pair, x, y) for pair in self.outputs),
            logits=tuple(self._logits(x, y)),
            classes=self._classes(x, y),
        )
        if result.equal:
            return result
        return self._explained(replace(result, layers=layers.found()), layers, x, y)

    def outputs_of(self, arrays: Sequence[Array]) -> list[Array | None]:
        """B's outputs for inputs as A takes them, as A has them and in A's order."""
        y = self.b.run(self.sent(arrays))
        return [self._brought(pair, y.outputs[pair.of_b]) for pair in self.outputs]

    def compared(self, name: str, a: Array, b: Array | None) -> Compared:
        """Two arrays of an output."""
        return compare(name, "output", a, b, self.tolerance)

    def sent(self, arrays: Sequence[Array]) -> list[Array]:
        """A's inputs as B has them, in B's order.

        Raises:
            UsageError: An input of B is no reordering of A's.
        """
        found: dict[int, Array] = {}
        for pair in self.inputs:
            array = arrays[pair.of_a]
            mine, other = pair.layouts
            sent: Array | None = array
            if mine is not None and other is not None:
                sent = self.matching.sent(array, mine, other)
            if sent is None:
                raise UsageError(
                    f"input {pair.b.name}, {pair.b.text}, is no reordering of {pair.a.text}",
                    file=self.b.path,
                    hint="are they the same model?",
                )
            found[pair.of_b] = sent
        return [found[index] for index in sorted(found)]

    def _brought(self, pair: Pair, array: Array) -> Array | None:
        """B's output as A has it."""
        mine, other = pair.layouts
        if mine is None or other is None:
            return array
        return self.matching.brought(array, other, mine)

    def _output(self, pair: Pair, x: Run, y: Run) -> Compared:
        a, b = x.outputs[pair.of_a], y.outputs[pair.of_b]
        return compare(pair.a.name, "output", a, self._brought(pair, b), self.tolerance)

    def _logits(self, x: Run, y: Run) -> list[Compared]:
        found = []
        for pair in self.outputs:
            if pair.of_a in x.logits and pair.of_b in y.logits:
                a, b = x.logits[pair.of_a], self._brought(pair, y.logits[pair.of_b])
                found.append(compare(pair.a.name, "before softmax", a, b, self.tolerance))
        return found

    def _classes(self, x: Run, y: Run) -> Classes | None:
        """Of a model with one output that a softmax makes."""
        if len(self.outputs) != 1 or not x.logits:
            return None
        return classes(x.outputs[0], self._brought(self.outputs[0], y.outputs[0]))

    def _explained(self, result: Verification, layers: Layers, x: Run, y: Run) -> Verification:
        """The result with where the numbers differ, and why if that can be found."""
        first = layers.first
        if isinstance(self.a, Reference) and isinstance(self.b, OnnxRuntime):
            inside, where = layers_inside(
                self.a,
                self.b,
                self.feed,
                self.sent(self.feed.arrays),
                self.matching,
                self.tolerance,
                self.plan,
            )
            result = replace(result, layers=inside)
            if where:
                return replace(result, differences=where)
        if first is None:
            for pair, output in zip(self.outputs, result.outputs, strict=True):
                if not output.agrees(self.tolerance):
                    b = self._brought(pair, y.outputs[pair.of_b])
                    where = largest_differences(x.outputs[pair.of_a], b, pair.layouts[0])
                    return replace(result, differences=where)
            return result
        cause, tried = cause_of_layer(
            self.a, self.b, *self.calls[first.number], self.matching, self.feed, self.tolerance
        )
        if cause is not None and cause.name in CONVERTED:
            cause = replace(cause, fix=f"kerasir convert {self.a.path} {self.b.path} --overwrite")
        return replace(result, differences=first.differences, cause=cause, tried=tried)


def _side(engine: Engine) -> Side:
    return Side(engine.path, engine.title, tuple(port.text for port in engine.inputs))
