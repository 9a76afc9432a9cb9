"""A graph of one op, run in every kind of plan: what the tests of the reference share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasir.ir.build import Builder
from kerasir.ir.check import check
from kerasir.ir.graph import Graph, Value
from kerasir.ir.layout import Axis, Labelled, Layout, Term, Terms
from kerasir.ir.op import Op
from kerasir.ir.plan import Policy
from kerasir.ir.signature import REST, Pattern, Port
from kerasir.ir.source import ArraySource
from kerasir.ir.tensor import Param, Stored, Weight
from kerasir.passes.solve import solve
from kerasir.reference.evaluate import evaluate

Array = NDArray[Any]
Size = int | None

POLICIES = (
    Policy(),
    Policy(order="channels_first", one_dimensional=True),
    Policy(order="channels_first"),
    Policy(order="channels_last"),
)


_RNG = np.random.default_rng(20261124)


def numbers(*shape: int) -> Array:
    """Numbers of either sign, other ones at each call."""
    return _RNG.standard_normal(shape)


def weight(name: str, array: Array, declared: Layout) -> Param:
    """A weight that lies the other way round than it is declared, so that it has to be moved."""
    stored = Stored(Layout(declared.terms[::-1]))
    return Param(Weight(name, (ArraySource(np.transpose(array)),)), (stored,))


class OneOp:
    """One op between inputs and outputs of a model.

    Arrays are given and come back in the order of the ports' patterns.

    Args:
        op: What to compute.
        sizes: The extents of each binding's terms; None for what is not known.
        params: In declared order.
        roll: How far an author's order of a free port is rotated from the pattern's.
        last: Whether the author has channels last.
        feeds: How many of the input ports are fed.
        dtypes: Of the inputs.
        labels: Names of the positions of a labelled binding.
    """

    def __init__(
        self,
        op: Op,
        sizes: Mapping[str, Sequence[Size]],
        params: Mapping[str, Array] | None = None,
        *,
        roll: int = 0,
        last: bool = False,
        feeds: int = 1,
        dtypes: Sequence[str] = (),
        labels: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.roll, self.last = roll, last
        self.axes: dict[str, Terms] = {
            name: tuple(Axis("X", size) for size in extents) for name, extents in sizes.items()
        }
        for name, given_labels in (labels or {}).items():
            self.axes[name] = (Labelled(Axis("G", len(given_labels)), given_labels),)
        self.inputs = [port.pattern.build(self.axes) for port in op.inputs[:feeds]]
        self.results = [port.pattern.build(self.axes) for port in op.results]
        given = [self._author(port, t) for port, t in zip(op.inputs, self.inputs, strict=False)]
        pairs = zip(op.results, self.results, strict=True)
        made = [self._made(port, terms, given[0]) for port, terms in pairs]
        builder = Builder()
        values: list[Value | None] = [
            builder.input(f"x{i}", terms, dtypes[i] if i < len(dtypes) else "float32")
            for i, terms in enumerate(given)
        ]
        values += [None] * (len(op.inputs) - feeds)
        weights = {
            name: weight(name, array, Layout(op.port(name).pattern.build(self.axes)))
            for name, array in (params or {}).items()
        }
        node = builder.add(op, "op", values, made, axes=self.axes, params=weights)
        self.graph: Graph = builder.freeze(node.results)

    def _author(self, port: Port, terms: Terms) -> Terms:
        if port.order == "spatial":
            return _channels_last(port.pattern, self.axes) if self.last else terms
        if port.order == "kept":
            return terms[self.roll :] + terms[: self.roll]
        return terms

    def _made(self, port: Port, terms: Terms, first: Terms) -> Terms:
        if port.order != "kept":
            return self._author(port, terms)
        return (*(t for t in first if t in terms), *(t for t in terms if t not in first))

    def run(self, *arrays: Array, dtype: Any = np.float64) -> Iterator[list[Array]]:
        """The results, once for each kind of plan."""
        fed = [
            np.transpose(array, _places(terms, value.axes))
            for array, terms, value in zip(arrays, self.inputs, self.graph.inputs, strict=True)
        ]
        for outputs in everywhere(self.graph, fed, dtype=dtype):
            yield [
                np.transpose(array, _places(value.axes, terms))
                for array, terms, value in zip(
                    outputs, self.results, self.graph.outputs, strict=True
                )
            ]

    def gives(self, *results: Array, of: Sequence[Array], within: float = 1e-12) -> None:
        """Assert the results in every kind of plan, and in float32."""
        for found in self.run(*of):
            for array, want in zip(found, results, strict=True):
                assert array.dtype == (bool if want.dtype == bool else np.float64)
                np.testing.assert_allclose(array, want, rtol=within, atol=within)
        for found in self.run(*of, dtype=np.float32):
            for array, want in zip(found, results, strict=True):
                assert array.dtype in {np.dtype(bool), np.dtype(np.float32)}
                np.testing.assert_allclose(array, want, rtol=1e-4, atol=1e-5)


def everywhere(
    graph: Graph, inputs: Sequence[Array], dtype: Any = np.float64
) -> Iterator[list[Array]]:
    """The outputs in the author's order, once for each kind of plan; each plan is checked."""
    for policy in POLICIES:
        plan = solve(graph, policy)
        check(plan)
        yield evaluate(plan, inputs, dtype=dtype)


def _channels_last(pattern: Pattern, axes: Mapping[str, Terms]) -> Terms:
    *before, channels, space = (item.build(axes) for item in pattern.items)
    return (*(term for terms in before for term in terms), *space, *channels)


def _places(have: Sequence[Term], want: Sequence[Term]) -> list[int]:
    return [have.index(term) for term in want]


__all__ = ["REST", "Array", "OneOp", "everywhere", "numbers", "weight"]
