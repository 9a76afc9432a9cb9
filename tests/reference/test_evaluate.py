"""Whole plans: the same numbers in every layout, values freed, errors that name the place."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace
from mutants import weights_wrong
from networks import Net, build, classifier, feed
from one_op import POLICIES, Array, everywhere, numbers
from recurrent_networks import NETWORKS

from kerasir.errors import KerasirError, LayoutError, PluginError, UnsupportedLayerError
from kerasir.ir.build import Builder
from kerasir.ir.graph import Graph, Layer
from kerasir.ir.layout import Axis, Layout, Term
from kerasir.ir.op import OPS, Op
from kerasir.ir.ops.activation import Relu, Softmax, Tanh
from kerasir.ir.ops.merge import Add
from kerasir.ir.ops.normalization import BatchNorm
from kerasir.ir.ops.opaque import Opaque
from kerasir.ir.plan import Coercion, Held, Plan, Policy, Settled
from kerasir.passes.solve import authored, solve
from kerasir.reference.computing import Results
from kerasir.reference.evaluate import evaluate
from kerasir.reference.registry import apply, computable, computes

LAST = Policy(order="channels_last")


@pytest.mark.parametrize("make", NETWORKS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("first", [True, False])
def test_same_numbers_in_every_plan(make: Callable[[Net], Graph], first: bool) -> None:
    graph = build(make, first=first)
    inputs = feed(graph)
    want, *others = everywhere(graph, inputs)
    assert len(others) == len(POLICIES) - 1
    for found in others:
        for array, right in zip(found, want, strict=True):
            assert right.std() > 0
            np.testing.assert_allclose(array, right, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("make", NETWORKS, ids=lambda make: make.__name__)
def test_inputs_and_outputs_match_the_order_of_the_ops_that_use_them(
    make: Callable[[Net], Graph],
) -> None:
    graph = build(make, first=True)
    inputs = feed(graph)
    want = evaluate(solve(graph, Policy()), inputs)
    plan = solve(graph, Policy(order="channels_last", io="match"))
    fed = [
        np.transpose(array, [held.value.axes.index(term) for term in held.layout.terms])
        for array, held in zip(inputs, plan.inputs, strict=True)
    ]
    found = evaluate(plan, fed)
    for array, right, held in zip(found, want, plan.outputs, strict=True):
        order = [held.value.axes.index(term) for term in held.layout.terms]
        np.testing.assert_allclose(array, np.transpose(right, order), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("first", [True, False])
def test_a_row_in_the_wrong_order_gives_wrong_numbers(first: bool) -> None:
    """The reference takes numbers where they lie: it does not mend what a plan gets wrong."""
    graph = build(classifier, first=first)
    plan = solve(graph, Policy(order="channels_last" if first else "channels_first"))
    want = behind_dense(plan)
    tried = 0
    for what, mutant in weights_wrong(plan):
        if "two dimensions" not in what:  # whole dimensions are told apart by their axes
            tried += 1
            assert np.abs(behind_dense(mutant) - want).max() > 1e-6, what
    assert tried > 20


def behind_dense(plan: Plan) -> Array:
    """What the network gives before its softmax."""
    seen: dict[str, Array] = {}

    def watch(settled: Settled, results: Results) -> None:
        seen[settled.node.name] = results[0]

    evaluate(plan, feed(plan.graph), watch=watch)
    return seen["dense"]


def normed(order: tuple[int, ...]) -> tuple[Graph, tuple[Term, ...]]:
    """A BatchNorm and a softmax whose author has four axes in some order."""
    axes = (Axis("N", None), Axis("C", 3), Axis("H", 4), Axis("W", 5))
    terms = tuple(axes[i] for i in order)
    net = Net(first=True)
    x = net.norm("norm", net.builder.input("x", terms), axes[1])
    made = net.builder.add(Softmax(), "softmax", [x], [terms], axes={"axis": (axes[3],)})
    return net.freeze(made.result), terms


@given(st.permutations(range(4)), st.permutations(range(4)))
def test_any_order_of_axes(order: list[int], coerced: list[int]) -> None:
    """Both in the author's order and brought into another and back."""
    x = numbers(2, 3, 4, 5)
    straight, _ = normed((0, 1, 2, 3))
    want = evaluate(authored(straight, Policy()), [x])[0]
    graph, terms = normed(tuple(order))
    plan = authored(graph, Policy())
    fed = np.transpose(x, order)
    np.testing.assert_array_equal(evaluate(plan, [fed])[0], np.transpose(want, order))
    other = Layout(tuple(terms[i] for i in coerced))
    value, result = graph.inputs[0], graph.outputs[0]
    inside = [
        replace(step, inputs=(Held(step.node.inputs[0], other),), results=(other,))
        for step in plan.settled
        if step.node.inputs[0] is not None
    ]
    steps = (
        Coercion(value, value.layout, other), *inside, Coercion(result, other, result.layout)
    )  # fmt: skip
    found = evaluate(replace(plan, steps=steps), [fed])[0]
    np.testing.assert_array_equal(found, np.transpose(want, order))


def chain(count: int) -> Graph:
    builder, batch = Builder(), Axis("N", None)
    value = builder.input("x", (batch, Axis("F", 3)))
    for index in range(count):
        value = builder.add(Tanh(), f"tanh{index}", [value], [value.axes]).result
    return builder.freeze([value])


def test_a_chain_of_ten_thousand_layers() -> None:
    x = numbers(2, 3)
    for [found] in everywhere(chain(10_000), [x]):
        assert 0 < np.abs(found).max() < 0.02


def test_values_are_freed_after_their_last_use() -> None:
    alive: list[int] = []
    references: list[Any] = []

    def watch(settled: Settled, results: Results) -> None:
        references.extend(map(weakref.ref, results))
        alive.append(sum(reference() is not None for reference in references))

    evaluate(solve(chain(20), Policy()), [numbers(2, 3)], watch=watch)
    gc.collect()
    assert len(alive) == 20
    assert max(alive) <= 2
    assert all(reference() is None for reference in references[:-1])


def test_outputs_are_kept_and_may_come_twice() -> None:
    builder, batch = Builder(), Axis("N", None)
    x = builder.input("x", (batch, Axis("F", 3)))
    y = builder.add(Relu(), "relu", [x], [x.axes]).result
    z = builder.add(Add(), "add", [y, y], [x.axes], axes={"...": x.axes}).result
    found = evaluate(solve(builder.freeze([y, x, z, y]), Policy()), [np.array([[-1.0, 2, 3]])])
    assert [array.tolist() for array in found] == [
        [[0, 2, 3]], [[-1, 2, 3]], [[0, 4, 6]], [[0, 2, 3]]
    ]  # fmt: skip


def test_watch_sees_every_node_with_its_results() -> None:
    graph = build(classifier, first=True)
    seen: dict[str, tuple[int, ...]] = {}

    def watch(settled: Settled, results: Results) -> None:
        seen[settled.node.name] = results[0].shape

    evaluate(solve(graph, LAST), feed(graph), watch=watch)
    assert list(seen) == [node.name for node in graph.nodes]
    assert seen["conv"] == (2, 6, 7, 4)
    assert seen["flatten"] == (2, 36)


def test_what_is_not_finite_passes_in_silence() -> None:
    net = Net(first=True)
    axis = Axis("F", 3)
    x = net.builder.input("x", (net.batch, axis))
    graph = net.freeze(net.norm("norm", x, axis))
    found = evaluate(solve(graph, Policy()), [np.array([[np.inf, np.nan, 1.0]])])[0]
    assert [bool(ok) for ok in np.isfinite(found[0])] == [False, False, True]
    graph.nodes[0].op = BatchNorm(epsilon=-1e9)
    assert np.isnan(evaluate(solve(graph, Policy()), [np.ones((1, 3))])[0]).all()


def two_inputs() -> Plan:
    builder, batch, features = Builder(), Axis("N", None), Axis("F", None)
    a, b = builder.input("a", (batch, features)), builder.input("b", (batch, features))
    node = builder.add(Add(), "add", [a, b], [(batch, features)], axes={"...": a.axes})
    return solve(builder.freeze(node.results), Policy())


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(2, 3)], "the model has 2 inputs, 1 are given"),
        ([(2, 3), (2, 3, 4)], "input b: shape (2, 3, 4) does not fit layout N:? F:?"),
        ([(2, 3), (3, 3)], "input b: N:? is 3 here and 2 in an input before it"),
    ],
)
def test_inputs_that_do_not_fit(shapes: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(LayoutError) as caught:
        evaluate(two_inputs(), [np.zeros(shape) for shape in shapes])
    assert str(caught.value) == message


def test_a_plan_that_forgets_a_coercion() -> None:
    plan = solve(build(classifier, first=True), LAST)
    steps = tuple(step for step in plan.steps if not isinstance(step, Coercion))
    with pytest.raises(LayoutError, match=r"x: nothing has brought it into N:\? H:7 W:9 C:3"):
        evaluate(replace(plan, steps=steps), feed(plan.graph))


def test_a_result_that_does_not_fit_its_layout() -> None:
    plan = solve(build(classifier, first=True), Policy())
    *rest, last = plan.steps
    assert isinstance(last, Settled)
    n, _ = last.results[0].terms
    wrong = replace(last, results=(Layout((n, Axis("F", 7))),))
    with pytest.raises(LayoutError, match=r"softmax: a result of shape \(2, 5\) does not fit"):
        evaluate(replace(plan, steps=(*rest, wrong)), feed(plan.graph))


@pytest.mark.parametrize(
    ("has_code", "why"),
    [
        (
            True,
            'its code is never run (say what it computes: --lambda shade="x / 127.5 - 1")',
        ),
        (
            False,
            "what it computes is not known "
            "(give a plugin that says what it computes: --plugin FILE)",
        ),
    ],
)
def test_an_opaque_layer_is_named(has_code: bool, why: str) -> None:
    builder, batch = Builder(), Axis("N", None)
    x = builder.input("x", (batch, Axis("F", 3)))
    layer = Layer("shade", "Shade")
    op = Opaque(layer_class="Shade", has_code=has_code)
    graph = builder.freeze(builder.add(op, "shade~2", [x], [x.axes], layer=layer).results)
    with pytest.raises(UnsupportedLayerError) as caught:
        evaluate(solve(graph, Policy()), [np.zeros((2, 3))])
    assert str(caught.value) == (f"shade: layer 'shade' of class Shade cannot be computed: {why}")


def test_every_op_has_a_reference_function() -> None:
    own = [kind for kind in OPS.values() if kind.__module__.startswith("kerasir.")]
    assert len(own) > 50
    assert {kind.__name__ for kind in own if not computable(kind)} == set()


class Unregistered(Op, frozen=True, kw_only=True):
    """An op whose plugin forgot something."""


@pytest.fixture
def own_op() -> Iterator[type[Op]]:
    from kerasir.reference import registry

    yield Unregistered
    registry._COMPUTES.pop(Unregistered, None)


def test_a_plugin_registers_its_op_once(own_op: type[Op]) -> None:
    builder, batch = Builder(), Axis("N", None)
    x = builder.input("x", (batch, Axis("F", 3)))
    graph = builder.freeze(builder.add(own_op(), "own", [x], []).results)
    with pytest.raises(KerasirError, match="own: op Unregistered has no reference function"):
        evaluate(solve(graph, Policy()), [np.zeros((2, 3))])
    computes(own_op)(lambda op, at: ())
    assert evaluate(solve(graph, Policy()), [np.zeros((2, 3))]) == []
    with pytest.raises(PluginError, match="op Unregistered already has a reference function"):
        computes(own_op)(lambda op, at: ())


def test_only_functions_of_each_number_are_applied_inside_other_ops() -> None:
    with pytest.raises(KerasirError, match="op Softmax does not treat each number by itself"):
        apply(Softmax(), np.zeros(3))
