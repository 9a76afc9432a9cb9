"""A plan: the layouts chosen for a graph. Derived from it, thrown away, never stored in it.

Exporters, the checker and the reference read the plan; the graph says only what is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from ..errors import LayoutError
from .graph import Graph, Node, Value
from .layout import Layout, Term, Terms, expand, find, fuse
from .signature import Group, Pattern, Ref

Order = Literal["source", "channels_first", "channels_last"]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a target wants of layouts.

    Attributes:
        order: Where spatial ops have their channels; `source` keeps every author's order.
        one_dimensional: Whether that holds for ops over one spatial axis too; Keras' Conv1D is
            channels_last whatever the data format, ONNX's is not.
        preserve: Whether a graph that complies as its author had it stays so, views that move
            numbers included: a Permute layer is kept for a target that has one.
        trailing: Whether ops that have one operator for the last axes only are to work along those:
            two Transposes cost less than a LayerNormalization taken apart.
        io: `keep`: inputs and outputs stay in the source's order; `match`: they take the order
            that the ops behind and before them have.
    """

    order: Order = "source"
    one_dimensional: bool = False
    trailing: bool = False
    io: Literal["keep", "match"] = "keep"
    preserve: bool = False


class Held(msgspec.Struct, frozen=True):
    """A value in one layout."""

    value: Value
    layout: Layout


class Coercion(msgspec.Struct, frozen=True):
    """A value brought from the layout it has to another; shared by all who want that."""

    value: Value
    have: Layout
    want: Layout


class Settled(msgspec.Struct, frozen=True):
    """A node with everything chosen.

    Attributes:
        node: The node.
        inputs: What each input port gets; None where it is absent.
        results: The layout of each result.
        bound: The terms of each binding, in the inner order chosen.
        params: The wanted layout of each parameter, in its declared order.
    """

    node: Node
    inputs: tuple[Held | None, ...]
    results: tuple[Layout, ...]
    bound: Mapping[str, Terms]
    params: Mapping[str, Layout]

    @property
    def input(self) -> Layout:
        """The layout of the first input."""
        return self.layout_of(0)

    def layout_of(self, index: int) -> Layout:
        """The layout of an input that is there."""
        held = self.inputs[index]
        if held is None:
            raise LayoutError(f"input {index} is absent", where=self.node.name)
        return held.layout

    @property
    def as_authored(self) -> bool:
        """Whether what the node reads and gives lies as its author counted it."""
        pairs = [(held.value, held.layout) for held in self.inputs if held is not None]
        pairs += zip(self.node.results, self.results, strict=True)
        return all(layout.terms == value.axes for value, layout in pairs)

    def position(self, binding: str, result: bool = False) -> int:
        """Index of a binding's first term in the first input (or result): the axis number."""
        layout = self.results[0] if result else self.input
        return find(layout.terms, self.bound[binding][0])

    def positions(self, binding: str, result: bool = False) -> tuple[int, ...]:
        """Indices of all terms of a binding."""
        layout = self.results[0] if result else self.input
        return tuple(find(layout.terms, term) for term in self.bound[binding])

    def param_layout(self, name: str, pattern: str) -> Layout:
        """A parameter's layout in a target's order, its inner orders as the plan has them.

        Args:
            name: The parameter's port.
            pattern: Over the bindings of the port: `filters channels kernel_space`, with `~`
                for reversed, `1` for a unit dimension, parentheses for fused, `[…]` for labels.
        """
        declared = self.node.op.port(name).pattern
        inner = opened(declared, self.params[name], self.bound)
        try:
            return Layout(Pattern.parse(pattern).build({**self.bound, **inner}))
        except KeyError as error:
            raise LayoutError(f"{name} has no binding {error}", where=self.node.name) from error


Step = Coercion | Settled


class Plan(msgspec.Struct, frozen=True):
    """Every choice, in order of execution.

    Attributes:
        graph: What the plan is for.
        policy: What was asked.
        inputs: The layout of each input of the model.
        steps: Nodes and coercions in order.
        outputs: What the caller gets: each output in its layout.
    """

    graph: Graph
    policy: Policy
    inputs: tuple[Held, ...]
    steps: tuple[Step, ...]
    outputs: tuple[Held, ...]

    @property
    def settled(self) -> Iterator[Settled]:
        """The nodes."""
        return (step for step in self.steps if isinstance(step, Settled))

    @property
    def coercions(self) -> tuple[Coercion, ...]:
        """Every coercion."""
        return tuple(step for step in self.steps if isinstance(step, Coercion))

    @property
    def inner_coercions(self) -> tuple[Coercion, ...]:
        """Coercions that stand neither at an input nor right before an output."""
        border = set(self.graph.inputs)
        last = {(held.value, held.layout) for held in self.outputs}
        return tuple(
            c for c in self.coercions if c.value not in border and (c.value, c.want) not in last
        )


def opened(declared: Pattern, layout: Layout, bound: Mapping[str, Terms]) -> dict[str, Terms]:
    """The terms of each binding as they lie in a layout of the declared pattern.

    Raises:
        LayoutError: The layout is not one of the pattern.
    """
    found: dict[str, Terms] = {}
    at = 0
    for item in declared.items:
        if isinstance(item, Ref):
            count = len(bound[item.binding])
            found[item.binding] = layout.terms[at : at + count]
            at += count
        else:
            if isinstance(item, Group):
                found |= _ungrouped(item, layout.terms[at], bound)
            at += 1
    if at != len(layout.terms):
        raise LayoutError(f"{layout} has {len(layout.terms)} terms, its declaration {at}")
    return found


def _ungrouped(group: Group, term: Term, bound: Mapping[str, Terms]) -> dict[str, Terms]:
    """The terms of each binding fused in one term."""
    found: dict[str, Terms] = {}
    atoms = list(expand((term,)))
    for ref in group.refs:
        inner: list[Term] = []
        for want in bound[ref.binding]:
            count = len(expand((want,)))
            inner.append(fuse(atoms[:count]))
            del atoms[:count]
        found[ref.binding] = tuple(inner)
    if atoms:
        raise LayoutError(f"{term!r} has more in it than its declaration")
    return found
