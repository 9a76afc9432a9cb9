"""What the checker says of a plan that does not hold together."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from networks import Net, classifier, siamese

from kerasir.errors import CheckError
from kerasir.ir.build import Builder
from kerasir.ir.check import check
from kerasir.ir.graph import Node
from kerasir.ir.layout import Axis, Fused, Layout, fuse
from kerasir.ir.ops.activation import Relu, Softmax
from kerasir.ir.ops.dense import Dense
from kerasir.ir.ops.merge import Add
from kerasir.ir.ops.opaque import Opaque
from kerasir.ir.ops.shape import Repeat, Reshape, View
from kerasir.ir.plan import Coercion, Held, Plan, Policy, Settled
from kerasir.ir.source import ConstantSource
from kerasir.ir.tensor import Param, Stored, Weight
from kerasir.passes.solve import authored, solve

LAST = Policy(order="channels_last")
N, A, B, C = Axis("N", None), Axis("H", 3), Axis("W", 4), Axis("C", 5)


def node_of(plan: Plan, name: str) -> Settled:
    return next(settled for settled in plan.settled if settled.node.name == name)


def with_step(plan: Plan, old: Settled | Coercion, *new: Settled | Coercion) -> Plan:
    at = plan.steps.index(old)
    return replace(plan, steps=(*plan.steps[:at], *new, *plan.steps[at + 1 :]))


def message(plan: Plan) -> str:
    with pytest.raises(CheckError) as caught:
        check(plan)
    return str(caught.value)


@pytest.fixture
def plan() -> Plan:
    """Channels first by its author, solved for channels last; behind the Flatten (H W C)."""
    return solve(classifier(Net(first=True)), LAST)


def test_the_silent_bug_is_an_error_with_both_layouts(plan: Plan) -> None:
    dense = node_of(plan, "dense")
    stored = dense.node.params["kernel"].stored[0].layout
    wrong = replace(dense, params={**dense.params, "kernel": stored})
    assert message(with_step(plan, dense, wrong)) == (
        "dense/kernel: the layout is not the one that belongs here\n"
        "  expected (H:3 W:3 C:4) F:5\n"
        "  found    (C:4 H:3 W:3) F:5"
    )


def test_a_reversed_axis_left_in_a_kernel_shows_its_tilde(plan: Plan) -> None:
    conv = node_of(plan, "conv")
    stored = conv.node.params["kernel"].stored[0].layout
    wrong = replace(conv, params={**conv.params, "kernel": stored})
    assert message(with_step(plan, conv, wrong)) == (
        "conv/kernel: the layout is not the one that belongs here\n"
        "  expected H:2 W:3 C:3 C'2:4\n"
        "  found    C'2:4 C:3 ~H:2 ~W:3"
    )


def test_a_value_that_nothing_has_coerced(plan: Plan) -> None:
    (coercion,) = plan.coercions
    assert message(with_step(plan, coercion)) == (
        "conv/x: nothing has brought x into this layout\n"
        "  expected N:? H:7 W:9 C:3\n"
        "  found    N:? C:3 H:7 W:9"
    )


def test_a_value_used_before_it_is_made(plan: Plan) -> None:
    leaky, pool = node_of(plan, "leaky"), node_of(plan, "pool")
    swapped = with_step(with_step(plan, leaky), pool, pool, leaky)
    assert message(swapped) == "pool/x: leaky is used before it is made"


def test_a_coercion_to_other_axes(plan: Plan) -> None:
    (coercion,) = plan.coercions
    less = Layout(coercion.want.terms[:-1])
    assert message(with_step(plan, coercion, replace(coercion, want=less))) == (
        "a coercion of x: the layout does not have the value's axes\n"
        "  expected N:? C:3 H:7 W:9\n"
        "  found    N:? H:7 W:9"
    )


def test_nodes_left_out_or_there_twice(plan: Plan) -> None:
    softmax = node_of(plan, "softmax")
    assert message(with_step(plan, softmax, softmax, softmax)) == (
        "softmax: the plan has it twice, or for nothing"
    )
    assert message(with_step(plan, softmax)) == "softmax: the plan leaves it out"


def test_borders(plan: Plan) -> None:
    held = plan.inputs[0]
    other = Held(held.value, Layout(plan.coercions[0].want.terms))
    assert message(replace(plan, inputs=())) == "the plan has other inputs than the graph"
    assert message(replace(plan, outputs=())) == "the plan has other outputs than the graph"
    assert message(replace(plan, inputs=(other,))) == (
        "input x: the layout is not the one that belongs here\n"
        "  expected N:? C:3 H:7 W:9\n"
        "  found    N:? H:7 W:9 C:3"
    )


def test_an_output_that_must_keep_its_order() -> None:
    net = Net(first=True)
    plan = solve(net.freeze(net.conv("conv", net.image("x", 3, 4, 5), 2, 2, 2)), LAST)
    check(plan)
    out = node_of(plan, "conv").results[0]
    as_made = replace(plan, outputs=(Held(plan.outputs[0].value, out),))
    assert message(as_made).startswith("output conv: the layout is not the one that belongs here")
    check(replace(as_made, policy=Policy(order="channels_last", io="match")))


def test_a_binding_in_another_order_than_its_meaning(plan: Plan) -> None:
    conv = node_of(plan, "conv")
    h, w = conv.bound["kernel_space"]
    wrong = replace(conv, bound={**conv.bound, "kernel_space": (w, h)})
    assert message(with_step(plan, conv, wrong)) == (
        "conv: the order inside kernel_space has a meaning\n  expected H:2 W:3\n  found    W:3 H:2"
    )


def test_spatial_ops_in_the_order_that_the_policy_wants() -> None:
    net = Net(first=True)
    plan = solve(net.freeze(net.conv("conv", net.image("x", 3, 4, 5), 2, 2, 2)), Policy())
    check(plan)
    check(replace(plan, policy=Policy(order="channels_first")))
    assert message(replace(plan, policy=LAST)).startswith("conv/x: the layout is not the one")


def test_channels_first_on_both_sides_or_on_neither() -> None:
    net = Net(first=True)
    plan = solve(net.freeze(net.conv("conv", net.image("x", 3, 4, 5), 2, 2, 2)), Policy())
    conv = node_of(plan, "conv")
    n, c, h, w = conv.results[0].terms
    made = Layout((n, h, w, c))
    wrong = with_step(plan, conv, replace(conv, results=(made,)))
    assert message(wrong) == "conv: channels are first on one side and last on the other"


def test_one_weight_in_two_orders() -> None:
    plan = solve(siamese(Net(first=True)), LAST)
    check(plan)
    again = node_of(plan, "dense_again")
    (term,) = again.bound["features"]
    assert isinstance(term, Fused)
    other = fuse((term.terms[2], *term.terms[:2]))
    assert again.inputs[0] is not None
    held = Held(again.inputs[0].value, Layout((N, other)))
    held = Held(held.value, Layout((again.input.terms[0], other)))
    wrong = replace(
        again,
        inputs=(held,),
        bound={**again.bound, "features": (other,)},
        params={**again.params, "kernel": Layout((other, again.params["kernel"].terms[1]))},
    )
    coercion = Coercion(held.value, again.input, held.layout)
    text = message(with_step(plan, again, coercion, wrong))
    assert text.startswith(
        "dense_again/kernel: weight dense/kernel is wanted in another order than by dense/kernel\n"
    )


def dense_node(kernel: Param | None) -> Plan:
    builder, units = Builder(), Axis("F", 6)
    x = builder.input("x", (N, C))
    node = builder.add(
        Dense(), "dense", [x], [(N, units)], axes={"features": (C,), "units": (units,)},
        params={} if kernel is None else {"kernel": kernel},
    )  # fmt: skip
    return authored(builder.freeze(node.results), Policy())


def test_a_weight_that_must_be_there() -> None:
    assert message(dense_node(None)) == "dense/kernel: a weight that must be there is absent"


def test_a_weight_over_other_axes() -> None:
    kernel = Param(
        Weight("dense/kernel", (ConstantSource(1.0, (5, 6)),)), (Stored(Layout((C, Axis("F", 6)))),)
    )
    text = message(dense_node(kernel))
    assert text.startswith("dense/kernel: cannot go from C:5 F:6 to C:5 F:6: ")


def test_a_weight_of_another_count_than_its_layout() -> None:
    plan = dense_node(None)
    (settled,) = plan.settled
    units = settled.node.axes["units"]
    weight = Weight("dense/kernel", (ConstantSource(1.0, (5, 7)),))
    settled.node.params["kernel"] = Param(weight, (Stored(Layout((C, *units))),))
    plan = authored(plan.graph, Policy())
    assert message(plan).startswith("dense/kernel: shape (5, 7) is stored")


def test_weights_that_the_op_does_not_have() -> None:
    plan = dense_node(None)
    (settled,) = plan.settled
    weight = Param(Weight("w", (ConstantSource(1.0, (5,)),)), (Stored(Layout((C,))),))
    settled.node.params["shade"] = weight
    wrong = replace(settled, params={"shade": Layout((C,))})
    settled.node.params["kernel"] = weight
    both = replace(wrong, params={"shade": Layout((C,)), "kernel": Layout((C,))})
    assert message(with_step(plan, settled, wrong)) == (
        "dense: the plan has other weights than the graph"
    )
    del settled.node.params["kernel"]
    settled.node.params = {"shade": weight, "kernel": weight}
    assert "dense/shade: the op does not know" in message(with_step(plan, settled, both))


def test_an_input_that_must_be_there() -> None:
    builder = Builder()
    x = builder.input("x", (N, C))
    node = builder.add(
        Repeat(), "repeat", [x], [(N, A, C)], axes={"batch": (N,), "time": (A,), "features": (C,)}
    )
    plan = solve(builder.freeze(node.results), Policy())
    (settled,) = plan.settled
    absent = replace(settled, inputs=(None,))
    assert message(with_step(plan, settled, absent)) == (
        "repeat/x: the plan feeds another value than the graph"
    )
    settled.node.inputs = (None,)
    assert message(with_step(plan, settled, absent)) == (
        "repeat/x: an input that must be there is absent"
    )


def one_node(make: Callable[[Builder], Node]) -> tuple[Plan, Settled]:
    builder = Builder()
    node = make(builder)
    plan = authored(builder.freeze(node.results), LAST)
    check(plan)
    return plan, node_of(plan, node.name)


def test_a_view_that_would_move_something() -> None:
    flat = fuse((A, B))
    plan, view = one_node(lambda b: b.add(View(), "view", [b.input("x", (N, B, A))], [(N, flat)]))
    wrong = replace(view, results=(Layout((N, fuse((B, A)))),))
    out = (Held(plan.outputs[0].value, wrong.results[0]),)
    free = replace(plan, policy=Policy(order="channels_last", io="match"))
    check(replace(with_step(free, view, wrong), outputs=out))  # nothing moves
    held = Held(plan.inputs[0].value, Layout((N, A, B)))
    moved = replace(wrong, inputs=(held,))
    assert message(
        replace(with_step(free, view, moved), inputs=(held,), outputs=out)
    ) == (
        "view: a view would have to move something\n"
        "  expected N:? H:3 W:4\n"
        "  found    N:? (W:4 H:3)"
    )  # fmt: skip


def test_a_merge_whose_positions_do_not_correspond() -> None:
    other = (N, Axis("H", 3), Axis("W", 4))
    plan, add = one_node(
        lambda b: b.add(Add(), "add", [b.input("x", (N, A, B)), b.input("y", other)], [(N, A, B)])
    )
    held = Held(plan.inputs[1].value, Layout((N, other[2], other[1])))
    wrong = replace(add, inputs=(add.inputs[0], held))
    free = replace(plan, policy=Policy(order="channels_last", io="match"))
    assert message(replace(with_step(free, add, wrong), inputs=(plan.inputs[0], held))) == (
        "add/x1: the layout is not the one that belongs here\n"
        "  expected N:? H:3 W:4\n"
        "  found    N:? W:4 H:3"
    )


def test_an_input_repeated_along_an_axis_stands_at_its_place() -> None:
    one = Axis("X", 1)
    plan, add = one_node(
        lambda b: b.add(
            Add(), "add", [b.input("x", (N, A, B)), b.input("y", (N, one, B))], [(N, A, B)]
        )
    )
    held = Held(plan.inputs[1].value, Layout((N, B, one)))
    wrong = replace(add, inputs=(add.inputs[0], held))
    free = replace(plan, policy=Policy(order="channels_last", io="match"))
    assert message(replace(with_step(free, add, wrong), inputs=(plan.inputs[0], held))) == (
        "add/x1: the layout is not the one that belongs here\n"
        "  expected N:? X:1 W:4\n"
        "  found    N:? W:4 X:1"
    )


@pytest.mark.parametrize("op", [Reshape(), Opaque(layer_class="Lambda")], ids=["Reshape", "Opaque"])
def test_what_is_pinned_lies_as_its_author_had_it(op: Reshape | Opaque) -> None:
    plan, node = one_node(lambda b: b.add(op, "pinned", [b.input("x", (N, A, B))], [(N, C, A, B)]))
    held = Held(plan.inputs[0].value, Layout((N, B, A)))
    wrong = replace(node, inputs=(held,))
    free = replace(plan, policy=Policy(order="channels_last", io="match"))
    assert message(replace(with_step(free, node, wrong), inputs=(held,))).startswith(
        "pinned/x0:" if isinstance(op, Opaque) else "pinned/x:"
    )
    turned = replace(node, results=(Layout((N, A, B, C)),))
    assert message(with_step(free, node, turned)).startswith("pinned, its result pinned:")


def test_an_elementwise_op_moves_nothing() -> None:
    plan, relu = one_node(lambda b: b.add(Relu(), "relu", [b.input("x", (N, A, B))], [(N, A, B)]))
    wrong = replace(relu, results=(Layout((N, B, A)),))
    assert message(with_step(plan, relu, wrong)) == (
        "relu/y: the layout is not the one that belongs here\n"
        "  expected N:? H:3 W:4\n"
        "  found    N:? W:4 H:3"
    )


def test_a_layout_with_an_axis_twice() -> None:
    square = (N, fuse((A, A)))
    builder = Builder()
    x = builder.input("x", square)
    node = builder.add(Softmax(), "softmax", [x], [square], axes={"axis": square[1:]})
    assert message(solve(builder.freeze(node.results), Policy())).startswith(
        "input x: an axis comes twice\n"
    )
